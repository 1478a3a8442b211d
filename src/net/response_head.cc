#include "net/response_head.h"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/beast/http/status.hpp>
#include <ctime>

#include "base/clock.h"
#include "net/names.h"

namespace millrace::net {
namespace {

void add_value(std::string& out, std::string_view value) {
  const std::size_t begin = out.size();
  out += value;
  for (std::size_t i = begin; i < out.size(); ++i) {
    if (out[i] == '\r' || out[i] == '\n' || out[i] == '\0') out[i] = ' ';
  }
}

}  // namespace

std::string_view http_date() {
  thread_local std::int64_t cached_s = -1;
  thread_local std::string text;
  const std::int64_t now_s = system_clock().wall_ms() / 1000;
  if (now_s != cached_s) {
    constexpr std::array kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr std::array kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const std::time_t seconds = now_s;
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    text = fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
                       kDays[static_cast<std::size_t>(parts.tm_wday)], parts.tm_mday,
                       kMonths[static_cast<std::size_t>(parts.tm_mon)], parts.tm_year + 1900, parts.tm_hour,
                       parts.tm_min, parts.tm_sec);
    cached_s = now_s;
  }
  return text;
}

bool is_framing_header(std::string_view name) {
  switch (name.size()) {
    case 4:
      return same_name(name, "date");
    case 7:
      return same_name(name, "upgrade");
    case 10:
      return same_name(name, "connection") || same_name(name, "keep-alive");
    case 14:
      return same_name(name, "content-length");
    case 16:
      return same_name(name, "proxy-connection");
    case 17:
      return same_name(name, "transfer-encoding");
    default:
      return false;
  }
}

bool is_bodiless(int status) { return status < 200 || status == 204 || status == 304; }

void write_http1_head(std::string& out, const Response& response, const Http1Framing& framing) {
  namespace http = boost::beast::http;
  out.clear();
  if (response.status == 200) {
    out += "HTTP/1.1 200 OK\r\nDate: ";
  } else {
    const auto reason = http::obsolete_reason(http::int_to_status(static_cast<unsigned>(response.status)));
    fmt::format_to(std::back_inserter(out), "HTTP/1.1 {} {}\r\nDate: ", response.status,
                   std::string_view(reason.data(), reason.size()));
  }
  out += http_date();
  out += "\r\n";
  if (framing.content_length) {
    fmt::format_to(std::back_inserter(out), FMT_COMPILE("Content-Length: {}\r\n"), *framing.content_length);
  }
  if (framing.chunked) out += "Transfer-Encoding: chunked\r\n";
  if (framing.close) out += "Connection: close\r\n";
  if (framing.keep_alive) out += "Connection: keep-alive\r\n";
  for (const auto& [name, value] : response.headers) {
    if (is_framing_header(name)) continue;
    add_value(out, name);
    out += ": ";
    add_value(out, value);
    out += "\r\n";
  }
  out += "\r\n";
}

void add_cors(Response& response, std::string_view origin) {
  response.headers.emplace_back("Access-Control-Allow-Origin", std::string(origin));
  response.headers.emplace_back(
      "Access-Control-Expose-Headers",
      "x-amzn-RequestId,x-amzn-ErrorType,x-amz-request-id,x-amz-id-2,x-amzn-ErrorMessage,Date");
  response.headers.emplace_back("Vary", "Origin");
}

std::string_view origin_in(std::string_view head) {
  constexpr std::string_view kName = "origin:";
  while (!head.empty()) {
    const std::string_view line = head.substr(0, head.find('\n'));
    head.remove_prefix(std::min(line.size() + 1, head.size()));
    if (line.size() < kName.size() || !same_name(line.substr(0, kName.size()), kName)) continue;
    const std::string_view value = line.substr(kName.size());
    const std::size_t begin = std::min(value.find_first_not_of(" \t"), value.size());
    return value.substr(begin, value.find_last_not_of(" \t\r") + 1 - begin);
  }
  return {};
}

Response error_response(int status, std::string_view type, std::string_view message) {
  Response response;
  response.status = status;
  response.headers.emplace_back("Content-Type", "application/x-amz-json-1.1");
  response.body = Bytes(fmt::format(R"({{"__type":"{}","message":"{}"}})", type, message));
  return response;
}

Response bad_request(std::string_view message) { return error_response(400, "BadRequestException", message); }
Response request_timeout() {
  return error_response(408, "RequestTimeoutException", "The request did not arrive in time.");
}
Response body_too_large() {
  return error_response(413, "RequestEntityTooLargeException", "The request body is too large.");
}
Response head_too_large() {
  return error_response(431, "RequestHeaderFieldsTooLargeException", "The request headers are too large.");
}
Response out_of_memory_budget() {
  return error_response(503, "ServiceUnavailableException", "The server is busy. Retry later.");
}

}  // namespace millrace::net
