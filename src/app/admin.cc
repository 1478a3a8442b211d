#include "app/admin.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <utility>

#include "app/document_file.h"
#include "app/exit_code.h"
#include "base/result.h"

namespace millrace::app {
namespace {

using enum ErrorKind;
using Json = nlohmann::ordered_json;

constexpr long kTimeoutSeconds = 60;

// "access key:secret", as curl takes it.
Result<std::string> credentials() {
  for (const auto& [access, secret] : {std::pair("MILLRACE_ROOT_ACCESS_KEY", "MILLRACE_ROOT_SECRET_KEY"),
                                       std::pair("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}) {
    const char* key = std::getenv(access);     // NOLINT(concurrency-mt-unsafe): one thread
    const char* hidden = std::getenv(secret);  // NOLINT(concurrency-mt-unsafe): one thread
    if (key != nullptr && hidden != nullptr) return fmt::format("{}:{}", key, hidden);
  }
  return Error{kInvalid,
               "admin: set MILLRACE_ROOT_ACCESS_KEY and MILLRACE_ROOT_SECRET_KEY to those of the server, or "
               "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"};
}

struct HttpAnswer {
  long status = 0;
  std::string body;
};

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

Result<HttpAnswer> post(const AdminCall& call, const std::string& who, const std::string& body) {
  const std::unique_ptr<CURL, CurlDeleter> curl(curl_easy_init());
  if (curl == nullptr) return Error{kUnavailable, "out of memory"};
  std::string base = call.endpoint;
  while (base.ends_with('/')) base.pop_back();
  const std::string url = fmt::format("{}/admin/{}", base, call.operation);
  const std::string signing = fmt::format("aws:amz:{}:millrace", call.region);
  const std::unique_ptr<curl_slist, ListDeleter> headers(
      curl_slist_append(nullptr, "Content-Type: application/json"));
  HttpAnswer answer;
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl.get(), CURLOPT_AWS_SIGV4, signing.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_USERPWD, who.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
  curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, body.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT, kTimeoutSeconds);
  curl_easy_setopt(curl.get(), CURLOPT_NOPROXY, "*");
  if (!call.certificates.empty()) curl_easy_setopt(curl.get(), CURLOPT_CAINFO, call.certificates.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, append);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &answer.body);
  const CURLcode code = curl_easy_perform(curl.get());
  if (code != CURLE_OK)
    return Error{kUnavailable, fmt::format("{}: {}", call.endpoint, curl_easy_strerror(code))};
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &answer.status);
  return answer;
}

Result<std::string> body_of(const AdminCall& call) {
  Json body = Json::object();
  for (const auto& [field, text] : call.fields) body[field] = text;
  for (const auto& [field, number] : call.numbers) body[field] = number;
  for (const auto& [field, path] : call.files) {
    MR_ASSIGN(body[field], read_document(path));
  }
  return body.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// One line: a signature that does not match is told with all that should have been signed.
int fail(int code, const std::string& text) {
  std::fprintf(stderr, "millrace: %s\n", text.substr(0, text.find('\n')).c_str());
  return code;
}

}  // namespace

int run_admin(const AdminCall& call) {
  const auto who = credentials();
  if (!who.ok()) return fail(kBadUsage, who.error().text);
  const auto body = body_of(call);
  if (!body.ok()) return fail(kBadUsage, "admin: " + body.error().text);
  const auto answer = post(call, *who, *body);
  if (!answer.ok()) return fail(kFailed, "admin: " + answer.error().text);
  const Json json = Json::parse(answer->body, nullptr, false);
  if (answer->status != 200) {
    const bool told = json.is_object() && json.contains("error") && json["error"].is_string();
    return fail(kFailed, "admin: " + (told ? json["error"].get<std::string>()
                                           : fmt::format("{} answered {}", call.endpoint, answer->status)));
  }
  if (!json.is_object()) return fail(kFailed, fmt::format("admin: {} is no Millrace server", call.endpoint));
  const std::string text = call.prints_document ? json.value("Document", "")
                           : json.empty()       ? ""
                                                : json.dump(2);
  if (text.empty()) return 0;
  return std::puts(text.c_str()) < 0 || std::fflush(stdout) != 0 ? kFailed : 0;
}

}  // namespace millrace::app
