#include "app/server_call.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <cstdlib>
#include <memory>
#include <utility>

namespace millrace::app {
namespace {

using enum ErrorKind;
using Json = nlohmann::ordered_json;

std::size_t append(char* bytes, std::size_t size, std::size_t count, void* out) {
  static_cast<std::string*>(out)->append(bytes, size * count);
  return size * count;
}

struct CurlDeleter {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
};
struct ListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

}  // namespace

Result<std::string> credentials_of_environment() {
  for (const auto& [access, secret] : {std::pair("MILLRACE_ROOT_ACCESS_KEY", "MILLRACE_ROOT_SECRET_KEY"),
                                       std::pair("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}) {
    const char* key = std::getenv(access);     // NOLINT(concurrency-mt-unsafe): one thread
    const char* hidden = std::getenv(secret);  // NOLINT(concurrency-mt-unsafe): one thread
    if (key != nullptr && hidden != nullptr) return fmt::format("{}:{}", key, hidden);
  }
  return Error{kInvalid,
               "set MILLRACE_ROOT_ACCESS_KEY and MILLRACE_ROOT_SECRET_KEY to those of the server, or "
               "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"};
}

Result<ServerAnswer> call_server(const ServerAddress& server, const std::string& credentials,
                                 const ServerRequest& request) {
  const std::unique_ptr<CURL, CurlDeleter> curl(curl_easy_init());
  if (curl == nullptr) return Error{kUnavailable, "out of memory"};
  std::string url = server.endpoint;
  while (url.ends_with('/')) url.pop_back();
  url += request.path;
  const std::string signing = fmt::format("aws:amz:{}:{}", server.region, request.service);
  std::unique_ptr<curl_slist, ListDeleter> headers;
  for (const std::string& header : request.headers)
    headers.reset(curl_slist_append(headers.release(), header.c_str()));
  ServerAnswer answer;
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
  if (!request.service.empty()) {
    curl_easy_setopt(curl.get(), CURLOPT_AWS_SIGV4, signing.c_str());
    curl_easy_setopt(curl.get(), CURLOPT_USERPWD, credentials.c_str());
    curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, request.body.c_str());
  }
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT, request.seconds_max);
  curl_easy_setopt(curl.get(), CURLOPT_NOPROXY, "*");
  if (!server.certificates.empty()) curl_easy_setopt(curl.get(), CURLOPT_CAINFO, server.certificates.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, append);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &answer.body);
  const CURLcode code = curl_easy_perform(curl.get());
  if (code != CURLE_OK)
    return Error{kUnavailable, fmt::format("{}: {}", server.endpoint, curl_easy_strerror(code))};
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &answer.status);
  return answer;
}

Result<Json> ask_admin(const ServerAddress& server, const std::string& credentials,
                       const std::string& operation, const Json& body, long seconds_max) {
  ServerRequest request{.path = "/admin/" + operation,
                        .service = "millrace",
                        .headers = {"Content-Type: application/json"},
                        .body = body.dump(-1, ' ', false, Json::error_handler_t::replace),
                        .seconds_max = seconds_max};
  MR_ASSIGN(const ServerAnswer answer, call_server(server, credentials, request));
  Json json = Json::parse(answer.body, nullptr, false);
  if (answer.status != 200) {
    const bool told = json.is_object() && json.contains("error") && json["error"].is_string();
    return Error{kInvalid, told ? json["error"].get<std::string>()
                                : fmt::format("{} answered {}", server.endpoint, answer.status)};
  }
  if (!json.is_object()) return Error{kUnavailable, fmt::format("{} is no Millrace server", server.endpoint)};
  return json;
}

}  // namespace millrace::app
