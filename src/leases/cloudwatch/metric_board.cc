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

void MetricBoard::erase(std::map<MetricName, Series>::iterator metric) {
  --kind_of(metric->first).size;
  metrics_.erase(metric);
}

// Of what was silent a part goes at once, and where nothing was, nobody looks again within the minute: else
// each new metric would walk them all.
bool MetricBoard::make_room(const MetricName& metric, std::int64_t now_minute) {
  constexpr std::size_t kPart = 16;
  Kind& kind = kind_of(metric);
  if (kind.size < kMetricsMax) return true;
  if (kind.crowded_minute == now_minute) return false;
  std::vector<std::map<MetricName, Series>::iterator> silent;
  for (auto at = metrics_.begin(); at != metrics_.end(); ++at)
    if (is_own(at->first) == is_own(metric) && at->second.minutes.back().minute < now_minute - 1)
      silent.push_back(at);
  if (silent.empty()) {
    kind.crowded_minute = now_minute;
    return false;
  }
  std::sort(silent.begin(), silent.end(), [](const auto& a, const auto& b) {
    return a->second.minutes.back().minute < b->second.minutes.back().minute;
  });
  silent.resize(std::min(silent.size(), kMetricsMax / kPart));
  for (const auto at : silent) erase(at);
  return true;
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
  if (found == metrics_.end()) {
    if (!make_room(metric, now_minute)) return;
    found = metrics_.try_emplace(metric).first;
    ++kind_of(metric).size;
  }
  Series& series = found->second;
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
