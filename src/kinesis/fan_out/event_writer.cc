#include "kinesis/fan_out/event_writer.h"

#include <memory>
#include <utility>

#include "broker/sequence_number.h"
#include "kinesis/records_writer.h"
#include "kinesis/resource_writer.h"
#include "net/event_stream.h"

namespace millrace::kinesis {
namespace {

constexpr std::string_view kEventType = "SubscribeToShardEvent";

// Of a payload inside a message; the initial response has the operation's own.
std::string_view payload_type(Encoding encoding) {
  return encoding == Encoding::kJson ? "application/json" : api::content_type(encoding);
}

// A message whose payload is one object, whose members `write` writes.
template <typename Write>
SharedBytes message(Encoding encoding, std::span<const net::EventHeader> headers, const Write& write) {
  Writer writer(encoding);
  net::EventMessage message(headers, writer.bytes());
  writer.begin_object();
  write(writer);
  writer.end_object();
  message.finish();
  return std::make_shared<const Bytes>(std::move(writer.bytes()));
}

template <typename Write>
SharedBytes event(Encoding encoding, const Write& write) {
  const net::EventHeader headers[] = {
      {":event-type", kEventType}, {":content-type", payload_type(encoding)}, {":message-type", "event"}};
  return message(encoding, headers, write);
}

}  // namespace

SharedBytes initial_response(Encoding encoding) {
  const net::EventHeader headers[] = {{":event-type", "initial-response"},
                                      {":content-type", api::content_type(encoding)},
                                      {":message-type", "event"}};
  return message(encoding, headers, [](Writer&) {});
}

SharedBytes shard_event(Encoding encoding, const EventContent& content) {
  return event(encoding, [&](Writer& writer) {
    write_records(content.shard, content.records, writer);
    writer.member("ContinuationSequenceNumber", broker::to_string(broker::place_before(
                                                    content.shard, content.next_offset, content.time_s)));
    writer.member("MillisBehindLatest", content.behind_ms);
  });
}

SharedBytes shard_end_event(Encoding encoding, const broker::Stream& stream, const broker::Shard& shard,
                            std::int64_t behind_ms) {
  return event(encoding, [&](Writer& writer) {
    write_records(shard, {}, writer);
    writer.member("MillisBehindLatest", behind_ms);
    write_children(stream, shard.index, writer);
  });
}

SharedBytes exception_event(Encoding encoding, const ApiError& error) {
  std::string_view type = error.type;
  if (type == "InternalFailure") type = "InternalFailureException";
  if (type == "AccessDeniedException") {
    const net::EventHeader headers[] = {
        {":error-code", type}, {":error-message", error.message}, {":message-type", "error"}};
    return message(encoding, headers, [](Writer&) {});
  }
  const net::EventHeader headers[] = {
      {":exception-type", type}, {":content-type", payload_type(encoding)}, {":message-type", "exception"}};
  return message(encoding, headers, [&](Writer& writer) {
    if (!error.message.empty()) writer.member("message", error.message);
  });
}

}  // namespace millrace::kinesis
