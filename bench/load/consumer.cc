#include "load/consumer.h"

#include <fmt/format.h>
#include <string.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/base64.h"
#include "base/bytes.h"
#include "load/api.h"

namespace millrace::load {
namespace {

constexpr std::int64_t kPollAfterErrorUs = 20'000;
constexpr std::string_view kData = R"("Data":")";
constexpr std::string_view kBehind = R"("MillisBehindLatest":)";

bool behind(std::string_view answer) {
  const std::size_t at = answer.find(kBehind);
  return at != std::string_view::npos &&
         answer.substr(at + kBehind.size(), 2).find_first_of("123456789") == 0;
}

}  // namespace

Consumer::Consumer(EventLoop& loop, Endpoint endpoint, Credentials credentials, ConsumerOptions options,
                   std::vector<std::string> iterators, Verdict* verdict, Totals& totals)
    : loop_(loop),
      signer_(std::move(credentials), endpoint.authority()),
      options_(options),
      verdict_(verdict),
      totals_(totals) {
  for (std::uint32_t i = 0; i < options.connections; ++i) {
    connections_.push_back(std::make_unique<HttpConnection>(loop, endpoint));
  }
  for (std::string& iterator : iterators) shards_.push_back({shards_.size(), std::move(iterator)});
}

void Consumer::start() {
  for (Shard& shard : shards_) poll(shard);
}

bool Consumer::at_tip() const {
  return std::ranges::all_of(shards_, [](const Shard& shard) { return shard.at_tip; });
}

void Consumer::poll(Shard& shard) {
  if (shard.iterator.empty()) return;
  const auto body = std::make_shared<const std::string>(
      fmt::format(R"({{"ShardIterator":"{}","Limit":{}}})", shard.iterator, options_.records_max));
  HttpConnection& connection = *connections_[shard.index % connections_.size()];
  connection.send(signer_.head("GetRecords", *body, now_us()), body,
                  [this, &shard](int status, std::string_view answer) { answered(shard, status, answer); });
}

void Consumer::answered(Shard& shard, int status, std::string_view answer) {
  ++totals_.get_requests;
  if (status != 200) {
    totals_.count_error(status, answer);
    return loop_.at(now_us() + kPollAfterErrorUs, [this, &shard] { poll(shard); });
  }
  take_records(shard, answer);
  totals_.get_body_bytes += answer.size();
  // It stands behind the records or before them; looked for from the end it is found at once in either case.
  constexpr std::string_view kNext = R"("NextShardIterator":)";
  const std::size_t next = std::min(answer.rfind(kNext), answer.size());
  shard.iterator = string_field(answer.substr(next), "NextShardIterator");
  shard.at_tip = shard.iterator.empty() || !behind(answer);
  if (!shard.at_tip) return poll(shard);
  loop_.at(now_us() + options_.poll_us, [this, &shard] { poll(shard); });
}

void Consumer::take_records(const Shard& shard, std::string_view answer) {
  const std::int64_t now = now_us();
  const char* at = answer.data();
  const char* const end = answer.data() + answer.size();
  std::uint64_t count = 0;
  std::array<char, kStampBase64Bytes + 64> coded;   // with the slack that the kernel may read
  std::array<std::uint8_t, kStampBytes + 64> text;  // and that it may overwrite
  for (;; ++count) {
    const auto left = static_cast<std::size_t>(end - at);
    at = static_cast<const char*>(memmem(at, left, kData.data(), kData.size()));
    if (at == nullptr) break;
    at += kData.size();
    const auto* quote = static_cast<const char*>(std::memchr(at, '"', static_cast<std::size_t>(end - at)));
    if (quote == nullptr) break;
    const std::string_view data(at, quote);
    totals_.get_bytes += data.size() / 4 * 3 - (data.ends_with("==") ? 2 : data.ends_with('=') ? 1 : 0);
    at = quote;
    if (verdict_ == nullptr) continue;
    std::optional<Stamp> stamp;
    if (data.size() >= kStampBase64Bytes) {
      data.copy(coded.data(), kStampBase64Bytes);
      if (base64_decode({coded.data(), kStampBase64Bytes}, text.data()))
        stamp = read_stamp(as_text(text).data());
    }
    if (!stamp) {
      verdict_->received_foreign();
      continue;
    }
    verdict_->received(*stamp, shard.index);
    totals_.end_to_end_us.add(now - stamp->due_us);
  }
  totals_.get_records += count;
}

}  // namespace millrace::load
