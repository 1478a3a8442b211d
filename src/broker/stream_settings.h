// broker/stream_settings.h: what a stream's owner can set of it, beside shards, retention and tags.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::broker {

// A stream on demand has at least so many shards when it begins, and when its warm throughput falls.
inline constexpr std::uint32_t kOnDemandShards = 4;

// What to change of a stream; what is absent stays. Meanings as in Stream.
struct StreamSettings {
  std::optional<bool> on_demand;                      // passes kUpdating
  std::optional<std::int64_t> warm_throughput_mibps;  // passes kUpdating; shards follow it, one a MiB/s
  std::optional<std::int64_t> max_record_kib;
  std::optional<bool> auto_distribution;
  std::vector<std::string> enabled_metrics;  // one by one, of the service's names
  std::vector<std::string> disabled_metrics;
};

// Names of a shard's metrics, in the order in which the service shows them.
inline constexpr std::string_view kShardMetrics[] = {"IncomingBytes",
                                                     "OutgoingRecords",
                                                     "IteratorAgeMilliseconds",
                                                     "IncomingRecords",
                                                     "ReadProvisionedThroughputExceeded",
                                                     "WriteProvisionedThroughputExceeded",
                                                     "OutgoingBytes"};
// `before` with and without these: in the service's order, each once.
std::vector<std::string> change_metrics(const std::vector<std::string>& before,
                                        const std::vector<std::string>& enabled,
                                        const std::vector<std::string>& disabled);

}  // namespace millrace::broker
