// net/http2.h: the HTTP/2 driver, on nghttp2's session, which knows no sockets either.
#pragma once

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <memory>
#include <unordered_map>

#include "net/driver.h"
#include "net/flood_gauge.h"
#include "net/out_queue.h"

namespace millrace::net {

// Taken from nghttp2 ahead of the socket.
inline constexpr std::size_t kHttp2UnsentBytesMax = 256 * 1024;
inline constexpr std::size_t kHttp2UnsentOfStrangerMax = 16 * 1024;

// What a session takes before there is any stream: nghttp2's buffers and header tables.
inline constexpr std::size_t kHttp2SessionBytes = 32 * 1024;
// What a stream takes, with nghttp2's part of it, before it has a large head or body.
inline constexpr std::size_t kHttp2StreamBytes = 3 * 1024;

class Http2 final : public Driver {
 public:
  Http2(DriverContext& context, std::int64_t now_ns);
  ~Http2() override;

  Activity activity() const override;
  bool wants_input() const override;
  std::span<std::uint8_t> body_space() override { return {}; }
  void body_arrived(std::size_t) override {}
  void received(ByteView bytes, std::int64_t now_ns) override;
  bool holds_input() const override { return false; }
  void resume_input(std::int64_t) override {}
  void input_ended() override { broken_ = true; }
  std::size_t gather(std::span<iovec> out) override;
  void sent(std::size_t bytes, std::int64_t now_ns) override;
  Ending ending() const override;
  void tick(std::int64_t now_ns) override;
  void drain() override;
  void gone() override;
  std::size_t read_bytes() const override { return 256 * 1024; }

 private:
  class Stream;
  friend class Stream;
  struct Callbacks;  // nghttp2's

  void pull();
  void terminate(std::uint32_t error_code);
  bool spend(std::int64_t tokens);
  std::size_t unsent_bytes_max() const {
    return context_.known ? kHttp2UnsentBytesMax : kHttp2UnsentOfStrangerMax;
  }

  void open_stream(std::int32_t id);
  void close_stream(std::int32_t id);
  // The peer has reset a stream: if it got nothing of the answer, that was work for nobody.
  void reset_by_peer(const Stream& stream);
  void head_complete(Stream& stream, bool has_body);
  void deliver(Stream& stream);
  void data_arrived(Stream* stream, ByteView bytes);
  void tick_stream(Stream& stream);
  // Sends the answer that stands in `stream`.
  void submit(Stream& stream);
  void reset(const Stream& stream, std::uint32_t error_code);
  void released(std::size_t request_bytes);
  void output_ready() { context_.carrier.output_ready(true); }

  DriverContext& context_;
  nghttp2_session* session_ = nullptr;
  OutQueue out_;
  std::unordered_map<std::int32_t, std::shared_ptr<Stream>> streams_;
  std::shared_ptr<std::size_t> with_handler_;  // requests not yet answered, those of closed streams too
  std::size_t unanswered_bytes_ = 0;           // bodies of whole requests not yet answered
  std::size_t withheld_bytes_ = 0;             // of the connection's window, until answers are given
  FloodGauge flood_;
  std::size_t resets_earned_ = 0;  // by answers that were taken; then resets are at the address's expense
  std::int64_t now_ns_;
  std::int64_t active_ns_;  // when there was a request last
  std::int64_t sent_ns_;    // when the peer took a byte last
  bool greeted_ = false;    // the peer's SETTINGS have come
  bool draining_ = false;
  bool going_away_ = false;  // the final GOAWAY is out
  bool deaf_ = false;        // terminated: only output goes on
  bool broken_ = false;      // neither
};

}  // namespace millrace::net
