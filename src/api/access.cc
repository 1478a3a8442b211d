#include "api/access.h"

#include <utility>

namespace millrace::api {

std::variant<identity::Caller, identity::AuthFailure> verify(const net::Request& request,
                                                             const identity::Verifier& verifier,
                                                             const identity::Authorizer& authorizer,
                                                             std::span<const std::string_view> services,
                                                             std::int64_t now_ms) {
  identity::SignedRequest given{request.method, request.target, request.headers, request.body.view()};
  if (request.body_sha256.has_value()) given.body_sha256 = &*request.body_sha256;
  auto checked = verifier.verify(given, services, now_ms);
  // The gate has said that the caller cannot be known, and without the body nothing else may be decided.
  if (request.body_withheld && std::holds_alternative<identity::Caller>(checked))
    checked = identity::AuthFailure{400, "UnrecognizedClientException",
                                    "The security token included in the request is invalid."};
  if (const auto* failure = std::get_if<identity::AuthFailure>(&checked); failure != nullptr)
    authorizer.refused(*failure, identity::claimed_key(request.target, request.headers),
                       circumstances_of(request, now_ms));
  else if (request.caller_known != nullptr)
    *request.caller_known = true;
  return checked;
}

ApiError not_verified(identity::AuthFailure failure) {
  return {std::move(failure.type), std::move(failure.message), failure.http_status};
}

identity::Circumstances circumstances_of(const net::Request& request, std::int64_t now_ms) {
  return {.peer = request.peer, .tls = request.tls, .now_ms = now_ms, .headers = request.headers};
}

ApiError access_denied(const identity::Denial& denial) { return {"AccessDeniedException", denial.message}; }

}  // namespace millrace::api
