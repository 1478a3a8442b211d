// net/http.h: what a front door sees of HTTP. Versions, TLS, framing and limits stay behind it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/callback.h"
#include "base/http_header.h"
#include "base/loop.h"

namespace millrace::net {

// One whole request. Owns what its views point into; belongs to its connection's loop.
struct Request {
  std::string_view method;  // "POST"
  std::string_view target;  // path and query, as sent: "/?Action=…"
  std::vector<HttpHeader>
      headers;         // in order, as sent; HTTP/2 pseudo-headers appear as ":authority" and so on
  Bytes body;          // at most ServerLimits::body_bytes_max; de-chunked
  int http_major = 1;  // 1 or 2
  bool tls = false;
  std::string_view peer;       // "127.0.0.1:40312"
  Loop* loop = nullptr;        // the connection's loop: respond there
  bool body_withheld = false;  // Gate said that the body need not be read: `body` is empty, whatever was sent
  std::optional<std::array<std::uint8_t, 32>> body_sha256;  // where Gate asked for it
  // Where to note that the caller is known, so that its connection is not treated as a stranger's: set it to
  // true before the handler returns, and do not touch it afterwards. Null: nobody wants to know.
  bool* caller_known = nullptr;

  Bytes head;  // what method, target and headers point into
  std::string peer_storage;

  // Value of the first header of that name (any case), or empty.
  std::string_view header(std::string_view name) const;
};

struct Response {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;  // without Content-Length, which net adds
  Bytes body;
};

// Back-pressure and the end of a streamed response body (enhanced fan-out). Connection's loop only.
class BodyStream {
 public:
  virtual ~BodyStream() = default;
  // Queues `chunk`; shares it, does not copy. Ignored once the peer has gone.
  virtual void write(SharedBytes chunk) = 0;
  // Bytes queued and not yet taken by the socket or by HTTP/2 flow control: a writer stops above a bound of
  // its own.
  virtual std::size_t queued_bytes() const = 0;
  // Calls back once, when queued_bytes() has fallen to `bytes` or below.
  virtual void when_below(std::size_t bytes, Callback callback) = 0;
  // Calls back once, when the peer has gone; then nothing further is sent.
  virtual void when_closed(Callback callback) = 0;
  // Ends the body in order.
  virtual void end() = 0;
};

// The right to answer one request, once. Dropping it unanswered closes the connection (HTTP/1.1) or resets
// the stream (HTTP/2). Connection's loop only. Harmless after the connection has gone.
class Responder {
 public:
  class Sink {
   public:
    virtual ~Sink() = default;
    virtual void respond(Response response) = 0;
    virtual std::shared_ptr<BodyStream> start_stream(Response head) = 0;
    virtual void abandon() = 0;
    virtual bool is_wanted() const { return true; }
  };
  explicit Responder(std::shared_ptr<Sink> sink) : sink_(std::move(sink)) {}
  Responder(Responder&&) noexcept = default;
  Responder& operator=(Responder&&) = delete;
  ~Responder() {
    if (sink_) sink_->abandon();
  }

  // Whether the client still waits for the answer. False: answer all the same, but spend no work on it.
  bool is_wanted() const { return sink_ && sink_->is_wanted(); }
  void respond(Response response) && { std::exchange(sink_, nullptr)->respond(std::move(response)); }
  // Sends the head (its body is ignored) and leaves the body to the stream. HTTP/1.1: chunked.
  std::shared_ptr<BodyStream> start_stream(Response head) && {
    return std::exchange(sink_, nullptr)->start_stream(std::move(head));
  }

 private:
  std::shared_ptr<Sink> sink_;
};

// Called on the connection's loop for every whole request; answers then or later.
using Handler = Function<void(std::unique_ptr<Request>, Responder)>;

}  // namespace millrace::net
