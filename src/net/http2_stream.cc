#include "net/http2_stream.h"

#include <algorithm>

#include "base/assert.h"
#include "net/response_head.h"

namespace millrace::net {
namespace {
constexpr std::size_t kFieldOverheadBytes = 32;        // RFC 9113, 6.5.2
constexpr std::size_t kUnchargedHeadBytes = 4 * 1024;  // most heads are smaller
}  // namespace

Http2::Stream::Stream(Http2& driver, std::int32_t stream_id)
    : id(stream_id),
      owner(&driver),
      request(std::make_unique<Request>()),
      since_ns(driver.now_ns_),
      loop_(driver.context_.loop),
      budget_(driver.context_.budget),
      with_handler_(driver.with_handler_),
      charge_(driver.context_.own_budget()) {
  request->headers.reserve(20);
  header_bytes_.reserve(20);
}

Http2::Stream::~Stream() {
  if (counted_) --*with_handler_;
}

void Http2::Stream::respond(Response given) {
  if (std::exchange(counted_, false)) --*with_handler_;
  if (owner == nullptr) return;
  MR_ASSERT(!answered);
  answered = true;
  response = std::move(given);
  if (owner->context_.known) charge_.move_to(*budget_);
  const std::size_t own_bytes = owner->context_.known ? 0 : kHttp2StreamBytes;
  if (!owner->context_.hold_answer(charge_, own_bytes + response.body.size()))
    response = owner->context_.no_room();
  if (!allowed_origin.empty()) add_cors(response, allowed_origin);
  if (!response.body.empty()) body = std::make_shared<const Bytes>(std::move(response.body));
  owner->submit(*this);
}

std::shared_ptr<BodyStream> Http2::Stream::start_stream(Response head) {
  if (std::exchange(counted_, false)) --*with_handler_;
  StreamQueue::Listener* const listener = owner == nullptr ? nullptr : this;
  const auto made = std::make_shared<StreamQueue>(loop_, budget_, listener);
  if (owner != nullptr) {
    MR_ASSERT(!answered);
    answered = true;
    response = std::move(head);
    if (!allowed_origin.empty()) add_cors(response, allowed_origin);
    charge_.release();
    queue = made;
    owner->submit(*this);
  }
  return make_writer(made);
}

void Http2::Stream::abandon() {
  if (std::exchange(counted_, false)) --*with_handler_;
  if (owner == nullptr) return;
  owner->reset(*this, NGHTTP2_INTERNAL_ERROR);
}

void Http2::Stream::stream_changed(StreamQueue&) {
  if (owner == nullptr || !std::exchange(deferred, false)) return;
  nghttp2_session_resume_data(owner->session_, id);
  owner->output_ready();
}

bool Http2::Stream::add_header(std::string_view name, std::string_view value) {
  const std::size_t head_bytes_max = owner->context_.limits.header_bytes_max;
  header_list_bytes_ += name.size() + value.size() + kFieldOverheadBytes;
  if (header_list_bytes_ > head_bytes_max) {
    head_too_large = true;
    return header_list_bytes_ <= 4 * head_bytes_max;
  }
  request->head.append(name);
  request->head.append(value);
  if (request->head.capacity() > kUnchargedHeadBytes && !hold(request->head.capacity())) return false;
  header_bytes_.emplace_back(name.size(), value.size());
  return true;
}

void Http2::Stream::place_headers() {
  std::string_view rest = request->head.text();
  for (const auto& [name_bytes, value_bytes] : header_bytes_) {
    const HttpHeader header{rest.substr(0, name_bytes), rest.substr(name_bytes, value_bytes)};
    rest.remove_prefix(name_bytes + value_bytes);
    if (header.name == ":method") request->method = header.value;
    if (header.name == ":path") request->target = header.value;
    request->headers.push_back(header);
  }
  header_bytes_ = {};
}

bool Http2::Stream::hold(std::size_t bytes) {
  held_bytes_ = std::max(held_bytes_, bytes);
  return owner->context_.raise(charge_, held_bytes_);
}

bool Http2::Stream::make_room(std::size_t bytes) {
  Bytes& to = request->body;
  const std::size_t needed = to.size() + bytes;
  if (needed <= to.capacity()) return true;
  const std::size_t capacity =
      std::max(needed, content_length == 0 ? 2 * needed : std::min(content_length, body_room(to.size())));
  if (!owner->context_.raise(charge_, held_bytes_ + capacity)) return false;
  to.reserve(capacity);
  return true;
}

void Http2::Stream::fail(Response error) {
  refusing = true;
  request.reset();
  digest.reset();
  respond(std::move(error));
}

Http2::Stream::Piece Http2::Stream::next_piece(std::size_t bytes_max) const {
  if (body) {
    const std::size_t left = body->size() - body_offset;
    return {.bytes = std::min(left, bytes_max), .last = left <= bytes_max};
  }
  if (queue->dropped()) return {.dropped = true};
  if (!queue->has_chunk()) return {.last = queue->ended(), .not_yet = !queue->ended()};
  const auto [chunk, offset] = queue->front();
  return {.bytes = std::min(chunk->size() - offset, bytes_max)};
}

void Http2::Stream::take_piece(std::size_t bytes, OutQueue& out) {
  if (body) {
    out.add(body, body_offset, bytes, nullptr);
    body_offset += bytes;
    return;
  }
  const auto [chunk, offset] = queue->front();
  out.add(chunk, offset, bytes, queue);
  queue->take(bytes);
}

bool Http2::Stream::has_output() const {
  return answered && ((body && body_offset < body->size()) || (queue && queue->has_chunk()));
}

void Http2::Stream::closed(bool peer_gone) {
  owner = nullptr;
  charge_.release();
  request.reset();
  if (queue) std::exchange(queue, nullptr)->detach(peer_gone);
}

}  // namespace millrace::net
