// kinesis/start_position.h: where in a shard to begin, as GetShardIterator and SubscribeToShard are told it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/task.h"
#include "broker/catalog.h"
#include "kinesis/call.h"
#include "kinesis/protocol.h"
#include "kinesis/stream_ref.h"

namespace millrace::kinesis {

inline constexpr std::string_view kPositionTypes[] = {"AFTER_SEQUENCE_NUMBER", "LATEST", "AT_TIMESTAMP",
                                                      "AT_SEQUENCE_NUMBER", "TRIM_HORIZON"};

struct StartPosition {
  std::string type;  // one of kPositionTypes
  std::optional<std::string> sequence_number;
  std::optional<Timestamp> timestamp;
};

// InvalidArgumentException where `time` is still to come, by the clock of arrivals and the machine's.
Outcome check_not_to_come(const Timestamp& time, const Call& call);

using Offset = std::variant<std::uint64_t, ApiError>;

// operation   as messages name it.   All borrowed until it ends.
// errors      InvalidArgumentException: what is given does not fit together, or is not of this shard.
//             ResourceNotFoundException: the shard is gone
Task<Offset> find_offset(Call& call, std::string_view operation, const StartPosition& position,
                         const broker::Shard& shard, const StreamPlace& place);

}  // namespace millrace::kinesis
