// Byte 0: 0 the rest is bytes to be read as they are, 1 the same with their sums made right, 2 the rest draws
// messages to be written. What is read lies within the bytes; what was written is read back, whole or not at
// all, however it is cut; and no flipped bit passes.
#include <zlib.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/assert.h"
#include "fuzz/drawn_input.h"
#include "net/event_stream.h"

namespace millrace::net {
namespace {

constexpr std::size_t kPreludeBytes = 12;
constexpr std::size_t kMessageBytesMin = 16;

void set_number(std::string& bytes, std::size_t at, std::uint32_t number) {
  for (const int shift : {24, 16, 8, 0}) bytes[at++] = static_cast<char>(number >> shift);
}
std::uint32_t sum_of(std::string_view bytes) {
  return static_cast<std::uint32_t>(
      ::crc32_z(0, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
}

// One message that begins at the front and goes to the end.
std::string resealed(std::string_view headers_and_payload, std::size_t headers_bytes) {
  std::string bytes(kPreludeBytes, '\0');
  bytes += headers_and_payload;
  set_number(bytes, 0, static_cast<std::uint32_t>(bytes.size() + 4));
  set_number(bytes, 4, static_cast<std::uint32_t>(headers_bytes));
  set_number(bytes, 8, sum_of(std::string_view(bytes).substr(0, 8)));
  const std::uint32_t sum = sum_of(bytes);
  bytes += "0000";
  set_number(bytes, bytes.size() - 4, sum);
  return bytes;
}

bool is_inside(std::string_view part, std::string_view whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void check_read(std::string_view bytes) {
  const auto read = read_event(as_bytes(bytes));
  if (!read.ok()) {
    MR_ASSERT(read.error().kind == ErrorKind::kCorrupt);
    return;
  }
  if (!read->has_value()) return;
  const Event& event = **read;
  MR_ASSERT(event.bytes >= kMessageBytesMin && event.bytes <= bytes.size());
  MR_ASSERT(is_inside(as_text(event.payload), bytes.substr(0, event.bytes)));
  for (const auto& [name, value] : event.headers) {
    MR_ASSERT(is_inside(name, bytes));
    if (const auto* text = std::get_if<std::string_view>(&value)) MR_ASSERT(is_inside(*text, bytes));
    if (const auto* blob = std::get_if<ByteView>(&value)) MR_ASSERT(is_inside(as_text(*blob), bytes));
  }
}

void check_written(fuzz::DrawnInput& draw) {
  const std::uint64_t bit = draw.number(2);
  const std::size_t cut = draw.number(2);
  std::vector<EventHeader> headers;
  std::vector<std::string> names;
  for (std::size_t left = draw.below(5); left > 0; --left)
    names.emplace_back(draw.take(1 + draw.byte() % 255));
  std::erase_if(names, [](const std::string& name) { return name.empty(); });
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  headers.reserve(names.size());
  for (const std::string& name : names) headers.push_back({name, draw.take(draw.number(2))});
  const std::string_view payload = draw.rest();
  Bytes out;
  append_event(headers, as_bytes(payload), out);
  const std::size_t first = out.size();
  append_event({}, as_bytes(payload), out);

  const auto read = read_event(out.view());
  MR_ASSERT(read.ok() && read->has_value() && (*read)->bytes == first);
  MR_ASSERT(as_text((*read)->payload) == payload && (*read)->headers.size() == headers.size());
  for (const EventHeader& header : headers) MR_ASSERT((*read)->text(header.name) == header.value);
  const auto part = read_event(out.view().first(cut % first));
  MR_ASSERT(part.ok() && !part->has_value());
  out[bit / 8 % first] ^= static_cast<std::uint8_t>(1u << bit % 8);
  MR_ASSERT(!read_event(out.view()).ok());
}

void check(std::string_view input) {
  fuzz::DrawnInput draw(input);
  switch (draw.below(3)) {
    case 0:
      return check_read(draw.rest());
    case 1: {
      const std::size_t headers_bytes = draw.number(2);
      const std::string_view rest = draw.rest();
      return check_read(resealed(rest, std::min(headers_bytes, rest.size())));
    }
    default:
      return check_written(draw);
  }
}

}  // namespace
}  // namespace millrace::net

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  millrace::net::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
