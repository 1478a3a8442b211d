// Event-stream framing against the vectors that AWS's SDKs test theirs with.
#include "net/event_stream.h"

#include <gtest/gtest.h>
#include <zlib.h>

namespace millrace::net {
namespace {

using namespace std::string_view_literals;

// Bytes with zeros in them.
template <std::size_t N>
ByteView vector(const char (&text)[N]) {
  return as_bytes({text, N - 1});
}

Event read(ByteView bytes) {
  auto event = read_event(bytes);
  EXPECT_TRUE(event.ok()) << event.error().text;
  if (!event.ok() || !event->has_value()) return {};
  EXPECT_EQ((*event)->bytes, bytes.size());
  return std::move(**event);
}

std::string written(std::span<const EventHeader> headers, std::string_view payload) {
  Bytes out;
  append_event(headers, as_bytes(payload), out);
  return std::string(out.text());
}

constexpr char kEmpty[] = "\x00\x00\x00\x10\x00\x00\x00\x00\x05\xc2H\xeb}\x98\xc8\xff";
constexpr char kPayloadOnly[] =
    "\x00\x00\x00\x1d\x00\x00\x00\x00\xfdR\x8cZ{'foo':'bar'}\xc3"
    "e96";
constexpr char kOneHeader[] =
    "\x00\x00\x00=\x00\x00\x00 \x07\xfd\x83\x96\x0c"
    "content-type\x07\x00\x10"
    "application/json{'foo':'bar'}\x8d\x9c\x08\xb1";
constexpr char kError[] =
    "\x00\x00\x00\x52\x00\x00\x00\x42\xbf\x23\x63\x7e\x0d:message-type\x07\x00\x05"
    "error\x0b:error-code\x07\x00\x04"
    "code\x0e:error-message\x07\x00\x07message\x6b\x6c\xea\x3d";
constexpr char kAllTypes[] =
    "\x00\x00\x00\x62\x00\x00\x00\x52\x03\xb5\xcb\x9c"
    "\x01"
    "0\x00\x01"
    "1\x01\x01"
    "2\x02\x02\x01"
    "3\x03\x00\x03"
    "\x01"
    "4\x04\x00\x00\x00\x04\x01"
    "5\x05\x00\x00\x00\x00\x00\x00\x00\x05"
    "\x01"
    "6\x06\x00\x05"
    "bytes\x01"
    "7\x07\x00\x04utf8\x01"
    "8\x08\x00\x00\x00\x00\x00\x00\x00\x08\x01"
    "9\x09"
    "0123456789abcdef\x63\x35\x36\x71";

TEST(EventStream, WritesWhatTheSdksWrite) {
  EXPECT_EQ(written({}, ""), as_text(vector(kEmpty)));
  EXPECT_EQ(written({}, "{'foo':'bar'}"), as_text(vector(kPayloadOnly)));
  const EventHeader type[] = {{"content-type", "application/json"}};
  EXPECT_EQ(written(type, "{'foo':'bar'}"), as_text(vector(kOneHeader)));
  const EventHeader error[] = {
      {":message-type", "error"}, {":error-code", "code"}, {":error-message", "message"}};
  EXPECT_EQ(written(error, ""), as_text(vector(kError)));
}

TEST(EventStream, AMessageIsWrittenBehindAnotherInPlace) {
  Bytes out;
  EventMessage first({}, out);
  first.finish();
  const EventHeader type[] = {{"content-type", "application/json"}};
  EventMessage second(type, out);
  out.append("{'foo':"sv);
  out.append("'bar'}"sv);
  second.finish();
  EXPECT_EQ(out.text(), std::string(as_text(vector(kEmpty))) + std::string(as_text(vector(kOneHeader))));
}

TEST(EventStream, ReadsEveryTypeOfHeader) {
  const Event event = read(vector(kAllTypes));
  ASSERT_EQ(event.headers.size(), 10u);
  EXPECT_EQ(std::get<bool>(event.headers[0].second), true);
  EXPECT_EQ(std::get<bool>(event.headers[1].second), false);
  EXPECT_EQ(std::get<std::int8_t>(event.headers[2].second), 2);
  EXPECT_EQ(std::get<std::int16_t>(event.headers[3].second), 3);
  EXPECT_EQ(std::get<std::int32_t>(event.headers[4].second), 4);
  EXPECT_EQ(std::get<std::int64_t>(event.headers[5].second), 5);
  EXPECT_EQ(as_text(std::get<ByteView>(event.headers[6].second)), "bytes");
  EXPECT_EQ(event.text("7"), "utf8");
  EXPECT_EQ(event.text("6"), "");
  EXPECT_EQ(std::get<EventTime>(event.headers[8].second), EventTime{8});
  EXPECT_EQ(as_text(std::get<Uuid>(event.headers[9].second)), "0123456789abcdef");
  const Event negative =
      read(vector("\x00\x00\x00\x17\x00\x00\x00\x07)\x86\x01X\x04"
                  "byte\x02\xff\xc2\xf8i\xdc"));
  EXPECT_EQ(std::get<std::int8_t>(negative.headers.at(0).second), -1);
}

TEST(EventStream, ReadsMessageAfterMessageAndWaitsForWhatIsNotWhole) {
  std::string text(as_text(vector(kOneHeader)));
  text += as_text(vector(kEmpty));
  for (std::size_t size = 0; size < text.size(); ++size) {
    const auto event = read_event(as_bytes(std::string_view(text).substr(0, size)));
    ASSERT_TRUE(event.ok()) << size;
    EXPECT_EQ(event->has_value(), size >= 0x3d) << size;
  }
  const auto first = read_event(as_bytes(text));
  ASSERT_TRUE(first.ok() && first->has_value());
  EXPECT_EQ(as_text((*first)->payload), "{'foo':'bar'}");
  EXPECT_EQ(read(as_bytes(std::string_view(text).substr((*first)->bytes))).payload.size(), 0u);
}

TEST(EventStream, RefusesWhatWasChangedOnItsWay) {
  const auto refused = [](ByteView bytes) {
    const auto event = read_event(bytes);
    return !event.ok() && event.error().kind == ErrorKind::kCorrupt;
  };
  // One bit, anywhere.
  const std::string whole(as_text(vector(kOneHeader)));
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 4);
    EXPECT_TRUE(refused(as_bytes(changed))) << at;
  }
  EXPECT_TRUE(refused(vector("\x00\x00\x00=\xFF\x00\x01\x02\x07\xfd\x83\x96\x0c")));
  EXPECT_TRUE(
      refused(vector("\x01\x00\x00\x1d\x00\x00\x00\x00\xfdR\x8cZ{'foo':'bar'}\xc3"
                     "e96")));
  // A header that comes twice.
  EXPECT_TRUE(
      refused(vector("\x00\x00\x00\x24\x00\x00\x00\x14\x4b\xb9\x82\xd0\x04test\x04"
                     "asdf\x04test\x04"
                     "asdf\xf3\xf4\x75\x63")));
  // Shorter than a message can be, and headers longer than their message: with right sums.
  for (const auto& [message_bytes, headers_bytes] : {std::pair{15, 0}, {16, 1}}) {
    Bytes bytes;
    append_event({}, {}, bytes);
    bytes[3] = static_cast<std::uint8_t>(message_bytes);
    bytes[7] = static_cast<std::uint8_t>(headers_bytes);
    EXPECT_TRUE(refused(bytes.view()));
  }
  // A header that goes on behind the headers, with right sums.
  Bytes longer;
  append_event({}, as_bytes("\x01x\x07\x00\x09too"sv), longer);
  longer[7] = 8;
  const auto seal = [&longer](std::size_t covered) {
    const auto sum = ::crc32_z(0, longer.data(), covered);
    for (std::size_t i = 0; i < 4; ++i) longer[covered + i] = static_cast<std::uint8_t>(sum >> (24 - 8 * i));
  };
  seal(8);
  seal(longer.size() - 4);
  EXPECT_TRUE(refused(longer.view()));
}

}  // namespace
}  // namespace millrace::net
