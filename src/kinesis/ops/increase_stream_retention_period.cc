// source: AWS Kinesis API reference, IncreaseStreamRetentionPeriod; texts as recorded by kinesalite's tests

#include <fmt/format.h>

#include "kinesis/operation.h"
#include "kinesis/retention.h"

namespace millrace::kinesis::increase_stream_retention_period {
namespace {

struct IncreaseStreamRetentionPeriodRequest : StreamRef {
  std::int32_t hours = 0;
};

constexpr Field kFields[] = {
    field<IncreaseStreamRetentionPeriodRequest, &IncreaseStreamRetentionPeriodRequest::hours>(
        "RetentionPeriodHours", {.min = kRetentionForEver}),
    stream_name<IncreaseStreamRetentionPeriodRequest>(),
    stream_arn<IncreaseStreamRetentionPeriodRequest>(),
    stream_id<IncreaseStreamRetentionPeriodRequest>(),
};

Task<Outcome> run(Call& call, IncreaseStreamRetentionPeriodRequest request) {
  auto result = find_stream(call, request);
  if (auto* error = std::get_if<ApiError>(&result); error != nullptr) co_return std::move(*error);
  const FoundStream& found = *std::get_if<FoundStream>(&result);
  const std::int64_t before = found.stream->retention_hours;
  if (request.hours != kRetentionForEver)
    if (Outcome wrong = check_retention(request.hours); wrong.has_value()) co_return wrong;
  if (request.hours != kRetentionForEver && (before == kRetentionForEver || before > request.hours))
    co_return invalid_argument(
        fmt::format("Requested retention period ({} hours) for stream {} can not be shorter than existing "
                    "retention period ({} "
                    "hours). Use DecreaseRetentionPeriod API.",
                    request.hours, found.place.name, before));
  Task<Outcome> setting = set_retention(call, found, request.hours);
  Outcome outcome = co_await std::move(setting);
  co_return outcome;
}

}  // namespace

extern const Operation kIncreaseStreamRetentionPeriod;
const Operation kIncreaseStreamRetentionPeriod =
    operation<IncreaseStreamRetentionPeriodRequest, kFields, run>("IncreaseStreamRetentionPeriod");

}  // namespace millrace::kinesis::increase_stream_retention_period
