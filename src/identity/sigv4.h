// identity/sigv4.h: AWS Signature Version 4, the server's side.
// source: AWS General Reference, "Signing AWS API requests"; error types as the AWS JSON protocol services
// give them.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "base/bytes.h"
#include "base/http_header.h"
#include "base/memory_share.h"
#include "base/per_thread.h"
#include "base/published.h"
#include "identity/principal.h"

namespace millrace::identity {

class SigningKeys;
class Sessions;
struct Directory;

// What is signed, as it came from the wire; all borrowed.
struct SignedRequest {
  std::string_view method;
  std::string_view target;  // path and query, not decoded
  // HTTP/2: with ":authority"; "host" and ":authority" stand for each other.
  std::span<const HttpHeader> headers;
  ByteView body;
  const std::array<std::uint8_t, 32>* body_sha256 = nullptr;  // where it is known already
};

// Who calls. access_key is empty where the server checks no signatures.
struct Caller {
  std::string access_key;
  std::string service;  // of the credential scope: "kinesis"
  std::string region;
  std::shared_ptr<const Principal> principal;  // never nullptr
  // Where signatures are not checked: the key that the request names, for figures.
  std::string claimed_key = {};
};

// The id of the access key that a request says it is signed with, for logs and figures: nobody has shown to
// have it. Empty where there is none, or something that no key's id can be.
std::string claimed_key(std::string_view target, std::span<const HttpHeader> headers);

struct AuthFailure {
  int http_status;   // 400: what a JSON body goes with; a front door that answers in XML sends 403
  std::string type;  // "InvalidSignatureException", "MissingAuthenticationTokenException", …
  std::string
      message;  // AWS's own words; printable ASCII and line feeds, as long as the request's head or so
};
AuthFailure incomplete_signature(std::string message);

struct Secret {
  std::string secret_key;
  std::string session_token;  // empty for long-lived keys; else X-Amz-Security-Token must equal it
};

class Verifier {
 public:
  // Keys that never change; each is root's. With no secrets every request passes whose Authorization is whole
  // (as AWS checks it), and, when `anonymous_passes`, one without any.
  // region   the server's; a scope of another one fails
  Verifier(std::map<std::string, Secret> secrets, std::string region, bool anonymous_passes);
  // Keys as the directory has them when a request comes, and sessions by their tokens. Both are borrowed.
  // memory   of the sessions that its threads have opened
  Verifier(const Published<Directory>& directory, const Sessions& sessions, std::string region,
           std::shared_ptr<MemoryShare> memory = std::make_shared<MemoryShare>("sessions", 16u << 20));
  ~Verifier();

  // Checks header or query form in full: time within 5 minutes of now_ms (query form: from 5 minutes before
  // signing until X-Amz-Expires, a week at most, behind it), signed headers (host or :authority, and x-amz-*
  // that were sent; not content-type, which PHP's SDK leaves out), scope (date, region, service in
  // `services`, "aws4_request"), payload hash (computed; X-Amz-Content-Sha256 of UNSIGNED-PAYLOAD is
  // honoured), signature in constant time, token. Any thread.
  std::variant<Caller, AuthFailure> verify(const SignedRequest& request,
                                           std::span<const std::string_view> services,
                                           std::int64_t now_ms) const;

  // Whether verify() could succeed, as far as that shows without the body: false means that it will fail
  // whatever the body is. Costs little. Any thread.
  bool may_know(const SignedRequest& head, std::int64_t now_ms) const;

  // The caller of an earlier request, as policies are now. nullptr: his user, role or key is no more, or his
  // session is over. Any thread.
  std::shared_ptr<const Principal> still(std::shared_ptr<const Principal> principal,
                                         std::int64_t now_ms) const;

 private:
  struct Key;
  struct ThisThread;
  std::variant<Key, AuthFailure> find_key(const Directory& directory, std::string_view access_key,
                                          const std::string& token, std::int64_t now_s) const;

  std::shared_ptr<const Published<Directory>> own_;  // of fixed keys
  const Published<Directory>& directory_;
  const Sessions* sessions_ = nullptr;
  std::string region_;
  bool anonymous_passes_;
  std::shared_ptr<SigningKeys> signing_keys_;  // by scope, as they come to be used
  std::shared_ptr<MemoryShare> memory_;
  std::unique_ptr<PerThread<ThisThread>> threads_;
};

}  // namespace millrace::identity
