// kinesis/stream_settings.h: what CreateStream and the operations that change a stream's settings have in
// common: fields, checks, texts.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "broker/catalog.h"
#include "kinesis/call.h"
#include "kinesis/protocol.h"
#include "kinesis/stream_ref.h"

namespace millrace::kinesis {

inline constexpr std::string_view kStreamModes[] = {"PROVISIONED", "ON_DEMAND"};
inline constexpr std::string_view kDistributionStrategies[] = {"AUTO", "USER_PARTITION_KEY"};
inline constexpr Rules kDistributionRules = {.allowed = kDistributionStrategies,
                                             .allowed_count = std::size(kDistributionStrategies)};

struct StreamModeDetails {
  std::string mode;
  bool on_demand() const { return mode == "ON_DEMAND"; }
  static std::span<const Field> fields() {
    static constexpr Field kModeFields[] = {field<StreamModeDetails, &StreamModeDetails::mode>(
        "StreamMode", {.allowed = kStreamModes, .allowed_count = std::size(kStreamModes)})};
    return kModeFields;
  }
};

// The service's default for an account; held under --limits aws only.
inline constexpr std::int64_t kOnDemandStreamsMax = 50;

// Bounds of MaxRecordSizeInKiB. The service's upper one is 10 MiB, where the server does not take more.
inline constexpr std::int32_t kMaxRecordKiBMin = 1'024;
// errors   ValidationException over the service's bound; InvalidArgumentException over the server's own
Outcome check_max_record_size(const Call& call, std::int32_t kib);
// What a stream takes of a record's data, in bytes: its own limit, or the server's.
std::int64_t max_record_bytes(const Call& call, const broker::Stream& stream);

// Whether a stream of that mode may have this warm throughput.
// errors   InvalidArgumentException; LimitExceededException over 10 GiB/s
Outcome check_warm_throughput(const Call& call, std::int32_t mibps, bool on_demand,
                              std::string_view stream_name);
// {"TargetMiBps":…,"CurrentMiBps":…}: a shard carries 1 MiB/s.
void write_warm_throughput(const broker::Stream& stream, std::int64_t target_mibps, Writer& writer);

// AUTO where the stream is not on demand: InvalidArgumentException.
Outcome check_distribution(std::string_view strategy, bool on_demand, std::string_view stream_name);

// Whether the account is billed for a minimum of throughput at this time.
bool is_committed(const broker::Catalog& catalog, std::int64_t now_ms);

}  // namespace millrace::kinesis
