// source: AWS Kinesis API reference, SplitShard; texts as recorded by kinesalite's tests

#include <fmt/format.h>

#include "broker/hash_key.h"
#include "kinesis/operation.h"
#include "kinesis/shard_id.h"
#include "kinesis/stream_ref.h"

namespace millrace::kinesis::split_shard {
namespace {

struct SplitShardRequest : StreamRef {
  std::string new_starting_hash_key;
  std::string shard;
};

constexpr Field kFields[] = {
    field<SplitShardRequest, &SplitShardRequest::new_starting_hash_key>("NewStartingHashKey",
                                                                        {.pattern = &kHashKeyPattern}),
    stream_name<SplitShardRequest>(),
    field<SplitShardRequest, &SplitShardRequest::shard>("ShardToSplit",
                                                        {.pattern = &kNamePattern, .min = 1, .max = 128}),
    stream_arn<SplitShardRequest>(),
    stream_id<SplitShardRequest>(),
};

Task<Outcome> run(Call& call, SplitShardRequest request) {
  auto placed = place_of(call, request);
  if (auto* error = std::get_if<ApiError>(&placed); error != nullptr) co_return std::move(*error);
  FoundStream found{std::move(*std::get_if<StreamPlace>(&placed)), nullptr};
  const StreamPlace& place = found.place;
  const auto index = parse_shard_id(request.shard);
  if (!index.has_value()) co_return shard_not_found(request.shard, place);
  found.stream = look_up(call, place);
  if (found.stream == nullptr) co_return stream_not_found(place);
  if (found.stream->status != broker::StreamStatus::kActive)
    co_return not_active(found.place, found.stream->status);
  const broker::Shard* shard = found.stream->find(*index);
  if (shard == nullptr) co_return shard_not_found(shard_id(*index), place);
  if (found.stream->on_demand) co_return on_demand(place);
  if (!shard->open()) co_return already_resharded(*index, place);
  if (call.broker.catalog()->open_shard_count + 1 > call.broker.options().shards_per_account_max)
    co_return over_shard_limit(call, 1);

  const auto key = broker::parse_hash_key(request.new_starting_hash_key);
  const auto first = broker::to_number(shard->range.first);
  const auto last = broker::to_number(shard->range.last);
  // Written so that nothing wraps where a shard is one key wide.
  if (!key.has_value() || broker::to_number(*key) <= first || broker::to_number(*key) - first == 1 ||
      broker::to_number(*key) >= last) {
    co_return invalid_argument(fmt::format(
        "NewStartingHashKey {} used in SplitShard() on shard {} in stream {} under account {} is not both "
        "greater "
        "than one plus the shard's StartingHashKey {} and less than the shard's EndingHashKey {}.",
        request.new_starting_hash_key, shard_id(*index), place.name, place.account,
        broker::to_decimal(shard->range.first), broker::to_decimal(shard->range.last)));
  }
  Task<Result<void>> splitting = call.broker.split_shard(place.name, *index, *key);
  auto split = co_await std::move(splitting);
  if (split.ok()) co_return std::nullopt;
  if (split.error().kind == ErrorKind::kLimit) co_return over_shard_limit(call, 1);
  co_return command_failed(split.error(), place);
}

}  // namespace

extern const Operation kSplitShard;
const Operation kSplitShard = operation<SplitShardRequest, kFields, run>("SplitShard");

}  // namespace millrace::kinesis::split_shard
