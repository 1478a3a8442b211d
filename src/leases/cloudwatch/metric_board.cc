#include "leases/cloudwatch/metric_board.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace millrace::leases::cloudwatch {
namespace {

bool is_own(const MetricName& metric) { return metric.name_space.starts_with("AWS/"); }

}  // namespace

void Statistics::add(const Statistics& other) {
  count += other.count;
  sum += other.sum;
  min = std::min(min, other.min);
  max = std::max(max, other.max);
}

MetricBoard::Kind& MetricBoard::kind_of(const MetricName& metric) { return kinds_[is_own(metric) ? 1 : 0]; }

std::uint64_t MetricBoard::memory_bytes(const MetricName& metric) {
  constexpr std::uint64_t kNodeBytes = 48;  // of a map, beside what stands in it
  std::uint64_t bytes =
      kNodeBytes + sizeof(MetricName) + metric.name_space.capacity() + metric.name.capacity();
  for (const auto& [name, value] : metric.dimensions)
    bytes += kNodeBytes + 2 * sizeof(std::string) + name.capacity() + value.capacity();
  return bytes;
}

std::uint64_t MetricBoard::memory_bytes(const Series& series) {
  return sizeof(Series) + series.unit.capacity() + series.minutes.capacity() * sizeof(Minute);
}

void MetricBoard::count(Kind& kind, std::uint64_t before, std::uint64_t after) {
  kind.bytes += after - before;
  share_->change(before, after);
}

void MetricBoard::erase(std::map<MetricName, Series>::iterator metric) {
  Kind& kind = kind_of(metric->first);
  --kind.size;
  count(kind, memory_bytes(metric->first) + memory_bytes(metric->second), 0);
  metrics_.erase(metric);
}

// Of what was silent a part goes at once, and where nothing was, nobody looks again within the minute: else
// each new metric would walk them all.
bool MetricBoard::make_room(const MetricName& metric, std::uint64_t bytes, std::int64_t now_minute) {
  constexpr std::size_t kPart = 16;
  Kind& kind = kind_of(metric);
  const auto fits = [&](std::size_t size_left, std::uint64_t bytes_left) {
    return kind.size + size_left < kMetricsMax && kind.bytes + bytes + bytes_left <= kind_bytes_max();
  };
  if (fits(0, 0)) return true;
  if (kind.crowded_minute == now_minute) return false;
  std::vector<std::map<MetricName, Series>::iterator> silent;
  for (auto at = metrics_.begin(); at != metrics_.end(); ++at)
    if (is_own(at->first) == is_own(metric) && at->second.minutes.back().minute < now_minute - 1)
      silent.push_back(at);
  std::stable_sort(silent.begin(), silent.end(), [](const auto& a, const auto& b) {
    return a->second.minutes.back().minute < b->second.minutes.back().minute;
  });
  for (const auto at : silent) {
    if (fits(kMetricsMax / kPart - 1, kind_bytes_max() / kPart)) break;
    erase(at);
  }
  if (fits(0, 0)) return true;
  kind.crowded_minute = now_minute;
  return false;
}

// What has nothing left that is kept. Once a minute.
void MetricBoard::sweep(std::int64_t now_minute) {
  if (std::exchange(swept_minute_, now_minute) == now_minute) return;
  for (auto at = metrics_.begin(); at != metrics_.end();) {
    const auto next = std::next(at);
    if (at->second.minutes.back().minute <= now_minute - kMinutesKept) erase(at);
    at = next;
  }
}

void MetricBoard::add(const MetricName& metric, const std::string& unit, std::int64_t at_s,
                      const Statistics& statistics, std::int64_t now_s) {
  const std::int64_t minute = at_s / 60;
  const std::int64_t now_minute = now_s / 60;
  if (minute > now_minute + 1 || minute <= now_minute - kMinutesKept) return;
  sweep(now_minute);
  auto found = metrics_.find(metric);
  Kind& kind = kind_of(metric);
  if (found == metrics_.end()) {
    const std::uint64_t first_bytes = sizeof(Series) + unit.size() + sizeof(Minute);
    if (!make_room(metric, memory_bytes(metric) + first_bytes, now_minute)) return;
    found = metrics_.try_emplace(metric).first;
    ++kind.size;
    count(kind, 0, memory_bytes(found->first) + memory_bytes(found->second));
  }
  Series& series = found->second;
  const std::uint64_t before = memory_bytes(series);
  series.unit = unit;
  auto& minutes = series.minutes;
  const auto at =
      std::lower_bound(minutes.begin(), minutes.end(), minute,
                       [](const Minute& kept, std::int64_t wanted) { return kept.minute < wanted; });
  if (at != minutes.end() && at->minute == minute)
    at->statistics.add(statistics);
  else
    minutes.insert(at, {minute, statistics});
  const auto first_kept = std::find_if(minutes.begin(), minutes.end(), [now_minute](const Minute& kept) {
    return kept.minute > now_minute - kMinutesKept;
  });
  minutes.erase(minutes.begin(), first_kept);
  count(kind, before, memory_bytes(series));
  if (kind.bytes <= kind_bytes_max() || minutes.size() == 1) return;
  const std::uint64_t too_many = memory_bytes(series);
  minutes.erase(minutes.begin(), minutes.begin() + static_cast<std::ptrdiff_t>(minutes.size() / 2));
  minutes.shrink_to_fit();
  count(kind, too_many, memory_bytes(series));
}

std::vector<MetricBoard::Point> MetricBoard::read(const MetricName& metric, const std::string& unit,
                                                  std::int64_t begin_s, std::int64_t end_s,
                                                  std::int64_t period_s) const {
  std::vector<Point> points;
  const auto found = metrics_.find(metric);
  if (found == metrics_.end() || (!unit.empty() && found->second.unit != unit)) return points;
  begin_s -= begin_s % period_s;  // periods begin where the clock says
  for (const Minute& minute : found->second.minutes) {
    const std::int64_t at_s = minute.minute * 60;
    if (at_s < begin_s || at_s >= end_s) continue;
    const std::int64_t period_begin_s = at_s - at_s % period_s;
    if (points.empty() || points.back().at_s != period_begin_s) points.push_back({period_begin_s, {}});
    points.back().statistics.add(minute.statistics);
  }
  return points;
}

std::string MetricBoard::unit_of(const MetricName& metric) const {
  const auto found = metrics_.find(metric);
  return found == metrics_.end() ? "None" : found->second.unit;
}

void MetricBoard::each(const std::optional<MetricName>& after,
                       const std::function<bool(const MetricName&)>& visit) const {
  auto at = after.has_value() ? metrics_.upper_bound(*after) : metrics_.begin();
  for (; at != metrics_.end(); ++at)
    if (!visit(at->first)) return;
}

}  // namespace millrace::leases::cloudwatch
