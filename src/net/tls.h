// net/tls.h: TLS 1.2 and 1.3 by OpenSSL on a non-blocking socket.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/server.h"

using SSL = struct ssl_st;
using SSL_CTX = struct ssl_ctx_st;

namespace millrace::net {

// Certificate and key, loaded. Immutable; any thread.
using TlsContext = std::shared_ptr<SSL_CTX>;

// errors   kInvalid: a file is missing, is not PEM, or key and certificate do not belong together.
Result<TlsContext> load_tls(const TlsFiles& files);

struct IoResult {
  enum class Kind : std::uint8_t { kDone, kWantsRead, kWantsWrite, kEnd, kBroken };
  Kind kind;
  std::size_t bytes = 0;  // of kDone
};

// One connection's TLS state. The loop's thread; SIGPIPE is blocked there.
class TlsChannel {
 public:
  // The socket stays the caller's.
  TlsChannel(const TlsContext& context, int socket);
  ~TlsChannel();
  TlsChannel(const TlsChannel&) = delete;
  TlsChannel& operator=(const TlsChannel&) = delete;

  // Accepts; again after the wait that it wants. kDone: established.
  IoResult handshake();
  // Why it came to nothing, for people. After a handshake() that was kEnd or kBroken.
  const std::string& fault() const { return fault_; }
  // "h2", "http/1.1", or empty where the peer named none.
  std::string_view protocol() const;
  IoResult read(std::span<std::uint8_t> space);
  // Repeat with the same bytes, or more of them, after the wait that it wants.
  IoResult write(std::span<const iovec> pieces);
  // Says that nothing follows, as well as one attempt can.
  void shut_down();

 private:
  IoResult failed(int returned) const;
  SSL* ssl_;
  std::string fault_;
};

}  // namespace millrace::net
