// source: AWS Kinesis API reference, DecreaseStreamRetentionPeriod; texts as recorded by kinesalite's tests

#include <fmt/format.h>

#include "kinesis/operation.h"
#include "kinesis/retention.h"

namespace millrace::kinesis::decrease_stream_retention_period {
namespace {

struct DecreaseStreamRetentionPeriodRequest : StreamRef {
  std::int32_t hours = 0;
};

constexpr Field kFields[] = {
    field<DecreaseStreamRetentionPeriodRequest, &DecreaseStreamRetentionPeriodRequest::hours>(
        "RetentionPeriodHours", {.min = 1}),
    stream_name<DecreaseStreamRetentionPeriodRequest>(),
    stream_arn<DecreaseStreamRetentionPeriodRequest>(),
    stream_id<DecreaseStreamRetentionPeriodRequest>(),
};

Task<Outcome> run(Call& call, DecreaseStreamRetentionPeriodRequest request) {
  auto result = find_stream(call, request);
  if (auto* error = std::get_if<ApiError>(&result); error != nullptr) co_return std::move(*error);
  const FoundStream& found = *std::get_if<FoundStream>(&result);
  const std::int64_t before = found.stream->retention_hours;
  if (Outcome wrong = check_retention(request.hours); wrong.has_value()) co_return wrong;
  if (before != kRetentionForEver && before < request.hours)
    co_return invalid_argument(
        fmt::format("Requested retention period ({} hours) for stream {} can not be longer than existing "
                    "retention period ({} "
                    "hours). Use IncreaseRetentionPeriod API.",
                    request.hours, found.place.name, before));
  Task<Outcome> setting = set_retention(call, found, request.hours);
  Outcome outcome = co_await std::move(setting);
  co_return outcome;
}

}  // namespace

extern const Operation kDecreaseStreamRetentionPeriod;
const Operation kDecreaseStreamRetentionPeriod =
    operation<DecreaseStreamRetentionPeriodRequest, kFields, run>("DecreaseStreamRetentionPeriod");

}  // namespace millrace::kinesis::decrease_stream_retention_period
