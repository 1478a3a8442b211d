// source: AWS Kinesis API reference, SubscribeToShard

#include "kinesis/consumer_ref.h"
#include "kinesis/dry_run.h"
#include "kinesis/fan_out/fan_out.h"
#include "kinesis/operation.h"
#include "kinesis/rate_check.h"
#include "kinesis/resource_writer.h"
#include "kinesis/shard_id.h"
#include "kinesis/start_position.h"

namespace millrace::kinesis::subscribe_to_shard {
namespace {

struct StartingPosition : StartPosition {
  static std::span<const Field> fields() {
    static constexpr Field kPositionFields[] = {
        field<StartingPosition, &StartingPosition::type>(
            "Type", {.allowed = kPositionTypes, .allowed_count = std::size(kPositionTypes)}),
        field<StartingPosition, &StartingPosition::sequence_number>("SequenceNumber",
                                                                    {.pattern = &kSequencePattern}),
        field<StartingPosition, &StartingPosition::timestamp>("Timestamp"),
    };
    return kPositionFields;
  }
};

struct SubscribeToShardRequest {
  std::string consumer_arn;
  std::optional<std::string> stream_id;
  std::string shard;
  StartingPosition position;
  std::optional<bool> dry_run;

  Wanted access(Call& call) const { return access_to(call, place_of_consumer(call, consumer_arn)); }
};

constexpr Field kFields[] = {
    consumer_arn<SubscribeToShardRequest>(),
    field<SubscribeToShardRequest, &SubscribeToShardRequest::shard>(
        "ShardId", {.pattern = &kNamePattern, .min = 1, .max = 128}),
    field<SubscribeToShardRequest, &SubscribeToShardRequest::position>("StartingPosition"),
    stream_id<SubscribeToShardRequest>(),
    dry_run<SubscribeToShardRequest>(),
};

// What the request asks for, where it can be had.
std::variant<SubscriptionTarget, ApiError> target_of(const Call& call,
                                                     const SubscribeToShardRequest& request) {
  auto result = find_consumer(call, place_of_consumer(call, request.consumer_arn));
  if (auto* error = std::get_if<ApiError>(&result); error != nullptr) return std::move(*error);
  FoundConsumer& found = *std::get_if<FoundConsumer>(&result);
  const StreamPlace& place = found.place.stream;
  if (found.consumer->status != broker::ConsumerStatus::kActive)
    return consumer_not_active(found.place.stream, *found.consumer);
  if (found.stream->status == broker::StreamStatus::kDeleting) return stream_not_found(place);
  const auto index = parse_shard_id(request.shard);
  if (!index.has_value()) return shard_not_found(request.shard, place);
  const broker::Shard* shard = found.stream->find(*index);
  if (shard == nullptr) return shard_absent(shard_id(*index), place);
  return SubscriptionTarget{.consumer = found.place,
                            .consumer_id = found.consumer->id,
                            .stream_id = found.stream->id,
                            .shard = *shard,
                            .encoding = call.encoding,
                            .caller = call.caller.principal};
}

Task<Outcome> run(Call& call, SubscribeToShardRequest request) {
  auto result = target_of(call, request);
  if (auto* error = std::get_if<ApiError>(&result); error != nullptr) co_return std::move(*error);
  SubscriptionTarget& target = *std::get_if<SubscriptionTarget>(&result);
  Task<Offset> finding =
      find_offset(call, "SubscribeToShard", request.position, target.shard, target.consumer.stream);
  Offset offset = co_await std::move(finding);
  if (auto* error = std::get_if<ApiError>(&offset); error != nullptr) co_return std::move(*error);
  if (request.dry_run.value_or(false)) {
    Outcome often = check_dry_run_rate(call, target.consumer.stream);
    co_return often.has_value() ? often : would_succeed();
  }
  if (call.fan_out.leaving()) co_return ApiError{"ServiceUnavailable", "The server is about to stop.", 503};

  auto subscription = std::make_shared<Subscription>(call.fan_out, call, std::move(target), call.loop.meter,
                                                     *std::get_if<std::uint64_t>(&offset));
  Task<Result<std::uint64_t>> claiming = call.fan_out.claim(subscription);
  auto claimed = co_await std::move(claiming);
  const bool too_soon = !claimed.ok() && claimed.error().kind == ErrorKind::kConflict;
  call.loop.meter.subscribed(subscription->target().metered(), claimed.ok() ? StreamMeter::Subscribed::kYes
                                                               : too_soon ? StreamMeter::Subscribed::kTooSoon
                                                                          : StreamMeter::Subscribed::kFailed);
  if (!claimed.ok()) {
    if (too_soon) co_return another_subscription(subscription->target());
    if (claimed.error().kind == ErrorKind::kNotFound)
      co_return shard_absent(shard_id(subscription->target().shard.index),
                             subscription->target().consumer.stream);
    co_return from_house(claimed.error());
  }
  call.begin_stream = [subscription, feed_at = *claimed](std::shared_ptr<net::BodyStream> stream) {
    subscription->start(std::move(stream), feed_at);
  };
  co_return std::nullopt;
}

}  // namespace

extern const Operation kSubscribeToShard;
const Operation kSubscribeToShard = operation<SubscribeToShardRequest, kFields, run>("SubscribeToShard");

}  // namespace millrace::kinesis::subscribe_to_shard
