// kinesis/metric_names.h: the metrics of namespace AWS/Kinesis, as the service names them.
// source: Kinesis Data Streams developer guide, "Monitoring … with Amazon CloudWatch"
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string_view>

namespace millrace::kinesis {

inline constexpr std::string_view kMetricNamespace = "AWS/Kinesis";

struct MetricLabel {
  std::string_view name;
  std::string_view unit;
  double scale = 1;  // what is counted times this is in `unit`
};

inline constexpr double kUsInMs = 0.001;

// Of a stream; dimension StreamName.
enum class StreamMetric : std::uint8_t {
  kIncomingBytes,
  kIncomingRecords,
  kGetRecordsBytes,
  kGetRecordsRecords,
  kGetRecordsLatency,
  kGetRecordsSuccess,
  kGetRecordsAge,
  kPutRecordBytes,
  kPutRecordLatency,
  kPutRecordSuccess,
  kPutRecordsBytes,
  kPutRecordsLatency,
  kPutRecordsSuccess,
  kPutRecordsRecords,
  kPutRecordsTotal,
  kPutRecordsSuccessful,
  kPutRecordsFailed,
  kPutRecordsThrottled,
  kReadExceeded,
  kWriteExceeded,
};
inline constexpr MetricLabel kStreamMetricLabels[] = {
    {"IncomingBytes", "Bytes"},
    {"IncomingRecords", "Count"},
    {"GetRecords.Bytes", "Bytes"},
    {"GetRecords.Records", "Count"},
    {"GetRecords.Latency", "Milliseconds", kUsInMs},
    {"GetRecords.Success", "Count"},
    {"GetRecords.IteratorAgeMilliseconds", "Milliseconds"},
    {"PutRecord.Bytes", "Bytes"},
    {"PutRecord.Latency", "Milliseconds", kUsInMs},
    {"PutRecord.Success", "Count"},
    {"PutRecords.Bytes", "Bytes"},
    {"PutRecords.Latency", "Milliseconds", kUsInMs},
    {"PutRecords.Success", "Count"},
    {"PutRecords.Records", "Count"},  // older than SuccessfulRecords, and the same
    {"PutRecords.TotalRecords", "Count"},
    {"PutRecords.SuccessfulRecords", "Count"},
    {"PutRecords.FailedRecords", "Count"},
    {"PutRecords.ThrottledRecords", "Count"},
    {"ReadProvisionedThroughputExceeded", "Count"},
    {"WriteProvisionedThroughputExceeded", "Count"},
};
inline constexpr std::size_t kStreamMetricCount = std::size(kStreamMetricLabels);
static_assert(kStreamMetricCount == static_cast<std::size_t>(StreamMetric::kWriteExceeded) + 1);

// Of a shard, where its stream's owner enabled them; dimensions StreamName and ShardId.
enum class ShardMetric : std::uint8_t {
  kIncomingBytes,
  kIncomingRecords,
  kAge,
  kOutgoingBytes,
  kOutgoingRecords,
  kReadExceeded,
  kWriteExceeded,
};
inline constexpr MetricLabel kShardMetricLabels[] = {
    {"IncomingBytes", "Bytes"},
    {"IncomingRecords", "Count"},
    {"IteratorAgeMilliseconds", "Milliseconds"},
    {"OutgoingBytes", "Bytes"},
    {"OutgoingRecords", "Count"},
    {"ReadProvisionedThroughputExceeded", "Count"},
    {"WriteProvisionedThroughputExceeded", "Count"},
};
inline constexpr std::size_t kShardMetricCount = std::size(kShardMetricLabels);
static_assert(kShardMetricCount == static_cast<std::size_t>(ShardMetric::kWriteExceeded) + 1);

// Of a consumer; dimensions StreamName and ConsumerName.
enum class ConsumerMetric : std::uint8_t {
  kRateExceeded,
  kSuccess,
  kEventBytes,
  kEventBehind,
  kEventRecords,
  kEventSuccess,
};
inline constexpr MetricLabel kConsumerMetricLabels[] = {
    {"SubscribeToShard.RateExceeded", "Count"}, {"SubscribeToShard.Success", "Count"},
    {"SubscribeToShardEvent.Bytes", "Bytes"},   {"SubscribeToShardEvent.MillisBehindLatest", "Milliseconds"},
    {"SubscribeToShardEvent.Records", "Count"}, {"SubscribeToShardEvent.Success", "Count"},
};
inline constexpr std::size_t kConsumerMetricCount = std::size(kConsumerMetricLabels);
static_assert(kConsumerMetricCount == static_cast<std::size_t>(ConsumerMetric::kEventSuccess) + 1);

}  // namespace millrace::kinesis
