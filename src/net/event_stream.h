// net/event_stream.h: the framing of application/vnd.amazon.eventstream: messages of headers and a payload,
// one after the other in a response body. source: Amazon Transcribe developer guide, "Event stream encoding";
// tests: vectors that AWS's SDKs share
//
// A message, big-endian: its length (4) and that of its headers (4), CRC-32 of these 8 bytes (4), headers,
// payload, CRC-32 of all before it (4). A header: length of its name (1), name, type (1), value.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace millrace::net {

inline constexpr std::size_t kEventHeadersBytesMax = 128 * 1024;
inline constexpr std::size_t kEventPayloadBytesMax = 96u * 1024 * 1024;

// A header as we write it: text.   name   1 to 255 bytes.   value   at most 65'535 bytes
struct EventHeader {
  std::string_view name;
  std::string_view value;
};

// Writes a message whose payload the caller appends to `out` after the constructor and before finish(). One
// thread.
class EventMessage {
 public:
  EventMessage(std::span<const EventHeader> headers, Bytes& out);
  // Fills in lengths and sums; the message is whole. Once.
  void finish();

 private:
  Bytes& out_;
  std::size_t begin_;  // in out_: what stands before it is of others
  std::size_t headers_bytes_;
};

// The same for a payload that exists already.
void append_event(std::span<const EventHeader> headers, ByteView payload, Bytes& out);

using Uuid = std::array<std::uint8_t, 16>;
struct EventTime {
  std::int64_t ms;  // since the epoch
  friend bool operator==(const EventTime&, const EventTime&) = default;
};

// A message as it was read; everything borrowed from what it was read from.
struct Event {
  using Value = std::variant<bool, std::int8_t, std::int16_t, std::int32_t, std::int64_t, ByteView,
                             std::string_view, EventTime, Uuid>;
  std::vector<std::pair<std::string_view, Value>> headers;
  ByteView payload;
  std::size_t bytes = 0;  // of the whole message

  // Of a text header; empty where there is none of that name and kind.
  std::string_view text(std::string_view name) const;
};

// The message at the beginning of `bytes`, nullopt while it is not whole. errors   kCorrupt: a sum or a
// length is wrong, a header comes twice or is of no known type
Result<std::optional<Event>> read_event(ByteView bytes);

}  // namespace millrace::net
