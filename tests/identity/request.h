// tests/identity/request.h: a request that owns its texts, to change one thing at a time.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "identity/signed_requests.h"
#include "identity/sigv4.h"

namespace millrace::identity {

struct OwnedRequest {
  std::string method = "POST";
  std::string target = "/";
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;

  OwnedRequest() = default;
  explicit OwnedRequest(const SignedSample& sample)
      : method(sample.method), target(sample.target), body(sample.body) {
    for (const auto& [name, value] : sample.headers) headers.emplace_back(name, value);
  }

  // The first of that name as written, which there must be.
  std::string& header(std::string_view name) {
    for (auto& [each, value] : headers) {
      if (each == name) return value;
    }
    throw std::out_of_range(std::string(name));
  }
};

inline std::variant<Caller, AuthFailure> verify(const Verifier& verifier, const OwnedRequest& request,
                                                std::int64_t now_s, std::string_view service = "kinesis") {
  std::vector<HttpHeader> headers;
  for (const auto& [name, value] : request.headers) headers.push_back({name, value});
  const std::string_view services[] = {service};
  return verifier.verify({request.method, request.target, headers, as_bytes(request.body)}, services,
                         now_s * 1000);
}

inline bool passes(const Verifier& verifier, const OwnedRequest& request, std::int64_t now_s,
                   std::string_view service = "kinesis") {
  return std::holds_alternative<Caller>(verify(verifier, request, now_s, service));
}

// "type: message", or "passed".
inline std::string answer(const Verifier& verifier, const OwnedRequest& request, std::int64_t now_s,
                          std::string_view service = "kinesis") {
  const auto result = verify(verifier, request, now_s, service);
  if (std::holds_alternative<Caller>(result)) return "passed";
  const auto& failure = std::get<AuthFailure>(result);
  return failure.type + ": " + failure.message;
}

}  // namespace millrace::identity
