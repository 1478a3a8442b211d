// source: AWS Kinesis API reference, GetShardIterator; texts as recorded by kinesalite's tests

#include "kinesis/dry_run.h"
#include "kinesis/operation.h"
#include "kinesis/resource_writer.h"
#include "kinesis/shard_id.h"
#include "kinesis/shard_iterator.h"
#include "kinesis/start_position.h"
#include "kinesis/stream_ref.h"

namespace millrace::kinesis::get_shard_iterator {
namespace {

struct GetShardIteratorRequest : StreamRef {
  std::string shard;
  std::string type;
  std::optional<std::string> starting_sequence_number;
  std::optional<Timestamp> timestamp;
  std::optional<bool> dry_run;
};

constexpr Field kFields[] = {
    field<GetShardIteratorRequest, &GetShardIteratorRequest::shard>(
        "ShardId", {.pattern = &kNamePattern, .min = 1, .max = 128}),
    field<GetShardIteratorRequest, &GetShardIteratorRequest::type>(
        "ShardIteratorType", {.allowed = kPositionTypes, .allowed_count = std::size(kPositionTypes)}),
    field<GetShardIteratorRequest, &GetShardIteratorRequest::starting_sequence_number>(
        "StartingSequenceNumber", {.pattern = &kSequencePattern}),
    stream_name<GetShardIteratorRequest>(),
    field<GetShardIteratorRequest, &GetShardIteratorRequest::timestamp>("Timestamp"),
    stream_arn<GetShardIteratorRequest>(),
    stream_id<GetShardIteratorRequest>(),
    dry_run<GetShardIteratorRequest>(),
};

Task<Outcome> run(Call& call, GetShardIteratorRequest request) {
  auto placed = place_of(call, request);
  if (auto* error = std::get_if<ApiError>(&placed); error != nullptr) co_return std::move(*error);
  const StreamPlace& place = *std::get_if<StreamPlace>(&placed);
  const auto index = parse_shard_id(request.shard);
  if (!index.has_value()) co_return shard_not_found(request.shard, place);
  const auto stream = look_up(call, place);
  const broker::Shard* shard = nullptr;
  if (stream != nullptr && !visible_shards(*stream).empty()) shard = stream->find(*index);
  if (shard == nullptr) co_return shard_absent(shard_id(*index), place);

  if (!request.dry_run.value_or(false)) {
    if (Outcome often = check_iterator_rate(call, shard_id(*index), place); often.has_value())
      co_return often;
  }
  const StartPosition position{std::move(request.type), std::move(request.starting_sequence_number),
                               request.timestamp};
  Task<Offset> finding = find_offset(call, "GetShardIterator", position, *shard, place);
  Offset offset = co_await std::move(finding);
  if (auto* error = std::get_if<ApiError>(&offset); error != nullptr) co_return std::move(*error);
  if (request.dry_run.value_or(false)) {
    Outcome often = check_dry_run_rate(call, place);
    co_return often.has_value() ? often : would_succeed();
  }
  const ShardIterator iterator{stream->name, stream->id, *index, *std::get_if<std::uint64_t>(&offset),
                               call.clock.wall_ms()};
  Writer& writer = call.reply;
  writer.begin_object();
  writer.member("ShardIterator", to_text(iterator, call.loop.seal, call.loop.random));
  writer.end_object();
  co_return std::nullopt;
}

}  // namespace

extern const Operation kGetShardIterator;
const Operation kGetShardIterator = operation<GetShardIteratorRequest, kFields, run>("GetShardIterator");

}  // namespace millrace::kinesis::get_shard_iterator
