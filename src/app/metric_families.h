// app/metric_families.h: the families of one page of metrics, as they are gathered.
#pragma once

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "base/latency_counts.h"

namespace millrace::app {

using MetricLabels = std::vector<prometheus::ClientMetric::Label>;

inline prometheus::ClientMetric counted(MetricLabels labels, double value) {
  prometheus::ClientMetric metric;
  metric.label = std::move(labels);
  metric.counter.value = value;
  return metric;
}

inline prometheus::ClientMetric gauged(MetricLabels labels, double value) {
  prometheus::ClientMetric metric;
  metric.label = std::move(labels);
  metric.gauge.value = value;
  return metric;
}

// A histogram counts, in each bucket, all that was no slower than its end; our counters count each once.
inline prometheus::ClientMetric latency(MetricLabels labels, const LatencySums& sums) {
  prometheus::ClientMetric metric;
  metric.label = std::move(labels);
  for (std::size_t bucket = 0; bucket < sums.counts.size(); ++bucket) {
    metric.histogram.sample_count += sums.counts[bucket];
    const bool last = bucket + 1 == sums.counts.size();
    metric.histogram.bucket.push_back(
        {metric.histogram.sample_count, last ? std::numeric_limits<double>::infinity()
                                             : static_cast<double>(latency_bucket_us(bucket)) / 1e6});
  }
  metric.histogram.sample_sum = static_cast<double>(sums.sum_us) / 1e6;
  return metric;
}

class MetricFamilies {
 public:
  template <typename Number>
  void counter(std::string name, std::string help, Number value) {
    families_.push_back({std::move(name),
                         std::move(help),
                         prometheus::MetricType::Counter,
                         {counted({}, static_cast<double>(value))}});
  }
  template <typename Number>
  void gauge(std::string name, std::string help, Number value, MetricLabels labels = {}) {
    families_.push_back({std::move(name),
                         std::move(help),
                         prometheus::MetricType::Gauge,
                         {gauged(std::move(labels), static_cast<double>(value))}});
  }
  void add(prometheus::MetricFamily family) { families_.push_back(std::move(family)); }
  std::string text() const { return prometheus::TextSerializer{}.Serialize(families_); }

 private:
  std::vector<prometheus::MetricFamily> families_;
};

}  // namespace millrace::app
