// An HTTP/2 client on nghttp2's client side, over clear text, driven by the test step by step.
#pragma once

#include <gtest/gtest.h>
#include <nghttp2/nghttp2.h>
#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "raw_client.h"

namespace millrace::net {

class Http2Client {
 public:
  struct Stream {
    std::map<std::string, std::string> headers;
    std::string body;
    std::string to_send;      // of the request's body
    bool unfinished = false;  // the body never ends
    bool closed = false;
    std::uint32_t error_code = 0;
    int status() const { return headers.contains(":status") ? std::stoi(headers.at(":status")) : 0; }
  };

  // `window_bytes`: for response bodies, of each stream.
  explicit Http2Client(std::uint16_t port, std::uint32_t window_bytes = 1024 * 1024,
                       bool give_windows_back = true)
      : connection_(port, 0) {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_option* options = nullptr;
    nghttp2_option_new(&options);
    nghttp2_option_set_no_auto_window_update(options, give_windows_back ? 0 : 1);
    nghttp2_session_client_new2(&session_, callbacks, this, options);
    nghttp2_option_del(options);
    nghttp2_session_callbacks_del(callbacks);
    const nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, window_bytes}};
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings, 1);
  }
  ~Http2Client() { nghttp2_session_del(session_); }
  Http2Client(const Http2Client&) = delete;
  Http2Client& operator=(const Http2Client&) = delete;

  // Queues a request and returns its stream; `unfinished`: no END_STREAM follows its body.
  std::int32_t request(const std::string& method, const std::string& path, std::string body,
                       const std::vector<std::pair<std::string, std::string>>& headers = {},
                       bool unfinished = false) {
    std::vector<nghttp2_nv> fields{field(":method", method), field(":scheme", "http"), field(":path", path),
                                   field(":authority", "here")};
    for (const auto& [name, value] : headers) fields.push_back(field(name, value));
    auto held = std::make_shared<Stream>();
    held->to_send = std::move(body);
    held->unfinished = unfinished;
    nghttp2_data_provider provider{{.ptr = held.get()}, read_body};
    const std::int32_t id = nghttp2_submit_request(session_, nullptr, fields.data(), fields.size(),
                                                   held->to_send.empty() ? nullptr : &provider, held.get());
    streams_[id] = held;
    return id;
  }
  nghttp2_session* session() { return session_; }
  Stream& stream(std::int32_t id) { return *streams_.at(id); }
  std::optional<std::uint32_t> goaway_code() const { return goaway_code_; }
  bool ended() const { return ended_; }
  void disconnect() { ::shutdown(connection_.socket(), SHUT_RDWR); }
  // Bytes as they are, behind what nghttp2 has said.
  void send_raw(std::string_view bytes) {
    send_waiting();
    connection_.send(bytes);
  }

  // Sends and receives until `done`, or for `ms_max`, or until the end of the connection; returns done().
  bool exchange_until(const std::function<bool()>& done, int ms_max = 10'000) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(ms_max);
    while (!done() && std::chrono::steady_clock::now() < until && !ended_) {
      send_waiting();
      const bool full = !unsent_.empty();
      pollfd ready{connection_.socket(), static_cast<short>(POLLIN | (full ? POLLOUT : 0)), 0};
      if (::poll(&ready, 1, 10) <= 0 || (ready.revents & (POLLIN | POLLHUP | POLLERR)) == 0) continue;
      std::uint8_t bytes[65'536];
      const ssize_t got = ::recv(connection_.socket(), bytes, sizeof(bytes), MSG_DONTWAIT);
      if (got == 0 || (got < 0 && errno != EAGAIN)) ended_ = true;
      if (got > 0) nghttp2_session_mem_recv(session_, bytes, static_cast<std::size_t>(got));
    }
    return done();
  }

 private:
  static nghttp2_nv field(std::string_view name, std::string_view value) {
    const auto bytes = [](std::string_view text) {
      return const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(text.data()));
    };
    return {bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
  }
  void send_waiting() {
    for (;;) {
      if (unsent_.empty()) {
        const std::uint8_t* data = nullptr;
        const ssize_t bytes = nghttp2_session_mem_send(session_, &data);
        if (bytes <= 0) return;
        unsent_.assign(reinterpret_cast<const char*>(data), static_cast<std::size_t>(bytes));
      }
      unsent_.erase(0, connection_.send_some(unsent_));
      if (!unsent_.empty()) return;
    }
  }
  static ssize_t read_body(nghttp2_session*, std::int32_t, std::uint8_t* out, std::size_t bytes_max,
                           std::uint32_t* flags, nghttp2_data_source* source, void*) {
    auto& [headers, body, rest, unfinished, closed, error_code] = *static_cast<Stream*>(source->ptr);
    if (rest.empty() && unfinished) return NGHTTP2_ERR_DEFERRED;
    const std::size_t n = rest.copy(reinterpret_cast<char*>(out), bytes_max);
    rest.erase(0, n);
    if (rest.empty() && !unfinished) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(n);
  }
  static int on_header(nghttp2_session* session, const nghttp2_frame* frame, const std::uint8_t* name,
                       std::size_t name_bytes, const std::uint8_t* value, std::size_t value_bytes,
                       std::uint8_t, void*) {
    if (auto* stream = at(session, frame->hd.stream_id)) {
      stream->headers[std::string(reinterpret_cast<const char*>(name), name_bytes)] =
          std::string(reinterpret_cast<const char*>(value), value_bytes);
    }
    return 0;
  }
  static int on_data(nghttp2_session* session, std::uint8_t, std::int32_t id, const std::uint8_t* data,
                     std::size_t bytes, void*) {
    if (auto* stream = at(session, id)) stream->body.append(reinterpret_cast<const char*>(data), bytes);
    return 0;
  }
  static int on_close(nghttp2_session* session, std::int32_t id, std::uint32_t error_code, void*) {
    if (auto* stream = at(session, id)) {
      stream->closed = true;
      stream->error_code = error_code;
    }
    return 0;
  }
  static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* own) {
    if (frame->hd.type == NGHTTP2_GOAWAY)
      static_cast<Http2Client*>(own)->goaway_code_ = frame->goaway.error_code;
    return 0;
  }
  static Stream* at(nghttp2_session* session, std::int32_t id) {
    return static_cast<Stream*>(nghttp2_session_get_stream_user_data(session, id));
  }

  RawClient connection_;
  nghttp2_session* session_ = nullptr;
  std::map<std::int32_t, std::shared_ptr<Stream>> streams_;
  std::string unsent_;
  std::optional<std::uint32_t> goaway_code_;
  bool ended_ = false;
};

}  // namespace millrace::net
