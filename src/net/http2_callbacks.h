// net/http2_callbacks.h: what nghttp2 calls, and what is said to it in its own types.
#pragma once

#include <nghttp2/nghttp2.h>

#include "net/http2.h"
#include "net/http2_stream.h"

namespace millrace::net {

struct Http2::Callbacks {
  static nghttp2_session* new_session(Http2& driver);
  static void submit_response(nghttp2_session* session, Stream& stream);
  static void submit_continue(nghttp2_session* session, std::int32_t stream_id);

 private:
  static Stream* stream_of(nghttp2_session* session, std::int32_t id);
  static int on_begin_frame(nghttp2_session*, const nghttp2_frame_hd* head, void* driver);
  static int on_begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* driver);
  static int on_header(nghttp2_session* session, const nghttp2_frame* frame, const std::uint8_t* name,
                       std::size_t name_bytes, const std::uint8_t* value, std::size_t value_bytes,
                       std::uint8_t flags, void* driver);
  static int on_frame_recv(nghttp2_session* session, const nghttp2_frame* frame, void* driver);
  static int on_data_chunk(nghttp2_session* session, std::uint8_t flags, std::int32_t id,
                           const std::uint8_t* data, std::size_t bytes, void* driver);
  static int on_stream_close(nghttp2_session* session, std::int32_t id, std::uint32_t error_code,
                             void* driver);
  static int on_frame_send(nghttp2_session* session, const nghttp2_frame* frame, void* driver);
  static ssize_t read_body(nghttp2_session* session, std::int32_t id, std::uint8_t* buffer,
                           std::size_t bytes_max, std::uint32_t* flags, nghttp2_data_source* source,
                           void* driver);
  static int send_data(nghttp2_session* session, nghttp2_frame* frame, const std::uint8_t* frame_head,
                       std::size_t bytes, nghttp2_data_source* source, void* driver);
};

}  // namespace millrace::net
