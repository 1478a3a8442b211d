#include "kinesis/retention.h"

#include <fmt/format.h>

namespace millrace::kinesis {

Outcome check_retention(std::int64_t hours) {
  const bool is_short = hours < kRetentionHoursMin;
  if (!is_short && hours <= kRetentionHoursMax) return std::nullopt;
  return invalid_argument(
      fmt::format("{} allowed retention period is {} hours. Requested retention period ({} hours) is too {}.",
                  is_short ? "Minimum" : "Maximum", is_short ? kRetentionHoursMin : kRetentionHoursMax, hours,
                  is_short ? "short" : "long"));
}

Task<Outcome> set_retention(Call& call, FoundStream found, std::int32_t hours) {
  if (hours == found.stream->retention_hours) co_return std::nullopt;
  if (found.stream->status != broker::StreamStatus::kActive)
    co_return not_active(found.place, found.stream->status);
  Task<Result<void>> setting = call.broker.set_retention(found.place.name, hours);
  auto set = co_await std::move(setting);
  if (!set.ok()) co_return command_failed(set.error(), found.place);
  co_return std::nullopt;
}

}  // namespace millrace::kinesis
