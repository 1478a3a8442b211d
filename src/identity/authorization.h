// identity/authorization.h: what a request claims about who signed it, in its Authorization header or its
// query.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "identity/canonical_request.h"
#include "identity/sigv4.h"

namespace millrace::identity {

// As sent: whole, but nothing of it is checked yet.
struct Claim {
  bool in_query = false;
  std::string algorithm;       // "AWS4-HMAC-SHA256"
  std::string credential;      // "AKID/20150830/us-east-1/kinesis/aws4_request"
  std::string signed_headers;  // "host;x-amz-date"
  std::string signature;
  std::string time;  // "20150830T123600Z", or what the Date header says
  bool time_is_http_date = false;
  std::string security_token;           // empty: none
  std::string payload_hash;             // X-Amz-Content-Sha256, or empty
  std::optional<std::string> lifetime;  // X-Amz-Expires, of the query form
};

// No signature at all: neither the header nor X-Amz-Algorithm in the query.
struct Anonymous {};

std::variant<Claim, Anonymous, AuthFailure> read_claim(std::string_view target, const HeaderIndex& headers);

// The slash-delimited parts of a credential; borrows it.
struct Credential {
  std::string_view access_key, date, region, service, terminator;
};
// nullopt unless there are five; slashes at the end do not count.
std::optional<Credential> split_credential(std::string_view credential);

// Safe to put into a message: what is neither printable ASCII nor a line feed becomes '?'.
std::string printable(std::string_view text);

}  // namespace millrace::identity
