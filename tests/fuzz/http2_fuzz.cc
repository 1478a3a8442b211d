// Byte 0: limits, and whether the rest is bytes as they are or frames to be made. Bytes 1 to 48: choices,
// taken in turn: how the handler answers, where the bytes are cut, what happens between the pieces. The rest:
// what a client sends; or, a frame: type, flags, stream, length, then so many bytes of payload.
//
// Whatever comes, requests keep to the limits, what leaves is HTTP/2 that a client can decode, each answer
// leaves on its stream once, and in the end no memory is held.
#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/assert.h"
#include "fuzz/drawn_handler.h"
#include "fuzz/drawn_input.h"
#include "net/bare_driver.h"

namespace millrace::net {
namespace {

constexpr std::size_t kChoices = 48;
constexpr std::size_t kSlackBytes = 8u << 20;  // small answers and streams are taken beyond the budget
constexpr std::size_t kFrameHeadBytes = 9;
constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

ServerLimits some_limits(std::uint8_t choice) {
  ServerLimits limits;
  limits.header_bytes_max = (choice & 1) != 0 ? 300 : 8'000;
  limits.body_bytes_max = (choice & 2) != 0 ? 100 : 200'000;
  limits.buffered_bytes_max = (choice & 4) != 0 ? 100'000 : 8'000'000;
  limits.http2_streams_max = (choice & 8) != 0 ? 2 : 20;
  limits.header_ms_max = 100;
  limits.body_ms_max = 200;
  limits.idle_ms_max = 300;
  limits.write_ms_max = 400;
  return limits;
}

struct Frame {
  std::uint8_t type;
  std::uint8_t flags;
  std::int32_t stream;
  std::string_view payload;
};

// The next whole frame of `bytes`, which lose it; nothing when none is whole.
std::optional<Frame> take_frame(std::string_view& bytes) {
  if (bytes.size() < kFrameHeadBytes) return std::nullopt;
  const auto at = [&](std::size_t i) { return std::size_t{static_cast<std::uint8_t>(bytes[i])}; };
  const std::size_t length = at(0) << 16 | at(1) << 8 | at(2);
  if (bytes.size() - kFrameHeadBytes < length) return std::nullopt;
  const Frame frame{static_cast<std::uint8_t>(at(3)), static_cast<std::uint8_t>(at(4)),
                    static_cast<std::int32_t>((at(5) & 0x7f) << 24 | at(6) << 16 | at(7) << 8 | at(8)),
                    bytes.substr(kFrameHeadBytes, length)};
  bytes.remove_prefix(kFrameHeadBytes + length);
  return frame;
}

void add_frame(std::string& bytes, std::uint8_t type, std::uint8_t flags, std::uint32_t stream,
               std::string_view payload) {
  for (const int shift : {16, 8, 0}) bytes += static_cast<char>(payload.size() >> shift);
  bytes += static_cast<char>(type);
  bytes += static_cast<char>(flags);
  for (const int shift : {24, 16, 8, 0}) bytes += static_cast<char>(stream >> shift);
  bytes += payload;
}

// With lengths that are right, and now and then a head that is a good one.
std::string made_frames(std::string_view input) {
  fuzz::DrawnInput draw(input);
  std::string bytes(kPreface);
  add_frame(bytes, NGHTTP2_SETTINGS, 0, 0, {});
  std::uint32_t next_stream = 1;
  while (!draw.empty()) {
    const std::uint8_t type = draw.byte();
    const std::uint8_t flags = draw.byte();
    const std::uint8_t stream = draw.byte();
    const std::string_view payload = draw.take(draw.byte() * (type >= 0xf0 ? std::size_t{100} : 1));
    if (type >= 0x80) {
      // A request: method, scheme, path, authority out of HPACK's own table, then what the input says.
      static constexpr std::string_view kHeads[] = {"\x83\x86\x84\x41\x01h", "\x82\x87\x85\x41\x01h",
                                                    "\x83\x86\x84\x0f\x08\x0c"
                                                    "100-continue\x41\x01h",
                                                    "\x02\x04HEAD\x86\x84\x41\x01h"};
      const bool is_last = (flags & 1) != 0;
      add_frame(bytes, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | (is_last ? NGHTTP2_FLAG_END_STREAM : 0),
                next_stream, std::string(kHeads[flags / 2 % std::size(kHeads)]));
      if (!is_last) add_frame(bytes, NGHTTP2_DATA, flags & 0x80 ? 1 : 0, next_stream, payload);
      next_stream += 2;
    } else {
      add_frame(bytes, type % 12, flags, stream, payload);
    }
  }
  return bytes;
}

// What a client knows of the connection.
class Client {
 public:
  Client() { MR_ASSERT(nghttp2_hd_inflate_new(&inflater_) == 0); }
  ~Client() { nghttp2_hd_inflate_del(inflater_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  struct Stream {
    std::string status;  // of the last head; empty before
    std::string number;  // of the request, as the handler wrote it
    std::string body;
    bool ended = false;
    bool reset = false;
  };

  void take(std::string_view bytes) {
    unread_ += bytes;
    std::string_view rest = unread_;
    while (const auto frame = take_frame(rest)) take(*frame);
    unread_ = std::string(rest);
  }
  // Streams that it has reset itself.
  void note_sent(std::string_view bytes) {
    if (!bytes.starts_with(kPreface)) return;
    bytes.remove_prefix(kPreface.size());
    while (const auto frame = take_frame(bytes))
      if (frame->type == NGHTTP2_RST_STREAM) reset_.insert(frame->stream);
  }
  const std::map<std::int32_t, Stream>& streams() const { return streams_; }
  std::size_t resets_sent() const { return reset_.size(); }
  bool told_to_go() const { return goaway_; }

 private:
  void take(const Frame& frame) {
    // A head is not interrupted.
    if (in_head_ != 0) MR_ASSERT(frame.type == NGHTTP2_CONTINUATION && frame.stream == in_head_);
    switch (frame.type) {
      case NGHTTP2_HEADERS:
        // No padding, no priority: the driver sends none.
        MR_ASSERT((frame.flags & (NGHTTP2_FLAG_PADDED | NGHTTP2_FLAG_PRIORITY)) == 0);
        ends_stream_ = (frame.flags & NGHTTP2_FLAG_END_STREAM) != 0;
        return take_head(frame);
      case NGHTTP2_CONTINUATION:
        MR_ASSERT(in_head_ != 0);
        return take_head(frame);
      case NGHTTP2_DATA: {
        Stream& stream = streams_.at(frame.stream);
        MR_ASSERT(stream.status.size() == 3 && stream.status != "100" && !stream.ended && !stream.reset);
        MR_ASSERT((frame.flags & NGHTTP2_FLAG_PADDED) == 0);
        stream.body += frame.payload;
        stream.ended = (frame.flags & NGHTTP2_FLAG_END_STREAM) != 0;
        return;
      }
      case NGHTTP2_RST_STREAM:
        streams_[frame.stream].reset = true;
        return;
      case NGHTTP2_GOAWAY:
        goaway_ = true;
        return;
      default:
        MR_ASSERT(frame.type == NGHTTP2_SETTINGS || frame.type == NGHTTP2_PING ||
                  frame.type == NGHTTP2_WINDOW_UPDATE);
    }
  }
  void take_head(const Frame& frame) {
    Stream& stream = streams_[frame.stream];
    MR_ASSERT(!stream.ended && !stream.reset && (stream.status.empty() || stream.status == "100"));
    const bool is_last = (frame.flags & NGHTTP2_FLAG_END_HEADERS) != 0;
    head_ += frame.payload;
    in_head_ = is_last ? 0 : frame.stream;
    if (!is_last) return;
    const auto* at = reinterpret_cast<const std::uint8_t*>(head_.data());
    std::size_t left = head_.size();
    stream.status.clear();
    for (;;) {
      nghttp2_nv field;
      int flags = 0;
      const auto used = nghttp2_hd_inflate_hd2(inflater_, &field, &flags, at, left, 1);
      MR_ASSERT(used >= 0);
      at += used;
      left -= static_cast<std::size_t>(used);
      if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) note_field(stream, field);
      if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) break;
      MR_ASSERT(left != 0 || (flags & NGHTTP2_HD_INFLATE_EMIT) != 0);
    }
    nghttp2_hd_inflate_end_headers(inflater_);
    head_.clear();
    MR_ASSERT(stream.status.size() == 3);
    stream.ended = ends_stream_;
  }
  static void note_field(Stream& stream, const nghttp2_nv& field) {
    const std::string name(reinterpret_cast<const char*>(field.name), field.namelen);
    const std::string value(reinterpret_cast<const char*>(field.value), field.valuelen);
    if (name == ":status") stream.status = value;
    if (name == "x-number") stream.number = value;
  }

  nghttp2_hd_inflater* inflater_ = nullptr;
  std::string unread_;
  std::string head_;
  std::int32_t in_head_ = 0;
  bool ends_stream_ = false;
  std::map<std::int32_t, Stream> streams_;
  std::set<std::int32_t> reset_;
  bool goaway_ = false;
};

// A client and the driver, step by step.
class Trial {
 public:
  Trial(const ServerLimits& limits, std::string_view choices, std::string_view bytes)
      : choices_(choices), handler_(choices_, limits), bytes_(bytes), bare_(limits, handler_.handler()) {
    bare_.speak_http2();
  }

  void run() {
    client_.note_sent(bytes_);
    for (std::size_t at = 0; at < bytes_.size() && goes_on();) {
      const std::uint8_t choice = choices_.byte();
      const std::size_t n = choice == 0 ? bytes_.size() : choice < 192 ? choice : 4'096;
      bare_.input(bytes_.substr(at, n));
      at += n;
      between();
      check_bounds();
    }
    // Streams go on once output has gone; a request that was held until then is taken up while this settles.
    while (settle() || (goes_on() && handler_.waiting() > 0)) {
    }
    check_answers();
    if (choices_.byte() % 4 == 0) bare_.driver->input_ended();
    if (choices_.byte() % 2 == 0) handler_.forget();
    bare_.driver->gone();
    bare_.driver.reset();
    handler_.forget();
    bare_.loop.run();
    MR_ASSERT(bare_.budget->used() == 0);
  }

 private:
  bool goes_on() const { return bare_.driver->ending() == Driver::Ending::kNone; }

  void between() {
    const std::uint8_t choice = choices_.byte();
    if ((choice & 1) != 0) client_.take(bare_.output(std::size_t{choice} * 32));
    if ((choice & 2) != 0) handler_.go_on();
    if ((choice & 4) != 0) bare_.loop.run();
    if (choice >= 224) tick(choice == 255 ? 1'000 : 40);
    if (choice == 223) bare_.driver->drain();
    bare_.go_on();
  }
  void tick(std::int64_t ms) {
    bare_.now_ns += ms * 1'000'000;
    bare_.driver->tick(bare_.now_ns);
  }
  // Whether output came of it: what follows it may be more.
  bool settle() {
    handler_.finish();
    std::string output = bare_.output();
    bare_.loop.run();
    output += bare_.output();
    client_.take(output);
    return !output.empty();
  }

  void check_bounds() {
    MR_ASSERT(handler_.waiting() <= 2u * bare_.limits.http2_streams_max + 2);
    MR_ASSERT(bare_.budget->used() <= bare_.limits.buffered_bytes_max + kSlackBytes);
  }

  void check_answers() {
    const auto& taken = handler_.taken();
    std::set<std::string> numbers;
    for (const auto& [id, stream] : client_.streams()) {
      if (stream.number.empty()) continue;
      MR_ASSERT(numbers.insert(stream.number).second);
      const auto& one = taken.at(std::stoul(stream.number));
      MR_ASSERT(one.answered);
      const bool is_whole = stream.ended && stream.status == "200";
      if (is_whole && one.method != "HEAD") MR_ASSERT(one.ended && stream.body == one.body);
      if (!is_whole) MR_ASSERT(one.method == "HEAD" || one.body.starts_with(stream.body));
    }
    // While the connection is well, only a reset or an answer of the driver's own takes an answer's place.
    if (!goes_on() || client_.told_to_go()) return;
    std::size_t otherwise = 0;
    for (const auto& [id, stream] : client_.streams())
      if (stream.number.empty()) ++otherwise;
    MR_ASSERT(numbers.size() + otherwise + client_.resets_sent() >= taken.size());
  }
  fuzz::DrawnInput choices_;
  DrawnHandler handler_;
  std::string_view bytes_;
  BareDriver bare_;
  Client client_;
};

void check(std::string_view input) {
  if (input.size() < 1 + kChoices) return;
  const auto choice = static_cast<std::uint8_t>(input[0]);
  const std::string_view rest = input.substr(1 + kChoices);
  const std::string bytes = (choice & 0x80) != 0 ? made_frames(rest) : std::string(rest);
  Trial(some_limits(choice), input.substr(1, kChoices), bytes).run();
}

}  // namespace
}  // namespace millrace::net

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  millrace::net::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
