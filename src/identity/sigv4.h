// identity/sigv4.h: AWS Signature Version 4, the server's side.
// source: AWS General Reference, "Signing AWS API requests"; error types as the AWS JSON protocol services
// give them.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "base/bytes.h"
#include "base/http_header.h"

namespace millrace::identity {

// What is signed, as it came from the wire; all borrowed.
struct SignedRequest {
  std::string_view method;
  std::string_view target;  // path and query, not decoded
  std::span<const HttpHeader>
      headers;  // HTTP/2: with ":authority"; "host" and ":authority" stand for each other
  ByteView body;
};

// Who calls. access_key is empty where the server checks no signatures.
struct Caller {
  std::string access_key;
  std::string service;  // of the credential scope: "kinesis"
  std::string region;
};

struct AuthFailure {
  int http_status;      // 400 or 403
  std::string type;     // "InvalidSignatureException", "MissingAuthenticationTokenException", …
  std::string message;  // AWS's own wording
};

struct Secret {
  std::string secret_key;
  std::string session_token;  // empty for long-lived keys; else X-Amz-Security-Token must equal it
};

class Verifier {
 public:
  // With no secrets every well-formed request passes (its Authorization must still be whole, as AWS checks
  // it), and so does, when `anonymous_passes`, one without any. region   the server's; a scope of another
  // region fails
  Verifier(std::map<std::string, Secret> secrets, std::string region, bool anonymous_passes);

  // Checks header or query form in full: presence, scope (date, region, service in `services`,
  // "aws4_request"), time within 5 minutes of now_ms, signed headers (host, x-amz-* that were sent,
  // content-type where sent), payload hash (computed; X-Amz-Content-Sha256 of UNSIGNED-PAYLOAD is honoured),
  // token, signature in constant time. Any thread.
  std::variant<Caller, AuthFailure> verify(const SignedRequest& request,
                                           std::span<const std::string_view> services,
                                           std::int64_t now_ms) const;

 private:
  std::map<std::string, Secret> secrets_;
  std::string region_;
  bool anonymous_passes_;
};

}  // namespace millrace::identity
