#include "api/http_answer.h"

#include <fmt/format.h>

#include <utility>

#include "base/base64.h"

namespace millrace::api {
namespace {

bool is_named(std::string_view name, std::string_view lower) {
  for (std::size_t i = 0; i < lower.size(); ++i) {
    const char c = name[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c) != lower[i]) return false;
  }
  return true;
}

std::string_view without_parameters(std::string_view content_type) {
  content_type = content_type.substr(0, content_type.find(';'));
  const std::size_t first = content_type.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return content_type.substr(first, content_type.find_last_not_of(" \t") + 1 - first);
}

// 96 characters, as the service's are.
std::string extended_id(RandomPool& random) {
  constexpr std::size_t kBytes = 72;
  constexpr std::size_t kSlack = 64;  // base64_encode may write behind its end
  char text[kBytes / 3 * 4 + kSlack];
  base64_encode(random.take(kBytes), text);
  return std::string(text, kBytes / 3 * 4);
}

net::Response with_ids(RandomPool& random, bool extended) {
  net::Response response;
  response.headers.reserve(6);
  response.headers.emplace_back("x-amzn-RequestId", random.uuid());
  if (extended) response.headers.emplace_back("x-amz-id-2", extended_id(random));
  return response;
}

}  // namespace

HttpHeads heads_of(const net::Request& request) {
  HttpHeads heads;
  const auto keep = [](const HttpHeader& header, std::string_view name, std::string_view& first) {
    if (first.empty() && is_named(header.name, name)) first = header.value;
  };
  for (const HttpHeader& header : request.headers) {
    switch (header.name.size()) {
      case 6:
        keep(header, "origin", heads.origin);
        break;
      case 12:
        keep(header, "content-type", heads.content_type);
        keep(header, "x-amz-target", heads.target);
        break;
      case 29:
        keep(header, "access-control-request-method", heads.cors_method);
        break;
      case 30:
        keep(header, "access-control-request-headers", heads.cors_headers);
        break;
      default:
        break;
    }
  }
  heads.content_type = without_parameters(heads.content_type);
  return heads;
}

net::Response new_answer(RandomPool& random) { return with_ids(random, true); }

net::Response preflight_answer(const HttpHeads& heads, RandomPool& random) {
  net::Response response = with_ids(random, false);
  if (!heads.cors_headers.empty())
    response.headers.emplace_back("Access-Control-Allow-Headers", std::string(heads.cors_headers));
  if (!heads.cors_method.empty())
    response.headers.emplace_back("Access-Control-Allow-Methods", std::string(heads.cors_method));
  response.headers.emplace_back("Access-Control-Max-Age", "172800");
  return response;
}

net::Response xml_error(std::string_view type, std::string_view message, RandomPool& random) {
  net::Response response = new_answer(random);
  response.status = 403;
  response.body.append(fmt::format("<{0}>\n  <Message>{1}</Message>\n</{0}>\n", type, message));
  return response;
}

net::Response xml_error(std::string_view type, int http_status, RandomPool& random) {
  net::Response response = new_answer(random);
  response.status = http_status;
  response.body.append(fmt::format("<{}/>\n", type));
  return response;
}

net::Response deprecated_error(std::string_view type, int http_status, RandomPool& random) {
  net::Response response = new_answer(random);
  response.status = http_status;
  response.headers.emplace_back("Content-Type", "application/json");
  response.body.append(
      fmt::format(R"({{"Output":{{"__type":"com.amazon.coral.service#{}"}},"Version":"1.0"}})", type));
  return response;
}

void set_body(net::Response& response, Encoding encoding, Bytes body) {
  response.headers.emplace_back("Content-Type", std::string(content_type(encoding)));
  response.body = std::move(body);
}

}  // namespace millrace::api
