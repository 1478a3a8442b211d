// A request as text: a line with the server's time in seconds, a line "METHOD target", header lines
// "name:value", an empty line, the body. However it looks, it gets an answer that can be shown; and what
// passes, passes for one secret and one body only.
#include <algorithm>
#include <string>
#include <vector>

#include "base/assert.h"
#include "identity/sigv4.h"

namespace millrace::identity {
namespace {

std::string_view take_until(std::string_view* rest, char end) {
  const std::size_t at = std::min(rest->find(end), rest->size());
  const std::string_view taken = rest->substr(0, at);
  rest->remove_prefix(std::min(at + 1, rest->size()));
  return taken;
}

Verifier with_secret(const std::string& secret) {
  return Verifier({{"AKIDEXAMPLE", {secret, ""}},
                   {"ASIAEXAMPLE", {secret, "IQoJb3JpZ2luX2VjEXAMPLE//token+with/specials=="}}},
                  "us-east-1", false);
}

void check(std::string_view input) {
  static const Verifier right = with_secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
  static const Verifier wrong = with_secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEZ");
  static const Verifier open({}, "us-east-1", true);

  std::int64_t now_s = 0;
  for (const char c : take_until(&input, '\n').substr(0, 12)) {
    if (c >= '0' && c <= '9') now_s = now_s * 10 + (c - '0');
  }
  std::string_view first_line = take_until(&input, '\n');
  const std::string_view method = take_until(&first_line, ' ');
  std::vector<HttpHeader> headers;
  while (!input.empty()) {
    std::string_view line = take_until(&input, '\n');
    if (line.empty()) break;
    const std::string_view name = take_until(&line, ':');
    headers.push_back({name, line});
  }
  std::string body(input);
  const std::string_view services[] = {"kinesis", "service"};
  const auto passes = [&](const Verifier& verifier) {
    const auto result =
        verifier.verify({method, first_line, headers, as_bytes(body)}, services, now_s * 1000);
    if (const auto* failure = std::get_if<AuthFailure>(&result)) {
      MR_ASSERT(failure->type.ends_with("Exception"));
      MR_ASSERT(std::all_of(failure->message.begin(), failure->message.end(),
                            [](char c) { return c == '\n' || (c >= ' ' && c <= '~'); }));
    }
    return std::holds_alternative<Caller>(result);
  };
  passes(open);
  const bool body_is_unsigned =
      std::any_of(headers.begin(), headers.end(),
                  [](const HttpHeader& header) { return header.value == "UNSIGNED-PAYLOAD"; }) ||
      first_line.find("UNSIGNED-PAYLOAD") != std::string_view::npos;
  if (!passes(right)) return;
  MR_ASSERT(!passes(wrong));
  body += 'x';
  MR_ASSERT(!passes(right) || body_is_unsigned);
}

}  // namespace
}  // namespace millrace::identity

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  millrace::identity::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
