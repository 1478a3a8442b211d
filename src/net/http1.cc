#include "net/http1.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/clock.h"
#include "net/http1_exchange.h"
#include "net/response_head.h"

namespace millrace::net {
namespace {

// With more than this unsent, no further request is taken up.
constexpr std::size_t kUnsentBeforeRequestMax = 1024 * 1024;
constexpr std::size_t kUnsentOfStrangerMax = 4 * 1024;
constexpr std::size_t kUnchargedPendingBytes = 4 * 1024;  // most heads are smaller
constexpr std::size_t kUnchargedOfStrangerBytes = 512;    // of half a head that many may send

bool begins_a_method(std::uint8_t byte) { return byte >= 'A' && byte <= 'Z'; }

}  // namespace

Http1::Http1(DriverContext& context, std::int64_t now_ns)
    : context_(context), pending_charge_(*context.strangers_budget), since_ns_(now_ns) {}
Http1::~Http1() { gone(); }

bool Http1::is_paused() const {
  return exchanges_.size() >= context_.limits.pipelined_max ||
         out_.bytes() > (context_.known ? kUnsentBeforeRequestMax : kUnsentOfStrangerMax) ||
         unanswered_bytes_ > context_.limits.buffered_bytes_max / 8;  // one client is not to use it all up
}

Driver::Activity Http1::activity() const {
  const std::size_t arriving = request_ ? 1 : 0;
  if (exchanges_.size() > arriving) {
    const Exchange& first = *exchanges_.front();
    const bool peer_is_slow = first.state == Exchange::State::kWaiting ? false : !out_.empty();
    return peer_is_slow ? Activity::kWaitsForPeer : Activity::kServes;
  }
  return request_ || head_begun_ || !out_.empty() ? Activity::kWaitsForPeer : Activity::kIdle;
}

bool Http1::wants_input() const {
  return reading_ == Reading::kBody || reading_ == Reading::kChunks ||
         (reading_ == Reading::kHead && !is_paused());
}

std::span<std::uint8_t> Http1::body_space() {
  if (reading_ != Reading::kBody) return {};
  Bytes& body = request_->body;
  return {body.data() + body.size(), std::min<std::size_t>(body.capacity(), body_bytes_) - body.size()};
}

void Http1::body_arrived(std::size_t bytes) {
  Bytes& body = request_->body;
  body.commit(bytes);
  if (digest_) digest_->add(body.view().last(bytes));
  if (body.size() == body_bytes_) {
    deliver();
    pump();
  } else if (body.size() == body.capacity()) {
    make_room();
  }
}

void Http1::received(ByteView bytes, std::int64_t now_ns) {
  if (pending_.empty()) {
    const std::size_t used = consume(bytes, now_ns);
    if (reading_ != Reading::kNothing) pending_.append(bytes.subspan(used));
    if (!pending_fits()) fail(context_.no_room());
  } else {
    pending_.append(bytes);
    if (pending_fits())
      resume_input(now_ns);
    else
      fail(context_.no_room());
  }
  pump();
}

void Http1::resume_input(std::int64_t now_ns) {
  const std::size_t used = consume(pending_.view(), now_ns);
  const std::size_t left = pending_.size() - used;
  if (left == 0 || reading_ == Reading::kNothing) {
    pending_ = Bytes{};  // an idle connection holds no buffer
    pending_charge_.release();
  } else if (used != 0) {
    std::memmove(pending_.data(), pending_.data() + used, left);
    pending_.resize(left);
  }
  pump();
}

bool Http1::pending_fits() {
  return pending_.capacity() <= (context_.known ? kUnchargedPendingBytes : kUnchargedOfStrangerBytes) ||
         reading_ == Reading::kNothing || context_.raise(pending_charge_, pending_.capacity());
}

// Returns how many of `bytes` are done with.
std::size_t Http1::consume(ByteView bytes, std::int64_t now_ns) {
  std::size_t used = 0;
  while (used < bytes.size()) {
    const ByteView rest = bytes.subspan(used);
    std::size_t n = 0;
    switch (reading_) {
      case Reading::kHead:
        held_ = is_paused();
        if (held_) return used;
        n = consume_head(rest, now_ns);
        break;
      case Reading::kBody: {
        const auto space = body_space();
        n = std::min(space.size(), rest.size());
        std::memcpy(space.data(), rest.data(), n);
        body_arrived(n);
        break;
      }
      case Reading::kChunks:
        n = consume_chunks(rest);
        break;
      case Reading::kNothing:
        return used;
    }
    used += n;
    if (n == 0) break;
  }
  return used;
}

std::size_t Http1::consume_head(ByteView bytes, std::int64_t now_ns) {
  if (!head_begun_) {
    // Empty lines before a request are allowed (RFC 9112, 2.2).
    const auto first =
        std::find_if(bytes.begin(), bytes.end(), [](auto byte) { return byte != '\r' && byte != '\n'; });
    if (first != bytes.begin()) return static_cast<std::size_t>(first - bytes.begin());
    head_begun_ = true;
    head_seen_ = 0;
    since_ns_ = now_ns;
    if (!begins_a_method(bytes.front())) {
      fail(bad_request("This is not an HTTP request."));
      return 0;
    }
  }
  const std::string_view text = as_text(bytes);
  const std::size_t end = find_head_end(text, head_seen_);
  if (std::min(end, text.size()) > context_.limits.header_bytes_max) {
    fail(head_too_large(), text);
    return 0;
  }
  if (end == std::string_view::npos) {
    head_seen_ = text.size();
    return 0;
  }
  begin_request(text.substr(0, end), now_ns);
  return end;
}

void Http1::begin_request(std::string_view head_text, std::int64_t now_ns) {
  head_begun_ = false;
  since_ns_ = now_ns;
  request_ = std::make_unique<Request>();
  request_->head.reserve(head_text.size());
  request_->head.append(head_text);
  Exchange& exchange = *exchanges_.emplace_back(std::make_shared<Exchange>(*this, context_));

  const auto head = parse_http1_head(*request_);
  if (!head) return fail(bad_request("The request is malformed."), head_text);
  exchange.http11 = head->http11;
  exchange.head_only = request_->method == "HEAD";
  exchange.keep_alive = head->keep_alive;
  allow_origin(exchange, request_->header("origin"));
  if (head->expects_other)
    return fail(error_response(417, "ExpectationFailedException", "Unknown expectation."));
  if (head->content_length.value_or(0) > context_.limits.body_bytes_max) return fail(body_too_large());
  if (!admit(head->chunked ? Gate::kUnknownLength : head->content_length.value_or(0))) return;

  if (head->chunked) {
    reading_ = Reading::kChunks;
    chunks_ = std::make_unique<ChunkedBody>(request_->head.text(), context_.limits.body_bytes_max,
                                            context_.limits.header_bytes_max);
  } else if (head->content_length.value_or(0) > 0) {
    reading_ = Reading::kBody;
    body_bytes_ = *head->content_length;
    make_room();
  } else {
    return deliver();
  }
  exchange.wants_continue = head->expects_continue;
}

bool Http1::admit(std::uint64_t body_bytes) {
  if (context_.gate == nullptr) return context_.admitted = true;
  Admission admission = context_.gate->admit(*request_, body_bytes);
  if (admission.refusal != nullptr) {
    fail(std::move(*admission.refusal));
    return false;
  }
  if (!admission.withholds_body || body_bytes == 0) {
    if (admission.digests_body && body_bytes != 0) digest_ = std::make_unique<BodyDigest>();
    if (body_bytes != 0) context_.admitted = true;
    return true;
  }
  request_->body_withheld = true;
  exchanges_.back()->keep_alive = false;
  exchanges_.back()->linger = true;
  deliver();
  return false;
}

void Http1::allow_origin(Exchange& exchange, std::string_view origin) const {
  if (origin.empty() || context_.gate == nullptr || !context_.gate->allows_origin(origin)) return;
  exchange.allowed_origin = origin;
}

void Http1::make_room() {
  Bytes& body = request_->body;
  const auto capacity =
      static_cast<std::size_t>(std::min<std::uint64_t>(body_bytes_, body_room(body.size())));
  if (!context_.raise(exchanges_.back()->charge, capacity)) return fail(context_.no_room());
  body.reserve(capacity);
}

std::size_t Http1::consume_chunks(ByteView bytes) {
  std::size_t used = 0;
  const std::size_t before = request_->body.size();
  const auto state = chunks_->feed(bytes, request_->body, used);
  if (digest_) digest_->add(request_->body.view().subspan(before));
  if (state == ChunkedBody::State::kBad) {
    fail(bad_request("The request body is malformed."));
  } else if (state == ChunkedBody::State::kTooLarge) {
    fail(body_too_large());
  } else if (state == ChunkedBody::State::kLineTooLong) {
    fail(head_too_large());
  } else if (!context_.raise(exchanges_.back()->charge, request_->body.capacity())) {
    fail(context_.no_room());
  } else if (state == ChunkedBody::State::kDone) {
    deliver();
  }
  return used;
}

void Http1::deliver() {
  const auto exchange = exchanges_.back();
  exchange->wants_continue = false;
  exchange->request_bytes = request_->body.size();
  unanswered_bytes_ += exchange->request_bytes;
  if (digest_) request_->body_sha256 = digest_->finish();
  reading_ = exchange->keep_alive ? Reading::kHead : Reading::kNothing;
  chunks_.reset();
  digest_.reset();

  request_->peer_storage = context_.peer;
  request_->peer = request_->peer_storage;
  request_->tls = context_.tls;
  request_->loop = &context_.loop;
  request_->caller_known = &context_.known;
  LoopCounters::add(context_.counters.requests_total, 1);
  delivering_ = true;
  context_.handler(std::move(request_), Responder(exchange));
  delivering_ = false;
  pump();  // at once, so that a run of requests that are answered at once is not held up by pipelined_max
}

void Http1::fail(Response response, std::string_view head) {
  if (!request_) exchanges_.push_back(std::make_shared<Exchange>(*this, context_));
  if (!head.empty()) allow_origin(*exchanges_.back(), origin_in(head));
  request_.reset();
  chunks_.reset();
  digest_.reset();
  reading_ = Reading::kNothing;
  head_begun_ = false;
  Exchange& exchange = *exchanges_.back();
  exchange.wants_continue = false;
  exchange.keep_alive = false;
  exchange.linger = true;
  const bool outer = std::exchange(delivering_, true);  // whoever called pumps
  exchange.respond(std::move(response));
  delivering_ = outer;
}

void Http1::answered(Exchange& exchange) {
  unanswered_bytes_ -= std::exchange(exchange.request_bytes, 0);
  if (delivering_) return;
  pump();
  context_.carrier.output_ready(false);
}

void Http1::stream_changed(StreamQueue& stream) {
  if (delivering_ || exchanges_.empty() || exchanges_.front()->stream.get() != &stream) return;
  pump();
  context_.carrier.output_ready(false);
}

// Nothing can follow it on this connection.
bool Http1::is_last(const Exchange& exchange) const {
  if (!exchange.keep_alive) return true;
  const bool between =
      exchanges_.size() == 1 && !head_begun_ && reading_ != Reading::kBody && reading_ != Reading::kChunks;
  return between && (draining_ || input_ended_);
}

// Turns answers into output, as far as their order allows.
void Http1::pump() {
  while (!exchanges_.empty() && ending_ == Ending::kNone) {
    const auto exchange = exchanges_.front();
    switch (exchange->state) {
      case Exchange::State::kWaiting:
        if (std::exchange(exchange->wants_continue, false)) out_.add_copy("HTTP/1.1 100 Continue\r\n\r\n");
        return;
      case Exchange::State::kAbandoned:
        return finish(Ending::kClose);
      case Exchange::State::kAnswered:
        write_answer(*exchange);
        break;
      case Exchange::State::kStreaming:
        if (!write_stream(*exchange)) return;
        break;
    }
    exchange->detach(false);
    const bool last = is_last(*exchange);
    exchanges_.erase(exchanges_.begin());
    if (last) finish(exchange->linger || !pending_.empty() ? Ending::kLinger : Ending::kClose);
  }
}

void Http1::write_answer(Exchange& exchange) {
  thread_local std::string head;
  Response& response = exchange.response;
  const bool bodiless = is_bodiless(response.status);
  const bool last = is_last(exchange);
  Http1Framing framing;
  if (!bodiless) framing.content_length = response.body.size();
  framing.close = last;
  framing.keep_alive = !last && !exchange.http11;
  write_http1_head(head, response, framing);
  out_.add_copy(head);
  if (!bodiless && !exchange.head_only) out_.add(std::move(response.body), std::move(exchange.charge));
}

bool Http1::write_stream(Exchange& exchange) {
  thread_local std::string text;
  const bool without_body = exchange.head_only || is_bodiless(exchange.response.status);
  const bool chunked = exchange.http11 && !without_body;
  if (!std::exchange(exchange.head_written, true)) {
    if (!exchange.http11) {
      // The end of the connection is the end of the body: what follows would never be answered.
      exchange.linger = exchange.keep_alive;
      exchange.keep_alive = false;
      if (!request_) reading_ = Reading::kNothing;
    }
    Http1Framing framing;
    framing.chunked = chunked;
    framing.close = is_last(exchange);
    write_http1_head(text, exchange.response, framing);
    out_.add_copy(text);
  }
  StreamQueue& stream = *exchange.stream;
  if (without_body) {
    stream.detach(true);
    return true;
  }
  while (stream.has_chunk()) {
    const auto [chunk, offset] = stream.front();
    const std::size_t bytes = chunk->size() - offset;
    if (chunked) out_.add_chunk_head(bytes);
    out_.add(chunk, offset, bytes, exchange.stream);
    stream.take(bytes);
    if (chunked) out_.add_copy("\r\n");
  }
  if (stream.dropped()) {
    finish(Ending::kClose);
    return false;
  }
  if (stream.ended() && chunked) out_.add_copy("0\r\n\r\n");
  return stream.ended();
}

void Http1::finish(Ending ending) {
  ending_ = ending;
  reading_ = Reading::kNothing;
  pending_ = Bytes{};
  pending_charge_.release();
  request_.reset();
  chunks_.reset();
  digest_.reset();
  for (const auto& exchange : std::exchange(exchanges_, {})) exchange->detach(true);
}

void Http1::sent(std::size_t bytes, std::int64_t now_ns) {
  out_.sent(bytes);
  if (reading_ == Reading::kHead && !head_begun_) since_ns_ = now_ns;
}

void Http1::input_ended() {
  input_ended_ = true;
  // A request that will not be whole is as good as none; those before it are answered still.
  if (request_) {
    request_.reset();
    exchanges_.back()->detach(true);
    exchanges_.pop_back();
  }
  reading_ = Reading::kNothing;
  head_begun_ = false;
  const bool streaming = !exchanges_.empty() && exchanges_.front()->state == Exchange::State::kStreaming;
  if (exchanges_.empty() || streaming) finish(Ending::kClose);
}

void Http1::drain() {
  draining_ = true;
  const bool idle = exchanges_.empty() && !head_begun_ && pending_.empty();
  if (idle && ending_ == Ending::kNone) finish(Ending::kClose);
}

void Http1::tick(std::int64_t now_ns) {
  const ServerLimits& limits = context_.limits;
  const std::int64_t waited_ns = now_ns - since_ns_;
  switch (reading_) {
    case Reading::kHead:
      if (is_paused() || (!head_begun_ && (!exchanges_.empty() || !out_.empty()))) {
        since_ns_ = now_ns;
      } else if (head_begun_) {
        if (waited_ns > limits.header_ms_max * kNsPerMs) fail(request_timeout());
      } else if (waited_ns > limits.idle_ms_max * kNsPerMs) {
        finish(Ending::kClose);
      }
      break;
    case Reading::kBody:
    case Reading::kChunks:
      if (waited_ns > limits.body_ms_max * kNsPerMs) fail(request_timeout());
      break;
    case Reading::kNothing:
      break;
  }
  pump();
}

void Http1::gone() {
  finish(Ending::kClose);
  out_ = OutQueue{};  // what it is charged for is free at once
}

}  // namespace millrace::net
