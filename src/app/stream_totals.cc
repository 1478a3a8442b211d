#include "app/stream_totals.h"

#include <algorithm>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "base/clock.h"

namespace millrace::app {
namespace {

constexpr std::int64_t kChooseEveryNs = 600 * kNsPerS;
// A stream has to be so much busier than one that is shown to take its place.
constexpr std::uint64_t kAdvantage = 2;

// Where the sums of a reading's figures go; nullptr: /metrics does not show it.
std::uint64_t StreamTotal::*place_of(std::string_view metric) {
  if (metric == "IncomingBytes") return &StreamTotal::in_bytes;
  if (metric == "IncomingRecords") return &StreamTotal::in_records;
  if (metric == "GetRecords.Bytes" || metric == "SubscribeToShardEvent.Bytes") return &StreamTotal::out_bytes;
  if (metric == "GetRecords.Records" || metric == "SubscribeToShardEvent.Records")
    return &StreamTotal::out_records;
  if (metric == "WriteProvisionedThroughputExceeded") return &StreamTotal::throttled_records;
  if (metric == "PutRecords.FailedRecords") return &StreamTotal::failed_records;
  return nullptr;
}

// Of PutRecord: what neither succeeded nor was throttled.
std::uint64_t failed_puts(const kinesis::MeterReading& reading) {
  using kinesis::StreamMetric;
  const auto figure = [&](StreamMetric metric) -> const kinesis::Figure& {
    return reading.figures[static_cast<std::size_t>(metric)];
  };
  const kinesis::Figure& success = figure(StreamMetric::kPutRecordSuccess);
  const std::uint64_t throttled =
      figure(StreamMetric::kWriteExceeded).sum - figure(StreamMetric::kPutRecordsThrottled).sum;
  const std::uint64_t others = success.count - success.sum;
  return others - std::min(others, throttled);
}

}  // namespace

void StreamTotals::add(const kinesis::MeterReading& reading) {
  if (reading.shard.has_value()) return;  // its stream has it too
  if (shown_.size() < kShownMax)
    shown_.try_emplace(reading.stream_id);  // nobody may have asked for a page yet
  const auto found = shown_.find(reading.stream_id);
  StreamTotal& total = found == shown_.end() ? rest_ : found->second;
  std::uint64_t& recent = recent_bytes_[reading.stream_id];
  if (reading.consumer.empty()) total.failed_records += failed_puts(reading);
  for (std::size_t i = 0; i < reading.labels.size(); ++i) {
    std::uint64_t StreamTotal::*const place = place_of(reading.labels[i].name);
    if (place == nullptr) continue;
    total.*place += reading.figures[i].sum;
    if (place == &StreamTotal::in_bytes || place == &StreamTotal::out_bytes) recent += reading.figures[i].sum;
  }
}

void StreamTotals::follow(const broker::Catalog& catalog, std::int64_t now_ns) {
  std::unordered_set<std::uint64_t> exist;
  for (const auto& [name, stream] : catalog.streams) exist.insert(stream->id);
  std::erase_if(shown_, [&](const auto& each) { return !exist.contains(each.first); });
  std::erase_if(recent_bytes_, [&](const auto& each) { return !exist.contains(each.first); });
  for (const std::uint64_t id : exist) recent_bytes_.try_emplace(id, 0);
  if (shown_.size() == std::min(kShownMax, exist.size()) && now_ns - chosen_ns_ < kChooseEveryNs) return;
  chosen_ns_ = now_ns;
  choose();
}

void StreamTotals::choose() {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranked;  // score and id
  for (auto& [id, bytes] : recent_bytes_) {
    ranked.emplace_back(shown_.contains(id) ? bytes * kAdvantage + 1 : bytes, id);
    bytes /= 2;
  }
  const auto end = ranked.begin() + static_cast<std::ptrdiff_t>(std::min(kShownMax, ranked.size()));
  std::partial_sort(ranked.begin(), end, ranked.end(),
                    [](const auto& a, const auto& b) { return a.first > b.first; });
  std::unordered_map<std::uint64_t, StreamTotal> chosen;
  for (auto each = ranked.begin(); each != end; ++each) {
    const auto before = shown_.find(each->second);
    chosen.emplace(each->second, before == shown_.end() ? StreamTotal{} : before->second);
  }
  shown_.swap(chosen);
}

const StreamTotal* StreamTotals::shown(std::uint64_t stream_id) const {
  const auto found = shown_.find(stream_id);
  return found == shown_.end() ? nullptr : &found->second;
}

}  // namespace millrace::app
