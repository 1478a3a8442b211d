// kinesis/retention.h: what RetentionPeriodHours can be, and the service's words where it cannot. They were
// recorded by kinesalite's tests (too short) and by moto's (too long).
#pragma once

#include <fmt/format.h>

#include <cstdint>

#include "kinesis/protocol.h"

namespace millrace::kinesis {

inline constexpr std::int64_t kRetentionHoursMin = 24;
inline constexpr std::int64_t kRetentionHoursMax = 8'760;
inline constexpr std::int64_t kRetentionForEver = -1;  // our own: IncreaseStreamRetentionPeriod takes it

inline Outcome check_retention(std::int64_t hours) {
  const bool is_short = hours < kRetentionHoursMin;
  if (!is_short && hours <= kRetentionHoursMax) return std::nullopt;
  return invalid_argument(
      fmt::format("{} allowed retention period is {} hours. Requested retention period ({} hours) is too {}.",
                  is_short ? "Minimum" : "Maximum", is_short ? kRetentionHoursMin : kRetentionHoursMax, hours,
                  is_short ? "short" : "long"));
}

}  // namespace millrace::kinesis
