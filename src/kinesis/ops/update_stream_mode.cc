// source: comments of @aws-sdk/client-kinesis, UpdateStreamMode

#include <fmt/format.h>

#include "kinesis/operation.h"
#include "kinesis/stream_ref.h"
#include "kinesis/stream_settings.h"

namespace millrace::kinesis::update_stream_mode {
namespace {

struct UpdateStreamModeRequest {
  std::string stream_arn;
  StreamModeDetails mode_details;
  std::optional<std::int32_t> warm_throughput_mibps;
  std::optional<std::string> stream_id;

  Wanted access(Call& call) const { return access_to_resource(call, stream_arn); }
};

constexpr Field kFields[] = {
    stream_arn<UpdateStreamModeRequest>(),
    field<UpdateStreamModeRequest, &UpdateStreamModeRequest::mode_details>("StreamModeDetails"),
    field<UpdateStreamModeRequest, &UpdateStreamModeRequest::warm_throughput_mibps>("WarmThroughputMiBps",
                                                                                    {.min = 0}),
    stream_id<UpdateStreamModeRequest>(),
};

Task<Outcome> run(Call& call, UpdateStreamModeRequest request) {
  auto result = find_resource(call, request.stream_arn);
  if (auto* error = std::get_if<ApiError>(&result); error != nullptr) co_return std::move(*error);
  const FoundStream& found = *std::get_if<FoundStream>(&result);
  if (found.stream->status != broker::StreamStatus::kActive)
    co_return not_active(found.place, found.stream->status);
  const bool on_demand = request.mode_details.on_demand();
  if (request.warm_throughput_mibps.has_value()) {
    Outcome wrong = check_warm_throughput(call, *request.warm_throughput_mibps, on_demand, found.place.name);
    if (wrong.has_value()) co_return wrong;
  }
  if (!on_demand && found.stream->auto_distribution)
    co_return invalid_argument(
        fmt::format("RecordDistributionStrategy=AUTO is only supported for on-demand streams. Set it to "
                    "USER_PARTITION_KEY on stream {} before PROVISIONED mode.",
                    found.place.name));
  // Terraform asks for the mode that it is in.
  if (on_demand == found.stream->on_demand && !request.warm_throughput_mibps.has_value())
    co_return std::nullopt;

  broker::StreamSettings settings;
  settings.on_demand = on_demand;
  settings.warm_throughput_mibps = request.warm_throughput_mibps;
  Task<Result<void>> configuring = call.broker.configure_stream(found.place.name, std::move(settings));
  auto configured = co_await std::move(configuring);
  if (configured.ok()) co_return std::nullopt;
  if (configured.error().kind == ErrorKind::kLimit)
    co_return over_shard_limit(call, static_cast<std::uint64_t>(*request.warm_throughput_mibps));
  co_return command_failed(configured.error(), found.place);
}

}  // namespace

extern const Operation kUpdateStreamMode;
const Operation kUpdateStreamMode = operation<UpdateStreamModeRequest, kFields, run>("UpdateStreamMode");

}  // namespace millrace::kinesis::update_stream_mode
