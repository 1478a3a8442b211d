// source: AWS Kinesis API reference, DescribeStream

#include <algorithm>

#include "kinesis/operation.h"
#include "kinesis/resource_writer.h"
#include "kinesis/shard_id.h"
#include "kinesis/stream_ref.h"

namespace millrace::kinesis::describe_stream {
namespace {

constexpr std::int32_t kShardsMax = 100;

struct DescribeStreamRequest : StreamRef {
  std::optional<std::int32_t> limit;
  std::optional<std::string> exclusive_start_shard_id;
};

constexpr Field kFields[] = {
    field<DescribeStreamRequest, &DescribeStreamRequest::limit>("Limit", {.min = 1, .max = 10'000}),
    field<DescribeStreamRequest, &DescribeStreamRequest::exclusive_start_shard_id>(
        "ExclusiveStartShardId", {.pattern = &kNamePattern, .min = 1, .max = 128}),
    stream_name<DescribeStreamRequest>(),
    stream_arn<DescribeStreamRequest>(),
    stream_id<DescribeStreamRequest>(),
};

Task<Outcome> run(Call& call, DescribeStreamRequest request) {
  auto result = find_stream(call, request);
  if (auto* error = std::get_if<ApiError>(&result); error != nullptr) co_return std::move(*error);
  const broker::Stream& stream = *std::get_if<FoundStream>(&result)->stream;

  // A stream on its way out may never have come to be ACTIVE: it shows no shards, as one being created.
  auto shards = visible_shards(stream);
  if (stream.status == broker::StreamStatus::kDeleting) shards = {};
  if (request.exclusive_start_shard_id.has_value()) {
    const auto first = std::find_if(shards.begin(), shards.end(), [&](const broker::Shard& shard) {
      return shard_id(shard.index) > *request.exclusive_start_shard_id;
    });
    shards = shards.subspan(static_cast<std::size_t>(first - shards.begin()));
  }
  const auto count = std::min(
      shards.size(), static_cast<std::size_t>(std::min(request.limit.value_or(kShardsMax), kShardsMax)));

  Writer& writer = call.reply;
  writer.begin_object();
  writer.key("StreamDescription");
  writer.begin_object();
  write_stream_head(call, stream, writer);
  writer.key("Shards");
  writer.begin_list();
  for (const broker::Shard& shard : shards.first(count)) write_shard(shard, writer);
  writer.end_list();
  writer.member("HasMoreShards", count < shards.size());
  write_stream_settings(stream, writer);
  writer.end_object();
  writer.end_object();
  co_return std::nullopt;
}

}  // namespace

extern const Operation kDescribeStream;
const Operation kDescribeStream = operation<DescribeStreamRequest, kFields, run>("DescribeStream");

}  // namespace millrace::kinesis::describe_stream
