// source: AWS Kinesis API reference, CreateStream; texts as recorded by kinesalite's tests

#include <fmt/format.h>

#include <algorithm>

#include "kinesis/operation.h"
#include "kinesis/stream_ref.h"
#include "kinesis/stream_settings.h"
#include "kinesis/stream_tags.h"

namespace millrace::kinesis::create_stream {
namespace {

struct CreateStreamRequest {
  std::optional<std::int32_t> shard_count;
  std::string stream_name;
  std::optional<StreamModeDetails> mode_details;
  std::optional<Tags> tags;
  std::optional<std::int32_t> warm_throughput_mibps;
  std::optional<std::int32_t> max_record_kib;
  std::optional<std::string> distribution;

  Wanted access(Call& call) const {
    Access access{.resource = arn_of(call, stream_name)};
    if (!tags.has_value()) return access;
    access.new_tags = &*tags;
    access.also.push_back(
        {.action = "kinesis:AddTagsToStream", .resource = access.resource, .new_tags = &*tags});
    return access;
  }
};

constexpr Field kFields[] = {
    // Not required any more, but with no name either the message is still the one that was recorded.
    field<CreateStreamRequest, &CreateStreamRequest::shard_count>(
        "ShardCount", {.min = 1, .max = 100'000, .unless = "StreamName"}),
    field<CreateStreamRequest, &CreateStreamRequest::stream_name>(
        "StreamName", {.pattern = &kNamePattern, .min = 1, .max = 128}),
    field<CreateStreamRequest, &CreateStreamRequest::mode_details>("StreamModeDetails"),
    field<CreateStreamRequest, &CreateStreamRequest::tags>("Tags", kTagMapRules),
    field<CreateStreamRequest, &CreateStreamRequest::warm_throughput_mibps>("WarmThroughputMiBps",
                                                                            {.min = 0}),
    field<CreateStreamRequest, &CreateStreamRequest::max_record_kib>("MaxRecordSizeInKiB",
                                                                     {.min = kMaxRecordKiBMin}),
    field<CreateStreamRequest, &CreateStreamRequest::distribution>("RecordDistributionStrategy",
                                                                   kDistributionRules),
};

Outcome check_settings(const Call& call, const CreateStreamRequest& request, bool on_demand) {
  if (request.max_record_kib.has_value()) {
    if (Outcome wrong = check_max_record_size(call, *request.max_record_kib); wrong.has_value()) return wrong;
  }
  if (request.warm_throughput_mibps.has_value()) {
    Outcome wrong =
        check_warm_throughput(call, *request.warm_throughput_mibps, on_demand, request.stream_name);
    if (wrong.has_value()) return wrong;
  }
  if (!request.distribution.has_value()) return std::nullopt;
  return check_distribution(*request.distribution, on_demand, request.stream_name);
}

// Under --limits aws only. source: comments of @aws-sdk/client-kinesis, CreateStream and DescribeLimits
Outcome check_concurrency(const Call& call, bool on_demand) {
  constexpr std::size_t kCreatingMax = 5;
  if (!call.broker.options().aws_limits) return std::nullopt;
  std::size_t creating = 0;
  std::int64_t on_demand_count = 0;
  for (const auto& [name, stream] : call.broker.catalog()->streams) {
    creating += stream->status == broker::StreamStatus::kCreating ? 1 : 0;
    on_demand_count += stream->on_demand ? 1 : 0;
  }
  if (creating >= kCreatingMax)
    return limit_exceeded(fmt::format("Account {} already has {} streams in CREATING state, the limit.",
                                      call.account(), creating));
  if (on_demand && on_demand_count >= kOnDemandStreamsMax)
    return limit_exceeded(fmt::format("Account {} already has {} on-demand streams, the limit.",
                                      call.account(), on_demand_count));
  return std::nullopt;
}

Task<Outcome> run(Call& call, CreateStreamRequest request) {
  const StreamPlace place{request.stream_name, call.account()};
  // A stream of which neither mode nor shards are said is on demand.
  const bool on_demand =
      request.mode_details.has_value() ? request.mode_details->on_demand() : !request.shard_count.has_value();
  if (!on_demand && !request.shard_count.has_value())
    co_return validation(
        "1 validation error detected: Value null at 'shardCount' failed to satisfy constraint: Member must "
        "not be "
        "null");
  if (Outcome wrong = check_settings(call, request, on_demand); wrong.has_value()) co_return wrong;
  if (look_up(call, place) != nullptr)
    co_return in_use(fmt::format("Stream {} under account {} already exists.", place.name, place.account));
  const auto warm_shards = static_cast<std::uint32_t>(request.warm_throughput_mibps.value_or(0));
  const auto shards = on_demand ? std::max(broker::kOnDemandShards, warm_shards)
                                : static_cast<std::uint32_t>(*request.shard_count);
  if (call.broker.catalog()->open_shard_count + shards > call.broker.options().shards_per_account_max)
    co_return over_shard_limit(call, shards);
  if (Outcome many = check_concurrency(call, on_demand); many.has_value()) co_return many;
  Tags tags = request.tags.value_or(Tags{});
  if (Outcome wrong = check_new_tags(tags, {}, place); wrong.has_value()) co_return wrong;

  broker::CreateStream command{.name = request.stream_name,
                               .shard_count = shards,
                               .on_demand = on_demand,
                               .tags = std::move(tags),
                               .max_record_kib = request.max_record_kib.value_or(0),
                               .warm_throughput_mibps = request.warm_throughput_mibps.value_or(0),
                               .auto_distribution = request.distribution == "AUTO"};
  Task<Result<void>> creating = call.broker.create_stream(std::move(command));
  auto created = co_await std::move(creating);
  if (created.ok()) co_return std::nullopt;
  if (created.error().kind == ErrorKind::kConflict)
    co_return in_use(fmt::format("Stream {} under account {} already exists.", place.name, place.account));
  if (created.error().kind == ErrorKind::kLimit) co_return over_shard_limit(call, shards);
  co_return command_failed(created.error(), place);
}

}  // namespace

extern const Operation kCreateStream;
const Operation kCreateStream = operation<CreateStreamRequest, kFields, run>("CreateStream");

}  // namespace millrace::kinesis::create_stream
