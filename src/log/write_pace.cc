#include "log/write_pace.h"

#include <algorithm>
#include <chrono>

namespace millrace::log {

namespace {

constexpr std::int64_t kSampleNs = 20 * kNsPerMs;
// Of what the journal takes: it is written again as segments, those now and then into larger ones, and the
// journal's own next file may have to be made at the same time.
constexpr std::uint64_t kShareOfJournal = 4;

}  // namespace

Result<void> WritePace::sync(store::File& file, std::uint64_t bytes) {
  if (ended_) return Error{ErrorKind::kUnavailable, "the log has closed"};
  MR_TRY(file.sync());
  if (bytes_per_s_ > 0) hold(bytes);
  return {};
}

Result<void> WritePace::after_read(std::uint64_t bytes) {
  if (ended_) return Error{ErrorKind::kUnavailable, "the log has closed"};
  if (bytes_per_s_ > 0) hold(bytes);
  return {};
}

void WritePace::hold(std::uint64_t bytes) {
  const auto may_go = [this] { return !on_ || hurries_ > 0; };
  std::unique_lock lock(mutex_);
  if (may_go()) return;
  const std::int64_t now = clock_.monotonic_ns();
  const auto takes_ns = static_cast<std::int64_t>(bytes * static_cast<std::uint64_t>(kNsPerS) / rate(now));
  free_ns_ = std::max(free_ns_, now) + takes_ns;
  if (changed_.wait_for(lock, std::chrono::nanoseconds(free_ns_ - now), may_go)) free_ns_ = 0;
}

std::uint64_t WritePace::rate(std::int64_t now_ns) {
  if (now_ns - sampled_ns_ >= kSampleNs) {
    const std::uint64_t bytes = journal_bytes_.load(std::memory_order_relaxed);
    const double seconds = static_cast<double>(now_ns - sampled_ns_) / static_cast<double>(kNsPerS);
    journal_bytes_per_s_ = static_cast<std::uint64_t>(static_cast<double>(bytes - sampled_bytes_) / seconds);
    sampled_bytes_ = bytes;
    sampled_ns_ = now_ns;
  }
  return std::max(bytes_per_s_, kShareOfJournal * journal_bytes_per_s_);
}

void WritePace::turn(bool on) {
  const std::lock_guard lock(mutex_);
  on_ = on;
  changed_.notify_all();
}

void WritePace::end() {
  ended_ = true;
  turn(false);
}

WritePace::Hurry::Hurry(WritePace& pace) : pace_(pace) {
  const std::lock_guard lock(pace_.mutex_);
  ++pace_.hurries_;
  pace_.changed_.notify_all();
}

WritePace::Hurry::~Hurry() {
  const std::lock_guard lock(pace_.mutex_);
  --pace_.hurries_;
}

}  // namespace millrace::log
