#include "api/access.h"

namespace millrace::api {

identity::Circumstances circumstances_of(const net::Request& request, std::int64_t now_ms) {
  return {.peer = request.peer, .tls = request.tls, .now_ms = now_ms, .headers = request.headers};
}

ApiError access_denied(const identity::Denial& denial) { return {"AccessDeniedException", denial.message}; }

}  // namespace millrace::api
