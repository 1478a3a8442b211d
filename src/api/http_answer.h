// api/http_answer.h: the HTTP side of an answer: headers that every answer of AWS has, and the shapes of
// errors before an operation is known.
#pragma once

#include <string>
#include <string_view>

#include "api/api_error.h"
#include "api/encoding.h"
#include "api/random_pool.h"
#include "net/http.h"

namespace millrace::api {

// The headers of a request that matter here; borrowed from it. Empty: not sent.
struct HttpHeads {
  std::string_view content_type;  // without parameters and blanks
  std::string_view target;
  std::string_view origin;
  std::string_view cors_headers;  // Access-Control-Request-Headers
  std::string_view cors_method;
};
HttpHeads heads_of(const net::Request& request);

// Status 200, with request ids; without content type and body. What CORS wants is net's part.
net::Response new_answer(RandomPool& random);

// What a browser's preflight request gets whose origin is allowed.
net::Response preflight_answer(const HttpHeads& heads, RandomPool& random);
// <AccessDeniedException> … as the service answers where it cannot tell what is asked; http_status 403
net::Response xml_error(std::string_view type, std::string_view message, RandomPool& random);
// <UnknownOperationException/>
net::Response xml_error(std::string_view type, int http_status, RandomPool& random);
// What "application/json" gets, always an error:
// {"Output":{"__type":"com.amazon.coral.service#…"},"Version":"1.0"}
net::Response deprecated_error(std::string_view type, int http_status, RandomPool& random);

void set_body(net::Response& response, Encoding encoding, Bytes body);

}  // namespace millrace::api
