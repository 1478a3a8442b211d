#include "net/http2.h"

#include <algorithm>
#include <charconv>

#include "base/assert.h"
#include "base/clock.h"
#include "net/http2_callbacks.h"
#include "net/http2_stream.h"
#include "net/names.h"
#include "net/response_head.h"

namespace millrace::net {
namespace {

constexpr std::size_t kQueuedFramesMax = 2'000;  // our answers to a peer that does not read them
constexpr std::size_t kQueuedForStrangerMax = 200;
constexpr std::size_t kResetsEarnedMax = 1'000;
constexpr std::int32_t kStreamWindowBytes = 1024 * 1024;
constexpr std::int32_t kConnectionWindowBytes = 16 * 1024 * 1024;
constexpr std::int64_t kIdleFramesMax = 1'000;  // at once; see FloodGauge
constexpr std::int64_t kIdleFramesASecond = 200;

}  // namespace

Http2::Http2(DriverContext& context, std::int64_t now_ns)
    : context_(context),
      with_handler_(std::make_shared<std::size_t>(0)),
      flood_(kIdleFramesMax, kIdleFramesASecond, now_ns),
      now_ns_(now_ns),
      active_ns_(now_ns),
      sent_ns_(now_ns) {
  session_ = Callbacks::new_session(*this);
  const nghttp2_settings_entry settings[] = {
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, context.limits.http2_streams_max},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kStreamWindowBytes},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, static_cast<std::uint32_t>(context.limits.header_bytes_max)},
      {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
  };
  MR_ASSERT(nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings, std::size(settings)) == 0);
  MR_ASSERT(nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, kConnectionWindowBytes) ==
            0);
}

Http2::~Http2() {
  gone();
  nghttp2_session_del(session_);
}

bool Http2::wants_input() const {
  return !deaf_ && !broken_ && nghttp2_session_want_read(session_) != 0 &&
         nghttp2_session_get_outbound_queue_size(session_) <
             (context_.known ? kQueuedFramesMax : kQueuedForStrangerMax + streams_.size());
}

Driver::Activity Http2::activity() const {
  if (streams_.empty()) return out_.empty() ? Activity::kIdle : Activity::kWaitsForPeer;
  for (const auto& [id, stream] : streams_)
    if (stream->is_under_way()) return Activity::kServes;
  return Activity::kWaitsForPeer;
}

void Http2::received(ByteView bytes, std::int64_t now_ns) {
  if (deaf_ || broken_) return;
  now_ns_ = now_ns;
  const auto used = nghttp2_session_mem_recv(session_, bytes.data(), bytes.size());
  if (used == NGHTTP2_ERR_FLOODED) return terminate(NGHTTP2_ENHANCE_YOUR_CALM);
  if (used < 0) terminate(NGHTTP2_PROTOCOL_ERROR);
}

void Http2::terminate(std::uint32_t error_code) {
  deaf_ = true;
  nghttp2_session_terminate_session(session_, error_code);
}

bool Http2::spend(std::int64_t tokens) {
  if (flood_.spend(tokens, now_ns_)) return true;
  if (!deaf_) terminate(NGHTTP2_ENHANCE_YOUR_CALM);
  return false;
}

std::size_t Http2::gather(std::span<iovec> out) {
  pull();
  return out_.gather(out);
}

void Http2::pull() {
  while (!broken_ && out_.bytes() < unsent_bytes_max()) {
    const std::uint8_t* data = nullptr;
    const auto bytes = nghttp2_session_mem_send(session_, &data);
    if (bytes < 0) broken_ = true;
    if (bytes <= 0) return;
    out_.add_copy(as_text({data, static_cast<std::size_t>(bytes)}));
  }
}

void Http2::sent(std::size_t bytes, std::int64_t now_ns) {
  now_ns_ = now_ns;
  sent_ns_ = now_ns;
  out_.sent(bytes);
}

Driver::Ending Http2::ending() const {
  if (broken_) return Ending::kClose;
  if (nghttp2_session_want_read(session_) != 0 || nghttp2_session_want_write(session_) != 0)
    return Ending::kNone;
  return Ending::kLinger;  // else a frame on its way to us could cost the peer our GOAWAY
}

void Http2::open_stream(std::int32_t id) {
  active_ns_ = now_ns_;
  // Streams that are reset at once do not count as concurrent, but their requests are under way all the same.
  if (*with_handler_ > 2u * context_.limits.http2_streams_max) return terminate(NGHTTP2_ENHANCE_YOUR_CALM);
  const auto stream = std::make_shared<Stream>(*this, id);
  if (!context_.known && !stream->hold(kHttp2StreamBytes)) return terminate(NGHTTP2_ENHANCE_YOUR_CALM);
  streams_.emplace(id, stream);
  nghttp2_session_set_stream_user_data(session_, id, stream.get());
}

void Http2::reset_by_peer(const Stream& stream) {
  if (stream.has_begun_to_leave()) return;
  if (resets_earned_ > 0) {
    --resets_earned_;
  } else if (!context_.source.spend(now_ns_) && !deaf_) {
    terminate(NGHTTP2_ENHANCE_YOUR_CALM);
  }
}

void Http2::close_stream(std::int32_t id) {
  active_ns_ = now_ns_;
  const auto found = streams_.find(id);
  if (found == streams_.end()) return;
  const auto stream = std::move(found->second);
  streams_.erase(found);
  released(std::exchange(stream->request_bytes, 0));
  if (stream->is_complete()) {
    flood_.earn(2);
    resets_earned_ = std::min(resets_earned_ + 1, kResetsEarnedMax);
  }
  const bool complete = stream->queue && stream->queue->ended() && !stream->queue->has_chunk();
  stream->closed(!complete);
}

void Http2::head_complete(Stream& stream, bool has_body) {
  stream.head_done = true;
  stream.since_ns = now_ns_;
  stream.place_headers();
  Request& request = *stream.request;
  const std::string_view origin = request.header("origin");
  const Gate* const gate = context_.gate;
  if (gate != nullptr && !origin.empty() && gate->allows_origin(origin)) stream.allowed_origin = origin;
  if (stream.head_too_large) return stream.fail(head_too_large());
  stream.head_only = request.method == "HEAD";
  const std::string_view length = request.header("content-length");
  std::from_chars(length.data(), length.data() + length.size(),
                  stream.content_length);  // nghttp2 has checked it
  if (stream.content_length > context_.limits.body_bytes_max) return stream.fail(body_too_large());
  if (gate != nullptr) {
    const std::uint64_t unsaid = has_body ? Gate::kUnknownLength : 0;
    Admission admission = gate->admit(request, length.empty() ? unsaid : stream.content_length);
    if (admission.refusal != nullptr) return stream.fail(std::move(*admission.refusal));
    if (admission.withholds_body && has_body) {
      request.body_withheld = true;
      return deliver(stream);
    }
    if (admission.digests_body && has_body) stream.digest = std::make_unique<BodyDigest>();
  }
  if (has_body) context_.admitted = true;
  if (same_name(request.header("expect"), "100-continue")) Callbacks::submit_continue(session_, stream.id);
}

void Http2::data_arrived(Stream* stream, ByteView bytes) {
  // One client is not to use up all memory with requests that wait for their answers.
  if (unanswered_bytes_ > context_.limits.buffered_bytes_max / 8) {
    withheld_bytes_ += bytes.size();
  } else {
    nghttp2_session_consume_connection(session_, bytes.size());
  }
  if (stream == nullptr) return;
  nghttp2_session_consume_stream(session_, stream->id, bytes.size());
  if (stream->refusing) return;
  if (stream->request->body.size() + bytes.size() > context_.limits.body_bytes_max) {
    return stream->fail(body_too_large());
  }
  if (!stream->make_room(bytes.size())) return stream->fail(context_.no_room());
  stream->request->body.append(bytes);
  if (stream->digest) stream->digest->add(bytes);
}

void Http2::released(std::size_t request_bytes) {
  unanswered_bytes_ -= request_bytes;
  if (withheld_bytes_ == 0 || unanswered_bytes_ > context_.limits.buffered_bytes_max / 8) return;
  nghttp2_session_consume_connection(session_, std::exchange(withheld_bytes_, 0));
}

void Http2::deliver(Stream& stream) {
  if (stream.refusing) return;
  auto request = std::move(stream.request);
  stream.refusing = true;
  if (stream.digest) request->body_sha256 = stream.digest->finish();
  stream.digest.reset();
  stream.request_bytes = request->body.size();
  unanswered_bytes_ += stream.request_bytes;
  stream.counted_ = true;
  ++*with_handler_;
  request->http_major = 2;
  request->tls = context_.tls;
  request->peer_storage = context_.peer;
  request->peer = request->peer_storage;
  request->loop = &context_.loop;
  request->caller_known = &context_.known;
  LoopCounters::add(context_.counters.requests_total, 1);
  context_.handler(std::move(request), Responder(streams_.at(stream.id)));
}

void Http2::submit(Stream& stream) {
  released(std::exchange(stream.request_bytes, 0));
  stream.since_ns = now_ns_;
  Callbacks::submit_response(session_, stream);
  output_ready();
}

void Http2::reset(const Stream& stream, std::uint32_t error_code) {
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream.id, error_code);
  output_ready();
}

void Http2::drain() {
  draining_ = true;
  if (streams_.empty()) return terminate(NGHTTP2_NO_ERROR);
  nghttp2_submit_shutdown_notice(
      session_);  // the final GOAWAY follows when requests on their way have arrived
}

void Http2::tick(std::int64_t now_ns) {
  const ServerLimits& limits = context_.limits;
  now_ns_ = now_ns;
  if (deaf_ || broken_) return;
  if (draining_ && !std::exchange(going_away_, true)) {
    nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(session_),
                          NGHTTP2_NO_ERROR, nullptr, 0);
  }
  if (!greeted_ && now_ns - active_ns_ > limits.header_ms_max * kNsPerMs)
    return terminate(NGHTTP2_SETTINGS_TIMEOUT);
  if (streams_.empty()) {
    if (now_ns - active_ns_ > limits.idle_ms_max * kNsPerMs) terminate(NGHTTP2_NO_ERROR);
    return;
  }
  active_ns_ = now_ns;
  for (const auto& [id, stream] : streams_) tick_stream(*stream);
}

void Http2::tick_stream(Stream& stream) {
  const ServerLimits& limits = context_.limits;
  const std::int64_t waited_ns = now_ns_ - stream.since_ns;
  if (!stream.head_done) {
    // Its CONTINUATION frames hold up every other stream.
    if (waited_ns > limits.header_ms_max * kNsPerMs) terminate(NGHTTP2_ENHANCE_YOUR_CALM);
  } else if (!stream.refusing) {
    if (waited_ns > limits.body_ms_max * kNsPerMs) stream.fail(request_timeout());
  } else if (!stream.has_output()) {
    stream.since_ns = now_ns_;
  } else if (waited_ns > limits.write_ms_max * kNsPerMs) {
    if (now_ns_ - sent_ns_ > limits.write_ms_max * kNsPerMs / 2) return terminate(NGHTTP2_ENHANCE_YOUR_CALM);
    reset(stream, NGHTTP2_CANCEL);
  }
}

void Http2::gone() {
  broken_ = true;
  for (const auto& [id, stream] : std::exchange(streams_, {})) stream->closed(true);
  out_ = OutQueue{};  // what it is charged for is free at once
}

}  // namespace millrace::net
