// net/response_head.h: the heads of HTTP/1.1 responses, the Date header, and the answers that net itself
// gives.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "net/http.h"

namespace millrace::net {

// "Tue, 15 Nov 1994 08:12:31 GMT" of now; formatted once a second a thread. Valid until the thread's next
// call.
std::string_view http_date();

// Connection, Content-Length, Date, Transfer-Encoding and their like: net writes them, a handler's are left
// out.
bool is_framing_header(std::string_view name);

// Whether a response of that status has no body and no Content-Length, whatever the handler gave.
bool is_bodiless(int status);

struct Http1Framing {
  std::optional<std::size_t> content_length;  // absent: chunked, or bare until close (HTTP/1.0)
  bool chunked = false;
  bool close = false;       // "Connection: close"
  bool keep_alive = false;  // "Connection: keep-alive", which HTTP/1.0 needs to hear
};
// Replaces `out`. Line breaks and NUL in header values become blanks: what a client sent and a handler
// reflects cannot begin a header of its own.
void write_http1_head(std::string& out, const Response& response, const Http1Framing& framing);

// What lets pages of `origin` read the response.
void add_cors(Response& response, std::string_view origin);

// The value of the first Origin header in the head of a request that may not be well formed; or empty.
std::string_view origin_in(std::string_view head);

// An answer of net's own, in the shape of AWS JSON 1.1. `message` has no character that JSON would escape.
Response error_response(int status, std::string_view type, std::string_view message);

// The errors that both protocols answer.
Response bad_request(std::string_view message);  // 400
Response request_timeout();                      // 408
Response body_too_large();                       // 413
Response head_too_large();                       // 431
Response out_of_memory_budget();                 // 503

}  // namespace millrace::net
