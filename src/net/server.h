// net/server.h: event loops, a listener, and connections of HTTP/1.1, HTTP/2 and TLS on one port.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/loop.h"
#include "base/result.h"
#include "net/gate.h"
#include "net/http.h"

namespace millrace::net {

// The process's event loops, one thread each. Made by app, outlives everything that runs on them.
class LoopGroup {
 public:
  // count    1 to 256 threads, started at once and named "loop-N"
  explicit LoopGroup(std::size_t count);
  ~LoopGroup();  // stops and joins
  LoopGroup(const LoopGroup&) = delete;
  LoopGroup& operator=(const LoopGroup&) = delete;

  std::size_t size() const;
  Loop& loop(std::size_t index);
  // Ends every loop after the callback it is in, and joins the threads. Not from a loop. Idempotent.
  void stop();

  struct Impl;
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

struct ServerLimits {
  std::size_t header_bytes_max = 64 * 1024;        // a request's head, all headers together; over it: 431
  std::size_t body_bytes_max = 96u * 1024 * 1024;  // over it: 413, before the body is read
  // Over it the connection that has been idle longest makes way, one whose caller is not known first; where
  // none is idle, the new one is closed at once.
  std::size_t connections_max = 20'000;
  std::size_t buffered_bytes_max =
      1024u * 1024 * 1024;  // bodies and unsent responses of all connections together; over it: 503
  // As much of it, at most, for connections whose caller is not known (Request::caller_known): with their
  // heads, streams and sessions, but never less than one body of the largest size and half as much again.
  std::size_t strangers_bytes_max = 64u * 1024 * 1024;
  std::size_t pipelined_max = 16;         // HTTP/1.1 requests under way on a connection; then it is not read
  std::uint32_t http2_streams_max = 250;  // concurrent streams a connection
  std::int64_t header_ms_max = 10'000;    // from the first byte of a request to the end of its head
  std::int64_t body_ms_max = 60'000;      // and from there to the end of its body
  std::int64_t idle_ms_max = 300'000;     // keep-alive without a request
  std::int64_t write_ms_max = 60'000;     // a peer that takes no byte of a response for so long is closed
};

struct TlsFiles {
  std::string certificate_path;  // PEM chain
  std::string key_path;          // PEM
};

// Whether they can be loaded, and for how many whole days the certificate is still valid; below 0: it has
// expired. errors   kInvalid: a file is missing, is not PEM, needs a passphrase, or the two do not belong
// together
Result<std::int64_t> certificate_days(const TlsFiles& files);
// Whether `address` can be listened on, as far as its form says.
// errors   kInvalid: it is no HOST:PORT with an address
Result<void> check_address(const std::string& address);

// Told of connections that come to nothing. Called on many loops at once; does not block for long.
class ConnectionLog {
 public:
  virtual ~ConnectionLog() = default;
  // reason   for people
  virtual void handshake_failed(std::string_view peer, std::string_view reason) = 0;
  // A request is answered with 503: ServerLimits' bytes are in use.
  virtual void no_room(std::string_view peer) = 0;
  // The client speaks TLS, and the server was started without a certificate.
  virtual void tls_refused(std::string_view peer) = 0;
};

class Server {
 public:
  // Listens and serves at once. `address` "127.0.0.1:4566", "[::1]:4566", port 0 for any.
  // One port speaks clear text and, when `tls` is given, TLS 1.2/1.3 too (told apart by the first byte),
  // HTTP/1.1 and HTTP/2 (prior knowledge "PRI * HTTP/2.0", or ALPN). Connections are spread over the loops in
  // turn. `handler` is called on many loops at once. `gate`: borrowed, outlives the server; null: everything
  // is admitted. `log`: borrowed, outlives the server; null: nobody is told. errors   kInvalid: address or
  // certificate unusable, text says which.  kUnavailable: the port is taken. thread   any but a loop
  static Result<std::unique_ptr<Server>> start(LoopGroup& loops, const std::string& address,
                                               ServerLimits limits, const TlsFiles* tls, Handler handler,
                                               const Gate* gate = nullptr, ConnectionLog* log = nullptr);
  ~Server();  // closes at once what is left

  // The address that it listens on, "127.0.0.1:4566".
  std::string address() const;
  // Stops accepting, lets requests under way end (HTTP/2: GOAWAY; HTTP/1.1: "Connection: close"), and returns
  // when all connections are gone or `ms_max` have passed. Not from a loop.
  void drain(std::int64_t ms_max);

  // Loads certificate and key anew, for connections that begin from now on.
  // errors   kInvalid: unusable, or the server was started without TLS; the old ones stay.  thread  any
  Result<void> reload_tls(const TlsFiles& files);

  struct Stats {
    std::uint64_t connections_open, connections_total, connections_refused, connections_evicted,
        requests_total, bytes_in, bytes_out;
  };
  Stats stats() const;

  struct Impl;

 private:
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace millrace::net
