#include "load/signer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "identity/sigv4.h"

namespace millrace::load {
namespace {

constexpr std::int64_t kNowUs = 1'764'043'796'000'000;

std::vector<HttpHeader> headers_of(std::string_view head) {
  std::vector<HttpHeader> headers;
  for (std::size_t at = head.find("\r\n") + 2; !head.substr(at).starts_with("\r\n");) {
    const std::size_t end = head.find("\r\n", at);
    const std::size_t colon = head.find(": ", at);
    headers.push_back({head.substr(at, colon - at), head.substr(colon + 2, end - colon - 2)});
    at = end + 2;
  }
  return headers;
}

bool passes(const std::string& head, std::string_view body, const std::string& secret) {
  const identity::Verifier verifier({{"AKIA", {secret, ""}}}, "us-east-1", false);
  const std::vector<HttpHeader> headers = headers_of(head);
  const std::string_view service = "kinesis";
  const auto result = verifier.verify({"POST", "/", headers, as_bytes(body)}, {&service, 1}, kNowUs / 1'000);
  return std::holds_alternative<identity::Caller>(result);
}

TEST(SignerTest, WhatItSignsTheServerVerifies) {
  Signer signer({"AKIA", "secret", "us-east-1"}, "127.0.0.1:4566");
  const std::string head = signer.head("PutRecords", "{}", kNowUs);
  EXPECT_TRUE(passes(head, "{}", "secret"));
  EXPECT_FALSE(passes(head, "{ }", "secret"));
  EXPECT_FALSE(passes(head, "{}", "another"));
}

TEST(SignerTest, ANewDayHasANewKey) {
  Signer signer({"AKIA", "secret", "us-east-1"}, "127.0.0.1:4566");
  signer.head("PutRecords", "{}", kNowUs - 86'400'000'000);
  EXPECT_TRUE(passes(signer.head("PutRecords", "{}", kNowUs), "{}", "secret"));
}

}  // namespace
}  // namespace millrace::load
