#include "api/access.h"

#include <utility>

namespace millrace::api {

std::variant<identity::Caller, identity::AuthFailure> verify(const net::Request& request,
                                                             const identity::Verifier& verifier,
                                                             const identity::Authorizer& authorizer,
                                                             std::span<const std::string_view> services,
                                                             std::int64_t now_ms) {
  auto checked = verifier.verify({request.method, request.target, request.headers, request.body.view()},
                                 services, now_ms);
  if (const auto* failure = std::get_if<identity::AuthFailure>(&checked); failure != nullptr)
    authorizer.refused(*failure, "", circumstances_of(request, now_ms));
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
