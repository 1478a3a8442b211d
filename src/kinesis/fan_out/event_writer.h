// kinesis/fan_out/event_writer.h: the messages of SubscribeToShard's answer, framed and ready to be sent.
#pragma once

#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "broker/catalog.h"
#include "kinesis/protocol.h"
#include "log/record.h"

namespace millrace::kinesis {

inline constexpr std::string_view kEventStreamType = "application/vnd.amazon.eventstream";

// The first message of every answer.
SharedBytes initial_response(Encoding encoding);

// A SubscribeToShardEvent.
struct EventContent {
  const broker::Shard& shard;
  std::span<const log::RecordView> records;  // in order; may be none
  std::uint64_t next_offset;                 // where the next event goes on
  std::int64_t time_s;                       // for ContinuationSequenceNumber: of the newest record known
  std::int64_t behind_ms;                    // MillisBehindLatest
};
SharedBytes shard_event(Encoding encoding, const EventContent& content);

// The last event of a shard: its children, and no ContinuationSequenceNumber, since there is nothing to go on
// with.   shard   closed
SharedBytes shard_end_event(Encoding encoding, const broker::Stream& stream, const broker::Shard& shard,
                            std::int64_t behind_ms);

// An error that ends the answer. An InternalFailure goes by the name that it has inside a stream; what a
// stream's description does not know is an error without a shape, which clients raise by its code all the
// same.
SharedBytes exception_event(Encoding encoding, const ApiError& error);

}  // namespace millrace::kinesis
