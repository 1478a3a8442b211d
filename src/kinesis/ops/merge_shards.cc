// source: AWS Kinesis API reference, MergeShards; texts as recorded by kinesalite's tests

#include <fmt/format.h>

#include <array>

#include "broker/hash_key.h"
#include "kinesis/operation.h"
#include "kinesis/shard_id.h"
#include "kinesis/stream_ref.h"

namespace millrace::kinesis::merge_shards {
namespace {

struct MergeShardsRequest : StreamRef {
  std::string shard;
  std::string adjacent;
};

constexpr Field kFields[] = {
    field<MergeShardsRequest, &MergeShardsRequest::shard>("ShardToMerge",
                                                          {.pattern = &kNamePattern, .min = 1, .max = 128}),
    field<MergeShardsRequest, &MergeShardsRequest::adjacent>(
        "AdjacentShardToMerge", {.pattern = &kNamePattern, .min = 1, .max = 128}),
    stream_name<MergeShardsRequest>(),
    stream_arn<MergeShardsRequest>(),
    stream_id<MergeShardsRequest>(),
};

bool are_neighbours(const broker::Shard& lower, const broker::Shard& upper) {
  const auto first = broker::to_number(upper.range.first);
  return first != 0 && first - 1 == broker::to_number(lower.range.last);
}

Task<Outcome> run(Call& call, MergeShardsRequest request) {
  auto placed = place_of(call, request);
  if (auto* error = std::get_if<ApiError>(&placed); error != nullptr) co_return std::move(*error);
  FoundStream found{std::move(*std::get_if<StreamPlace>(&placed)), nullptr};
  const StreamPlace& place = found.place;
  std::array<std::uint32_t, 2> indexes;
  for (std::size_t i = 0; i < indexes.size(); ++i) {
    const std::string& name = i == 0 ? request.shard : request.adjacent;
    const auto index = parse_shard_id(name);
    if (!index.has_value()) co_return shard_not_found(name, place);
    indexes[i] = *index;
  }
  found.stream = look_up(call, place);
  if (found.stream == nullptr) co_return stream_not_found(place);
  if (found.stream->status != broker::StreamStatus::kActive)
    co_return not_active(found.place, found.stream->status);
  std::array<const broker::Shard*, 2> shards;
  for (std::size_t i = 0; i < shards.size(); ++i) {
    shards[i] = found.stream->find(indexes[i]);
    if (shards[i] == nullptr) co_return shard_not_found(shard_id(indexes[i]), place);
  }
  if (found.stream->on_demand) co_return on_demand(place);
  for (const broker::Shard* shard : shards)
    if (!shard->open()) co_return already_resharded(shard->index, place);
  if (!are_neighbours(*shards[0], *shards[1])) {
    co_return invalid_argument(
        fmt::format("Shards {} and {} in stream {} under account {} are not an adjacent pair of shards "
                    "eligible for merging",
                    shard_id(indexes[0]), shard_id(indexes[1]), place.name, place.account));
  }
  Task<Result<void>> merging = call.broker.merge_shards(place.name, indexes[0], indexes[1]);
  auto merged = co_await std::move(merging);
  if (!merged.ok()) co_return command_failed(merged.error(), place);
  co_return std::nullopt;
}

}  // namespace

extern const Operation kMergeShards;
const Operation kMergeShards = operation<MergeShardsRequest, kFields, run>("MergeShards");

}  // namespace millrace::kinesis::merge_shards
