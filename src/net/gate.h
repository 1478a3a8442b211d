// net/gate.h: what the server's owner decides about a request by its head alone, before its body is read.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "net/http.h"

namespace millrace::net {

struct Admission {
  // Not null: the request is answered with this, and its body is not read.
  std::unique_ptr<Response> refusal = nullptr;
  // The handler gets the request at once and without its body (Request::body_withheld), because it will
  // refuse it whatever the body is.
  bool withholds_body = false;
  // The handler will ask for the body's SHA-256: it is computed while the body arrives
  // (Request::body_sha256).
  bool digests_body = false;
};

// Called on many loops at once.
class Gate {
 public:
  static constexpr std::uint64_t kUnknownLength = UINT64_MAX;

  virtual ~Gate() = default;
  // body_bytes   as the head says; kUnknownLength where it does not say, 0 where there is no body
  virtual Admission admit(const Request& head, std::uint64_t body_bytes) const = 0;
  // Whether pages of `origin` (the header's value, not empty) may read answers of this server.
  virtual bool allows_origin(std::string_view origin) const = 0;
};

}  // namespace millrace::net
