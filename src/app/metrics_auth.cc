#include "app/metrics_auth.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "app/document_file.h"
#include "identity/digest.h"
#include "net/response_head.h"

namespace millrace::app {
namespace {

constexpr std::size_t kTokenBytesMin = 16;
constexpr std::size_t kTokenBytesMax = 512;
constexpr std::string_view kScheme = "Bearer ";

bool is_token_byte(char byte) { return byte > ' ' && byte < 0x7f; }

}  // namespace

Result<void> MetricsAuth::reload() {
  if (file_.empty()) return {};
  auto read = read_document(file_);
  if (!read.ok()) return Error{ErrorKind::kInvalid, "--metrics-auth: " + read.error().text};
  std::string text = std::move(*read);
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  if (text.size() < kTokenBytesMin || text.size() > kTokenBytesMax ||
      !std::all_of(text.begin(), text.end(), is_token_byte))
    return Error{ErrorKind::kInvalid,
                 fmt::format("--metrics-auth is {}: it must hold one token of {} to {} visible ASCII "
                             "characters",
                             file_, kTokenBytesMin, kTokenBytesMax)};
  token_.publish(std::make_shared<const std::string>(std::move(text)));
  return {};
}

bool MetricsAuth::passes(const net::Request& request) const {
  if (file_.empty()) return true;
  const std::string_view given = request.header("authorization");
  const std::string& token = *token_.here();
  return !token.empty() && given.starts_with(kScheme) &&
         identity::equal_in_constant_time(given.substr(kScheme.size()), token);
}

net::Response metrics_refusal() {
  net::Response response =
      net::error_response(401, "AccessDeniedException", "/metrics wants the token of --metrics-auth.");
  response.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"metrics\"");
  return response;
}

}  // namespace millrace::app
