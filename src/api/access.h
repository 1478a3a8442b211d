// api/access.h: what a front door tells the authorizer of a request, and tells the caller of a refusal.
#pragma once

#include "api/api_error.h"
#include "identity/authorizer.h"
#include "net/http.h"

namespace millrace::api {

// Borrows the request.
identity::Circumstances circumstances_of(const net::Request& request, std::int64_t now_ms);

// AccessDeniedException, in the JSON protocols.
ApiError access_denied(const identity::Denial& denial);

}  // namespace millrace::api
