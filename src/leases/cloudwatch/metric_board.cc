#include "leases/cloudwatch/metric_board.h"

#include <algorithm>

namespace millrace::leases::cloudwatch {

void Statistics::add(const Statistics& other) {
  count += other.count;
  sum += other.sum;
  min = std::min(min, other.min);
  max = std::max(max, other.max);
}

void MetricBoard::make_room(std::int64_t now_minute) {
  if (metrics_.size() < kMetricsMax) return;
  std::erase_if(metrics_, [now_minute](const auto& metric) {
    return metric.second.minutes.back().minute <= now_minute - kMinutesKept;
  });
  if (metrics_.size() < kMetricsMax) return;
  metrics_.erase(std::min_element(metrics_.begin(), metrics_.end(), [](const auto& a, const auto& b) {
    return a.second.minutes.back().minute < b.second.minutes.back().minute;
  }));
}

void MetricBoard::add(const MetricName& metric, const std::string& unit, std::int64_t at_s,
                      const Statistics& statistics, std::int64_t now_s) {
  const std::int64_t minute = at_s / 60;
  const std::int64_t now_minute = now_s / 60;
  if (minute > now_minute + 1 || minute <= now_minute - kMinutesKept) return;
  if (!metrics_.contains(metric)) make_room(now_minute);
  Series& series = metrics_[metric];
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
