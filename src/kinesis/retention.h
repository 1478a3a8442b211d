// kinesis/retention.h: what RetentionPeriodHours can be, and the service's words where it cannot. They were
// recorded by kinesalite's tests (too short) and by moto's (too long).
#pragma once

#include <cstdint>

#include "broker/catalog.h"
#include "kinesis/call.h"
#include "kinesis/protocol.h"
#include "kinesis/stream_ref.h"

namespace millrace::kinesis {

inline constexpr std::int64_t kRetentionHoursMin = 24;
using broker::kRetentionHoursMax;
inline constexpr std::int64_t kRetentionForEver = -1;  // our own: IncreaseStreamRetentionPeriod takes it

Outcome check_retention(std::int64_t hours);
// What is left to do once the hours were found good: nothing where they are the stream's already. `call` is
// borrowed until it ends.
Task<Outcome> set_retention(Call& call, FoundStream found, std::int32_t hours);

}  // namespace millrace::kinesis
