#include "net/http2_callbacks.h"

#include <algorithm>
#include <string>
#include <vector>

#include "base/assert.h"
#include "net/names.h"
#include "net/response_head.h"

namespace millrace::net {
namespace {

constexpr std::size_t kFrameHeadBytes = 9;
constexpr std::uint64_t kResetsMax =
    100'000;  // nghttp2's own bound: ours comes first, with the better error code

Http2& driver_of(void* driver) { return *static_cast<Http2*>(driver); }

nghttp2_nv field(std::string_view name, std::string_view value) {
  const auto bytes = [](std::string_view text) {
    return const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(text.data()));
  };
  return {bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

}  // namespace

nghttp2_session* Http2::Callbacks::new_session(Http2& driver) {
  // Immutable once made, and shared by all sessions of the process.
  static nghttp2_session_callbacks* const callbacks = [] {
    nghttp2_session_callbacks* made = nullptr;
    MR_ASSERT(nghttp2_session_callbacks_new(&made) == 0);
    nghttp2_session_callbacks_set_on_begin_frame_callback(made, on_begin_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(made, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(made, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(made, on_frame_recv);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, on_data_chunk);
    nghttp2_session_callbacks_set_on_stream_close_callback(made, on_stream_close);
    nghttp2_session_callbacks_set_on_frame_send_callback(made, on_frame_send);
    nghttp2_session_callbacks_set_send_data_callback(made, send_data);
    return made;
  }();
  static nghttp2_option* const options = [] {
    nghttp2_option* made = nullptr;
    MR_ASSERT(nghttp2_option_new(&made) == 0);
    nghttp2_option_set_no_auto_window_update(made, 1);
    nghttp2_option_set_no_closed_streams(made, 1);
    nghttp2_option_set_stream_reset_rate_limit(made, kResetsMax, kResetsMax);
    return made;
  }();
  nghttp2_session* session = nullptr;
  MR_ASSERT(nghttp2_session_server_new2(&session, callbacks, &driver, options) == 0);
  return session;
}

Http2::Stream* Http2::Callbacks::stream_of(nghttp2_session* session, std::int32_t id) {
  return static_cast<Stream*>(nghttp2_session_get_stream_user_data(session, id));
}

// Frames that carry no request cost the sender little and us something.
int Http2::Callbacks::on_begin_frame(nghttp2_session*, const nghttp2_frame_hd* head, void* driver) {
  switch (head->type) {
    case NGHTTP2_HEADERS:
      return 0;
    case NGHTTP2_DATA:
      if (head->length != 0 || (head->flags & NGHTTP2_FLAG_END_STREAM) != 0) return 0;
      break;
    default:
      break;
  }
  driver_of(driver).spend(1);
  return 0;
}

int Http2::Callbacks::on_begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* driver) {
  if (frame->headers.cat == NGHTTP2_HCAT_REQUEST) driver_of(driver).open_stream(frame->hd.stream_id);
  return 0;
}

int Http2::Callbacks::on_header(nghttp2_session* session, const nghttp2_frame* frame,
                                const std::uint8_t* name, std::size_t name_bytes, const std::uint8_t* value,
                                std::size_t value_bytes, std::uint8_t, void* driver) {
  if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;  // trailers are not looked at
  Stream* const stream = stream_of(session, frame->hd.stream_id);
  if (stream == nullptr) return 0;
  if (!stream->add_header(as_text({name, name_bytes}), as_text({value, value_bytes}))) {
    driver_of(driver).terminate(NGHTTP2_ENHANCE_YOUR_CALM);  // a few bytes that unpack to very many
  }
  return 0;
}

int Http2::Callbacks::on_frame_recv(nghttp2_session* session, const nghttp2_frame* frame, void* driver) {
  Http2& own = driver_of(driver);
  if (frame->hd.type == NGHTTP2_SETTINGS) own.greeted_ = true;
  if (frame->hd.type == NGHTTP2_RST_STREAM) {
    if (const Stream* const reset = stream_of(session, frame->hd.stream_id)) own.reset_by_peer(*reset);
    return 0;
  }
  if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) return 0;
  Stream* const stream = stream_of(session, frame->hd.stream_id);
  if (stream == nullptr) return 0;
  const bool ends = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
    own.head_complete(*stream, !ends);
  if (ends) own.deliver(*stream);
  return 0;
}

int Http2::Callbacks::on_data_chunk(nghttp2_session* session, std::uint8_t, std::int32_t id,
                                    const std::uint8_t* data, std::size_t bytes, void* driver) {
  driver_of(driver).data_arrived(stream_of(session, id), {data, bytes});
  return 0;
}

int Http2::Callbacks::on_stream_close(nghttp2_session*, std::int32_t id, std::uint32_t, void* driver) {
  driver_of(driver).close_stream(id);
  return 0;
}

// Answered before the request was whole: the rest of it is not wanted (RFC 9113, 8.1).
int Http2::Callbacks::on_frame_send(nghttp2_session* session, const nghttp2_frame* frame, void*) {
  if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_RESPONSE) {
    if (Stream* const stream = stream_of(session, frame->hd.stream_id)) stream->head_sent = true;
  }
  const bool ends = (frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) &&
                    (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  if (ends && nghttp2_session_get_stream_remote_close(session, frame->hd.stream_id) == 0) {
    nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_NO_ERROR);
  }
  return 0;
}

ssize_t Http2::Callbacks::read_body(nghttp2_session*, std::int32_t, std::uint8_t*, std::size_t bytes_max,
                                    std::uint32_t* flags, nghttp2_data_source* source, void*) {
  Stream& stream = *static_cast<Stream*>(source->ptr);
  const Stream::Piece piece = stream.next_piece(bytes_max);
  if (piece.dropped) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  if (piece.not_yet) {
    stream.deferred = true;
    return NGHTTP2_ERR_DEFERRED;
  }
  if (piece.bytes != 0) *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
  if (piece.last) *flags |= NGHTTP2_DATA_FLAG_EOF;
  return static_cast<ssize_t>(piece.bytes);
}

int Http2::Callbacks::send_data(nghttp2_session*, nghttp2_frame*, const std::uint8_t* frame_head,
                                std::size_t bytes, nghttp2_data_source* source, void* driver) {
  Http2& own = driver_of(driver);
  if (own.out_.bytes() >= own.unsent_bytes_max()) return NGHTTP2_ERR_WOULDBLOCK;
  Stream& stream = *static_cast<Stream*>(source->ptr);
  own.out_.add_copy(as_text({frame_head, kFrameHeadBytes}));
  stream.take_piece(bytes, own.out_);
  stream.since_ns = own.now_ns_;
  own.flood_.earn(2);  // one WINDOW_UPDATE each for the stream and the connection is fair
  return 0;
}

void Http2::Callbacks::submit_response(nghttp2_session* session, Stream& stream) {
  const Response& response = stream.response;
  const bool without_body =
      is_bodiless(response.status) || stream.head_only || (!stream.body && !stream.queue);
  const std::string status = std::to_string(response.status);
  const std::string length = std::to_string(stream.body ? stream.body->size() : 0);
  std::vector<std::pair<std::string, std::string>> headers;  // lower-cased names, values without line breaks
  headers.reserve(response.headers.size());
  std::vector<nghttp2_nv> fields{field(":status", status), field("date", http_date())};
  if (!stream.queue && !is_bodiless(response.status)) fields.push_back(field("content-length", length));
  for (const auto& [name, value] : response.headers) {
    if (is_framing_header(name)) continue;
    auto& [lower, clean] = headers.emplace_back(name, value);
    std::transform(lower.begin(), lower.end(), lower.begin(), ascii_lower);
    std::replace_if(
        clean.begin(), clean.end(), [](char c) { return c == '\r' || c == '\n' || c == '\0'; }, ' ');
    fields.push_back(field(lower, clean));
  }
  nghttp2_data_provider provider{{.ptr = &stream}, read_body};
  nghttp2_submit_response(session, stream.id, fields.data(), fields.size(),
                          without_body ? nullptr : &provider);
  if (without_body && stream.queue) std::exchange(stream.queue, nullptr)->detach(true);
}

void Http2::Callbacks::submit_continue(nghttp2_session* session, std::int32_t stream_id) {
  const nghttp2_nv fields[] = {field(":status", "100")};
  nghttp2_submit_headers(session, NGHTTP2_FLAG_NONE, stream_id, nullptr, fields, std::size(fields), nullptr);
}

}  // namespace millrace::net
