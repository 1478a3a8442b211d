// api/access.h: what a front door tells the authorizer of a request, and tells the caller of a refusal.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <variant>

#include "api/api_error.h"
#include "identity/authorizer.h"
#include "identity/sigv4.h"
#include "net/http.h"

namespace millrace::api {

// Who sent the request, which is to be signed for one of `services`. Who cannot be told is told to the audit
// log; whose caller is known, that connection is noted as such. On the connection's loop, while the handler
// runs.
std::variant<identity::Caller, identity::AuthFailure> verify(const net::Request& request,
                                                             const identity::Verifier& verifier,
                                                             const identity::Authorizer& authorizer,
                                                             std::span<const std::string_view> services,
                                                             std::int64_t now_ms);

// The failure in the JSON protocols.
ApiError not_verified(identity::AuthFailure failure);

// Borrows the request.
identity::Circumstances circumstances_of(const net::Request& request, std::int64_t now_ms);

// AccessDeniedException, in the JSON protocols.
ApiError access_denied(const identity::Denial& denial);

}  // namespace millrace::api
