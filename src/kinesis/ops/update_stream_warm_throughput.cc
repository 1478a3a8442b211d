// source: comments of @aws-sdk/client-kinesis, UpdateStreamWarmThroughput

#include <algorithm>

#include "kinesis/operation.h"
#include "kinesis/stream_ref.h"
#include "kinesis/stream_settings.h"

namespace millrace::kinesis::update_stream_warm_throughput {
namespace {

struct UpdateStreamWarmThroughputRequest : StreamRef {
  std::int32_t mibps = 0;
};

constexpr Field kFields[] = {
    stream_name<UpdateStreamWarmThroughputRequest>(),
    stream_arn<UpdateStreamWarmThroughputRequest>(),
    field<UpdateStreamWarmThroughputRequest, &UpdateStreamWarmThroughputRequest::mibps>("WarmThroughputMiBps",
                                                                                        {.min = 0}),
    stream_id<UpdateStreamWarmThroughputRequest>(),
};

Task<Outcome> run(Call& call, UpdateStreamWarmThroughputRequest request) {
  auto result = find_stream(call, request);
  if (auto* error = std::get_if<ApiError>(&result); error != nullptr) co_return std::move(*error);
  const FoundStream& found = *std::get_if<FoundStream>(&result);
  if (found.stream->status != broker::StreamStatus::kActive)
    co_return not_active(found.place, found.stream->status);
  Outcome wrong = check_warm_throughput(call, request.mibps, found.stream->on_demand, found.place.name);
  if (wrong.has_value()) co_return wrong;

  broker::StreamSettings settings;
  settings.warm_throughput_mibps = request.mibps;
  Task<Result<void>> configuring = call.broker.configure_stream(found.place.name, std::move(settings));
  auto configured = co_await std::move(configuring);
  if (!configured.ok() && configured.error().kind == ErrorKind::kLimit) {
    const auto open = static_cast<std::int64_t>(found.stream->open_shards.size());
    co_return over_shard_limit(call,
                               static_cast<std::uint64_t>(std::max<std::int64_t>(request.mibps - open, 0)));
  }
  if (!configured.ok()) co_return command_failed(configured.error(), found.place);

  Writer& writer = call.reply;
  writer.begin_object();
  writer.member("StreamARN", arn_of(call, found.place.name));
  writer.member("StreamName", found.place.name);
  writer.key("WarmThroughput");
  write_warm_throughput(*found.stream, request.mibps, writer);
  writer.end_object();
  co_return std::nullopt;
}

}  // namespace

extern const Operation kUpdateStreamWarmThroughput;
const Operation kUpdateStreamWarmThroughput =
    operation<UpdateStreamWarmThroughputRequest, kFields, run>("UpdateStreamWarmThroughput");

}  // namespace millrace::kinesis::update_stream_warm_throughput
