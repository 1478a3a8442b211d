#include "kinesis/resource_writer.h"

#include "broker/hash_key.h"
#include "broker/sequence_number.h"
#include "kinesis/shard_id.h"
#include "kinesis/stream_ref.h"

namespace millrace::kinesis {
namespace {

void write_hash_range(const broker::HashRange& range, Writer& writer) {
  writer.key("HashKeyRange");
  writer.begin_object();
  writer.member("StartingHashKey", broker::to_decimal(range.first));
  writer.member("EndingHashKey", broker::to_decimal(range.last));
  writer.end_object();
}

void write_child_shard(const broker::Shard& shard, Writer& writer) {
  writer.begin_object();
  writer.member("ShardId", shard_id(shard.index));
  writer.key("ParentShards");
  writer.begin_list();
  if (shard.parent.has_value()) writer.text(shard_id(*shard.parent));
  if (shard.adjacent_parent.has_value()) writer.text(shard_id(*shard.adjacent_parent));
  writer.end_list();
  write_hash_range(shard.range, writer);
  writer.end_object();
}

}  // namespace

std::span<const broker::Shard> visible_shards(const broker::Stream& stream) {
  if (stream.status == broker::StreamStatus::kCreating) return {};
  return stream.shards;
}

void write_shard(const broker::Shard& shard, Writer& writer) {
  writer.begin_object();
  writer.member("ShardId", shard_id(shard.index));
  if (shard.parent.has_value()) writer.member("ParentShardId", shard_id(*shard.parent));
  if (shard.adjacent_parent.has_value())
    writer.member("AdjacentParentShardId", shard_id(*shard.adjacent_parent));
  write_hash_range(shard.range, writer);
  writer.key("SequenceNumberRange");
  writer.begin_object();
  writer.member("StartingSequenceNumber", broker::to_string(broker::starting_sequence(shard)));
  if (!shard.open()) writer.member("EndingSequenceNumber", broker::to_string(broker::ending_sequence(shard)));
  writer.end_object();
  writer.end_object();
}

void write_children(const broker::Stream& stream, std::uint32_t parent, Writer& writer) {
  writer.key("ChildShards");
  writer.begin_list();
  for (const broker::Shard& shard : stream.shards)
    if (shard.parent == parent || shard.adjacent_parent == parent) write_child_shard(shard, writer);
  writer.end_list();
}

void write_stream_head(const Call& call, const broker::Stream& stream, Writer& writer) {
  writer.member("StreamName", stream.name);
  writer.member("StreamARN", arn_of(call, stream.name));
  writer.member("StreamStatus", status_text(stream.status));
  writer.key("StreamModeDetails");
  writer.begin_object();
  writer.member("StreamMode", stream.on_demand ? "ON_DEMAND" : "PROVISIONED");
  writer.end_object();
  writer.key("StreamCreationTimestamp");
  writer.timestamp(stream.created_ms);
}

void write_stream_settings(const broker::Stream& stream, Writer& writer) {
  writer.member("RetentionPeriodHours", stream.retention_hours);
  writer.key("EnhancedMonitoring");
  writer.begin_list();
  writer.begin_object();
  writer.key("ShardLevelMetrics");
  writer.begin_list();
  for (const std::string& metric : stream.shard_metrics) writer.text(metric);
  writer.end_list();
  writer.end_object();
  writer.end_list();
  writer.member("EncryptionType", stream.key_id.empty() ? "NONE" : "KMS");
  if (!stream.key_id.empty()) writer.member("KeyId", stream.key_id);
}

}  // namespace millrace::kinesis
