// kinesis/resource_writer.h: streams, shards and tags as answers show them.
#pragma once

#include <span>
#include <string_view>

#include "broker/catalog.h"
#include "kinesis/call.h"
#include "kinesis/protocol.h"

namespace millrace::kinesis {

// The shards that clients may see: none while the stream is being created, as the service does it.
std::span<const broker::Shard> visible_shards(const broker::Stream& stream);

// Writes a whole object: {"ShardId": …}
void write_shard(const broker::Shard& shard, Writer& writer);
// The member "ChildShards" of the object that the caller has begun.
void write_children(const broker::Stream& stream, std::uint32_t parent, Writer& writer);

// Members of the object that the caller has begun.
void write_stream_head(const Call& call, const broker::Stream& stream,
                       Writer& writer);  // name, ARN, status, mode
void write_stream_settings(const broker::Stream& stream,
                           Writer& writer);  // retention, monitoring, encryption

}  // namespace millrace::kinesis
