// net/http2_stream.h: one HTTP/2 stream: its request as it arrives, its response as it leaves.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/body_digest.h"
#include "net/http2.h"
#include "net/stream_queue.h"

namespace millrace::net {

// The driver holds it while the stream is open, the handler's Responder until it is answered.
class Http2::Stream final : public Responder::Sink, public StreamQueue::Listener {
 public:
  Stream(Http2& driver, std::int32_t stream_id);
  ~Stream() override;

  bool is_wanted() const override { return owner != nullptr; }
  void respond(Response given) override;
  std::shared_ptr<BodyStream> start_stream(Response head) override;
  void abandon() override;
  void stream_changed(StreamQueue& changed) override;

  // A header field, or what is left of it when the head grows too large. False: far too large.
  bool add_header(std::string_view name, std::string_view value);
  // Makes the request's views point at its head.
  void place_headers();
  // Room in the body for `bytes` more. False when the server's budget is used up.
  bool make_room(std::size_t bytes);
  // Answers with an error, and takes no more of the request in.
  void fail(Response error);
  // The next piece of the response body, at most `bytes_max`.
  struct Piece {
    std::size_t bytes = 0;
    bool last = false;
    bool not_yet = false;
    bool dropped = false;
  };
  Piece next_piece(std::size_t bytes_max) const;
  void take_piece(std::size_t bytes, OutQueue& out);
  bool has_output() const;
  // With the handler, or an event stream that is open.
  bool is_under_way() const { return (refusing && !answered) || (queue && !queue->ended()); }
  // The peer has got, or is about to get, something of the answer's body.
  bool has_begun_to_leave() const { return head_sent && (queue || body_offset > 0); }
  // All of the answer has been given to the connection.
  bool is_complete() const {
    if (!head_sent) return false;
    if (queue) return queue->ended() && !queue->has_chunk();
    return head_only || !body || body_offset == body->size();
  }
  // Charges `bytes` for the stream itself and its head. False: the budget is used up.
  bool hold(std::size_t bytes);
  // The stream, or the connection, is closed.
  void closed(bool peer_gone);

  const std::int32_t id;
  Http2* owner;  // null once closed
  std::unique_ptr<Request> request;
  std::size_t content_length = 0;      // 0 when not said
  std::unique_ptr<BodyDigest> digest;  // of the request's body, where it is wanted
  std::size_t request_bytes = 0;       // of a body with the handler
  Response response;
  std::string allowed_origin;  // whose pages may read the answer; or empty
  SharedBytes body;
  std::size_t body_offset = 0;
  std::shared_ptr<StreamQueue> queue;  // in place of `body`
  std::int64_t since_ns;               // when that began which tick() bounds
  bool head_only = false;              // method HEAD
  bool head_done = false;
  bool head_too_large = false;
  bool refusing = false;  // answered early: the rest of the request is not looked at
  bool answered = false;
  bool head_sent = false;  // of the answer
  bool deferred = false;   // nghttp2 waits for resume_data

 private:
  friend class Http2;
  Loop& loop_;
  const std::shared_ptr<Budget> budget_;
  const std::shared_ptr<std::size_t> with_handler_;
  bool counted_ = false;        // in with_handler_
  Charge charge_;               // the request's body, then the response's
  std::size_t held_bytes_ = 0;  // charged for the stream itself
  std::vector<std::pair<std::uint32_t, std::uint32_t>>
      header_bytes_;  // of name and value, until they are placed
  std::size_t header_list_bytes_ = 0;
};

}  // namespace millrace::net
