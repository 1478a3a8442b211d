// source: the comments of @aws-sdk/client-kinesis and the developer guide's pages on large records and
// service-managed record distribution. Texts that neither gives are ours.
#include "kinesis/stream_settings.h"

#include <fmt/format.h>

#include <algorithm>

namespace millrace::kinesis {
namespace {

constexpr std::int64_t kServiceMaxRecordKiB = 10'240;
constexpr std::int32_t kWarmThroughputMax = 10'240;  // MiB/s

}  // namespace

Outcome check_max_record_size(const Call& call, std::int32_t kib) {
  const std::int64_t server_kib = call.options.max_record_bytes / 1'024;
  const std::int64_t max_kib = std::max(kServiceMaxRecordKiB, server_kib);
  if (kib > max_kib)
    return validation(fmt::format(
        "1 validation error detected: Value '{}' at 'maxRecordSizeInKiB' failed to satisfy constraint: "
        "Member must have value less than or equal to {}",
        kib, max_kib));
  // The limit of all streams is the server's: more than it takes cannot be promised.
  if (kib > server_kib)
    return invalid_argument(
        fmt::format("MaxRecordSizeInKiB {} is above what this server takes, {}.", kib, server_kib));
  return std::nullopt;
}

std::int64_t max_record_bytes(const Call& call, const broker::Stream& stream) {
  if (stream.max_record_kib == 0) return call.options.max_record_bytes;
  return std::min(stream.max_record_kib * 1'024, call.options.max_record_bytes);
}

Outcome check_warm_throughput(const Call& call, std::int32_t mibps, bool on_demand,
                              std::string_view stream_name) {
  if (!on_demand)
    return invalid_argument(fmt::format(
        "WarmThroughputMiBps is only supported for on-demand streams. Stream {} is using PROVISIONED mode.",
        stream_name));
  if (mibps > kWarmThroughputMax)
    return limit_exceeded(fmt::format("WarmThroughputMiBps {} exceeds the limit of {} MiB per second.", mibps,
                                      kWarmThroughputMax));
  // Nobody is billed here, so that it is asked for only where the service's limits are wanted.
  if (call.broker.options().aws_limits && !is_committed(*call.broker.catalog(), call.clock.wall_ms()))
    return invalid_argument(
        fmt::format("WarmThroughputMiBps requires MinimumThroughputBillingCommitment to be enabled for "
                    "account {}.",
                    call.account()));
  return std::nullopt;
}

void write_warm_throughput(const broker::Stream& stream, std::int64_t target_mibps, Writer& writer) {
  writer.begin_object();
  writer.member("TargetMiBps", target_mibps);
  writer.member("CurrentMiBps", static_cast<std::int64_t>(stream.open_shards.size()));
  writer.end_object();
}

Outcome check_distribution(std::string_view strategy, bool on_demand, std::string_view stream_name) {
  if (on_demand || strategy != "AUTO") return std::nullopt;
  return invalid_argument(fmt::format(
      "RecordDistributionStrategy=AUTO is only supported for on-demand streams. Stream {} is using "
      "PROVISIONED mode.",
      stream_name));
}

bool is_committed(const broker::Catalog& catalog, std::int64_t now_ms) {
  return catalog.commitment.has_value() &&
         (!catalog.commitment->ends_ms.has_value() || *catalog.commitment->ends_ms > now_ms);
}

}  // namespace millrace::kinesis
