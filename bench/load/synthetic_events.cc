#include <fmt/format.h>

#include <random>
#include <string>
#include <vector>

#include "base/assert.h"
#include "load/event_source.h"
#include "load/stamp.h"

namespace millrace::load {
namespace {

constexpr std::uint64_t kSeed = 20'240'601;
constexpr std::size_t kVariants = 1'024;
constexpr std::uint64_t kUsers = 10'000'000;

// Padded with random letters, so that a log which compresses gains no more than it would on real events.
std::string page_view(std::mt19937_64& random, std::size_t bytes) {
  constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  static_assert(kLetters.size() == 64);
  std::string text = fmt::format(R"("type":"page_view","page":"/p/{}","session":"{:016x}","pad":")",
                                 random() % 100'000, random());
  MR_ASSERT(text.size() + 2 <= bytes);
  while (text.size() + 2 < bytes) text.push_back(kLetters[random() % kLetters.size()]);
  return text + "\"}";
}

class SyntheticEvents final : public EventSource {
 public:
  explicit SyntheticEvents(SyntheticOptions options) : options_(options), random_(kSeed) {
    for (std::size_t i = 0; i < kVariants; ++i) {
      rests_.push_back(page_view(random_, options.record_bytes - kStampBytes));
    }
    make_next();
  }

  const Event* peek() override { return &event_; }
  void pop() override {
    ++count_;
    make_next();
  }
  bool ended() const override { return false; }

 private:
  void make_next() {
    const std::uint64_t burst = count_ / options_.burst;
    const double due_s = options_.rate == 0 ? 0 : static_cast<double>(burst * options_.burst) / options_.rate;
    key_ = fmt::format("u-{:07}", random_() % kUsers);
    event_ = {static_cast<std::int64_t>(due_s * 1e6), key_, rests_[count_ % kVariants],
              static_cast<std::uint32_t>(burst % options_.lanes)};
  }

  SyntheticOptions options_;
  std::mt19937_64 random_;
  std::vector<std::string> rests_;
  std::uint64_t count_ = 0;
  std::string key_;
  Event event_{};
};

}  // namespace

std::unique_ptr<EventSource> synthetic_events(SyntheticOptions options) {
  return std::make_unique<SyntheticEvents>(options);
}

}  // namespace millrace::load
