// source: comments of @aws-sdk/client-kinesis, UpdateStreamRecordDistributionStrategy; the text, from the
// developer guide's page on errors of service-managed record distribution

#include "kinesis/operation.h"
#include "kinesis/stream_ref.h"
#include "kinesis/stream_settings.h"

namespace millrace::kinesis::update_stream_record_distribution_strategy {
namespace {

struct UpdateStreamRecordDistributionStrategyRequest {
  std::string stream_arn;
  std::string strategy;
  std::optional<std::string> stream_id;

  Wanted access(Call& call) const { return access_to_resource(call, stream_arn); }
};
using Request = UpdateStreamRecordDistributionStrategyRequest;

constexpr Field kFields[] = {
    stream_arn<Request>(),
    field<Request, &Request::strategy>("RecordDistributionStrategy", kDistributionRules),
    stream_id<Request>(),
};

Task<Outcome> run(Call& call, UpdateStreamRecordDistributionStrategyRequest request) {
  auto result = find_resource(call, request.stream_arn);
  if (auto* error = std::get_if<ApiError>(&result); error != nullptr) co_return std::move(*error);
  const FoundStream& found = *std::get_if<FoundStream>(&result);
  Outcome wrong = check_distribution(request.strategy, found.stream->on_demand, found.place.name);
  if (wrong.has_value()) co_return wrong;
  if (found.stream->status != broker::StreamStatus::kActive)
    co_return not_active(found.place, found.stream->status);

  broker::StreamSettings settings;
  settings.auto_distribution = request.strategy == "AUTO";
  Task<Result<void>> configuring = call.broker.configure_stream(found.place.name, std::move(settings));
  auto configured = co_await std::move(configuring);
  if (!configured.ok()) co_return command_failed(configured.error(), found.place);
  co_return std::nullopt;
}

}  // namespace

extern const Operation kUpdateStreamRecordDistributionStrategy;
const Operation kUpdateStreamRecordDistributionStrategy =
    operation<UpdateStreamRecordDistributionStrategyRequest, kFields, run>(
        "UpdateStreamRecordDistributionStrategy");

}  // namespace millrace::kinesis::update_stream_record_distribution_strategy
