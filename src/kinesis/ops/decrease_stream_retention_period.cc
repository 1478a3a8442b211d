// source: AWS Kinesis API reference, DecreaseStreamRetentionPeriod; texts as recorded by kinesalite's tests

#include <fmt/format.h>

#include "kinesis/operation.h"
#include "kinesis/stream_ref.h"

namespace millrace::kinesis {
namespace {

constexpr std::int64_t kUnlimited = -1;  // as IncreaseStreamRetentionPeriod may have left it

struct DecreaseStreamRetentionPeriodRequest : StreamRef {
  std::int32_t hours = 0;
};

constexpr Field kFields[] = {
    field<DecreaseStreamRetentionPeriodRequest, &DecreaseStreamRetentionPeriodRequest::hours>(
        "RetentionPeriodHours", {.min = 1, .max = 8'760}),
    stream_name<DecreaseStreamRetentionPeriodRequest>(),
    stream_arn<DecreaseStreamRetentionPeriodRequest>(),
};

Task<Outcome> run(Call& call, DecreaseStreamRetentionPeriodRequest request) {
  auto result = find_stream(call, request);
  if (auto* error = std::get_if<ApiError>(&result); error != nullptr) co_return std::move(*error);
  const FoundStream& found = *std::get_if<FoundStream>(&result);
  const std::int64_t before = found.stream->retention_hours;
  if (request.hours < 24)
    co_return invalid_argument(fmt::format(
        "Minimum allowed retention period is 24 hours. Requested retention period ({} hours) is too short.",
        request.hours));
  if (before != kUnlimited && before < request.hours)
    co_return invalid_argument(
        fmt::format("Requested retention period ({} hours) for stream {} can not be longer than existing "
                    "retention period ({} "
                    "hours). Use IncreaseRetentionPeriod API.",
                    request.hours, found.place.name, before));
  if (request.hours == before) co_return std::nullopt;
  if (found.stream->status != broker::StreamStatus::kActive) co_return not_active(found);
  Task<Result<void>> setting = call.broker.set_retention(found.place.name, request.hours);
  auto set = co_await std::move(setting);
  if (!set.ok()) co_return command_failed(set.error(), found.place);
  co_return std::nullopt;
}

}  // namespace

extern const Operation kDecreaseStreamRetentionPeriod;
const Operation kDecreaseStreamRetentionPeriod =
    operation<DecreaseStreamRetentionPeriodRequest, kFields, run>("DecreaseStreamRetentionPeriod");

}  // namespace millrace::kinesis
