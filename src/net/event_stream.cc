#include "net/event_stream.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace millrace::net {
namespace {

constexpr std::size_t kPreludeBytes = 12;  // two lengths and their sum
constexpr std::size_t kSumBytes = 4;
constexpr std::size_t kMessageBytesMin = kPreludeBytes + kSumBytes;

// Types of a header's value, as they stand before it.
enum : std::uint8_t { kTrue, kFalse, kByte, kShort, kInteger, kLong, kBytes, kText, kTimestamp, kUuid };

std::uint32_t crc32_of(std::uint32_t before, ByteView bytes) {
  return static_cast<std::uint32_t>(::crc32_z(before, bytes.data(), bytes.size()));
}

void put(std::uint64_t value, std::size_t bytes, std::uint8_t* out) {
  for (std::size_t i = 0; i < bytes; ++i) out[i] = static_cast<std::uint8_t>(value >> 8 * (bytes - 1 - i));
}
std::uint64_t get(ByteView bytes) {
  std::uint64_t value = 0;
  for (const std::uint8_t byte : bytes) value = value << 8 | byte;
  return value;
}
std::uint32_t get_32(ByteView bytes, std::size_t at) {
  return static_cast<std::uint32_t>(get(bytes.subspan(at, 4)));
}

void append_header(const EventHeader& header, Bytes& out) {
  MR_ASSERT(!header.name.empty() && header.name.size() <= 255);
  MR_ASSERT(header.value.size() <= 65'535);
  out.push_back(static_cast<char>(header.name.size()));
  out.append(header.name);
  out.push_back(kText);
  put(header.value.size(), 2, out.prepare(2));
  out.commit(2);
  out.append(header.value);
}

Error corrupt(std::string text) { return {ErrorKind::kCorrupt, "event stream: " + std::move(text)}; }

// What a message's headers are read from, to its end.
class HeaderReader {
 public:
  explicit HeaderReader(ByteView bytes) : rest_(bytes) {}
  bool at_end() const { return rest_.empty(); }
  bool ok() const { return ok_; }

  ByteView take(std::size_t bytes) {
    ok_ = ok_ && bytes <= rest_.size();
    if (!ok_) return {};
    const ByteView taken = rest_.first(bytes);
    rest_ = rest_.subspan(bytes);
    return taken;
  }
  template <typename T>
  T number() {
    return static_cast<T>(get(take(sizeof(T))));
  }

 private:
  ByteView rest_;
  bool ok_ = true;
};

std::optional<Event::Value> read_value(std::uint8_t type, HeaderReader& reader) {
  switch (type) {
    case kTrue:
    case kFalse:
      return type == kTrue;
    case kByte:
      return reader.number<std::int8_t>();
    case kShort:
      return reader.number<std::int16_t>();
    case kInteger:
      return reader.number<std::int32_t>();
    case kLong:
      return reader.number<std::int64_t>();
    case kBytes:
      return reader.take(reader.number<std::uint16_t>());
    case kText:
      return as_text(reader.take(reader.number<std::uint16_t>()));
    case kTimestamp:
      return EventTime{reader.number<std::int64_t>()};
    case kUuid: {
      Uuid uuid{};
      const ByteView bytes = reader.take(uuid.size());
      std::copy(bytes.begin(), bytes.end(), uuid.begin());
      return uuid;
    }
    default:
      return std::nullopt;
  }
}

Result<void> read_headers(ByteView bytes, Event& event) {
  HeaderReader reader(bytes);
  while (!reader.at_end()) {
    const std::string_view name = as_text(reader.take(reader.number<std::uint8_t>()));
    const auto type = reader.number<std::uint8_t>();
    auto value = read_value(type, reader);
    if (!reader.ok()) return corrupt("a header goes on behind the headers");
    if (!value.has_value()) return corrupt(fmt::format("header {} is of type {}", name, type));
    const auto same = [name](const auto& header) { return header.first == name; };
    if (std::any_of(event.headers.begin(), event.headers.end(), same))
      return corrupt(fmt::format("header {} comes twice", name));
    event.headers.emplace_back(name, *value);
  }
  return {};
}

}  // namespace

EventMessage::EventMessage(std::span<const EventHeader> headers, Bytes& out)
    : out_(out), begin_(out.size()), headers_bytes_(0) {
  out_.prepare(kPreludeBytes);
  out_.commit(kPreludeBytes);
  for (const EventHeader& header : headers) append_header(header, out_);
  headers_bytes_ = out_.size() - begin_ - kPreludeBytes;
  MR_ASSERT(headers_bytes_ <= kEventHeadersBytesMax);
}

void EventMessage::finish() {
  const std::size_t message_bytes = out_.size() - begin_ + kSumBytes;
  MR_ASSERT(message_bytes - kMessageBytesMin - headers_bytes_ <= kEventPayloadBytesMax);
  std::uint8_t* const message = out_.data() + begin_;
  put(message_bytes, 4, message);
  put(headers_bytes_, 4, message + 4);
  put(crc32_of(0, {message, 8}), 4, message + 8);
  const std::uint32_t sum = crc32_of(0, {message, message_bytes - kSumBytes});
  put(sum, kSumBytes, out_.prepare(kSumBytes));
  out_.commit(kSumBytes);
}

void append_event(std::span<const EventHeader> headers, ByteView payload, Bytes& out) {
  EventMessage message(headers, out);
  out.append(payload);
  message.finish();
}

std::string_view Event::text(std::string_view name) const {
  for (const auto& [key, value] : headers)
    if (const auto* text = std::get_if<std::string_view>(&value); text != nullptr && key == name)
      return *text;
  return {};
}

Result<std::optional<Event>> read_event(ByteView bytes) {
  if (bytes.size() < kPreludeBytes) return std::optional<Event>();
  const std::size_t message_bytes = get_32(bytes, 0);
  const std::size_t headers_bytes = get_32(bytes, 4);
  if (headers_bytes > kEventHeadersBytesMax)
    return corrupt(fmt::format("{} bytes of headers: at most {}", headers_bytes, kEventHeadersBytesMax));
  if (message_bytes < kMessageBytesMin + headers_bytes ||
      message_bytes - kMessageBytesMin - headers_bytes > kEventPayloadBytesMax)
    return corrupt(fmt::format("a message of {} bytes", message_bytes));
  if (crc32_of(0, bytes.first(8)) != get_32(bytes, 8)) return corrupt("the sum of the lengths is wrong");
  if (bytes.size() < message_bytes) return std::optional<Event>();
  const std::size_t sum_at = message_bytes - kSumBytes;
  if (crc32_of(0, bytes.first(sum_at)) != get_32(bytes, sum_at))
    return corrupt("the sum of a message is wrong");
  Event event;
  MR_TRY(read_headers(bytes.subspan(kPreludeBytes, headers_bytes), event));
  event.payload =
      bytes.subspan(kPreludeBytes + headers_bytes, message_bytes - kMessageBytesMin - headers_bytes);
  event.bytes = message_bytes;
  return std::optional<Event>(std::move(event));
}

}  // namespace millrace::net
