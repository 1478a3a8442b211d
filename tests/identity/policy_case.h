// tests/identity/policy_case.h: a request and the policies that it meets, to be said in a line or two.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "identity/authorizer.h"
#include "identity/evaluate.h"
#include "identity/policy.h"

namespace millrace::identity {

inline constexpr std::string_view kAccount = "123456789012";
inline constexpr std::string_view kStream = "arn:aws:kinesis:us-east-1:123456789012:stream/clicks";

// {"Version":"2012-10-17","Statement":[STATEMENTS]}
inline std::string document(std::string_view statements) {
  return std::string(R"({"Version":"2012-10-17","Statement":[)").append(statements).append("]}");
}

inline std::shared_ptr<const Policy> policy(std::string_view statements,
                                            PolicyKind kind = PolicyKind::kIdentity) {
  auto parsed = parse_policy(document(statements), kind, kResourcePolicyBytesMax);
  EXPECT_TRUE(parsed.ok()) << statements << ": " << (parsed.ok() ? "" : parsed.error().text);
  return parsed.ok() ? *parsed : nullptr;
}

struct PolicyCase {
  const char* name;
  std::vector<std::string> identity = {};  // statements of the caller's policies, one policy each
  std::string resource_policy = {};        // statements; empty: none
  std::vector<std::string> session = {};
  std::string action = "kinesis:PutRecord";
  std::string resource = std::string(kStream);
  bool allowed = false;

  bool role = false;  // else the user alice
  std::string user = "alice";
  std::string peer = "203.0.113.7:40312";
  bool tls = false;
  std::int64_t now_s = 1'795'608'000;  // 2026-11-25T12:00:00Z
  std::map<std::string, std::string> resource_tags = {}, request_tags = {};
  std::vector<std::string> tag_keys = {};
  std::vector<ConditionValue> more = {};
  bool must = false;  // the resource's policy must allow
  bool temporary = false;
};

inline Principal principal_of(const PolicyCase& c) {
  Principal principal;
  principal.account = kAccount;
  principal.serial = next_serial();
  if (c.role) {
    principal.kind = Principal::Kind::kSession;
    principal.name = "worker";
    principal.id = "AROAEXAMPLE:job";
    principal.arn = "arn:aws:sts::123456789012:assumed-role/worker/job";
    principal.role_arn = "arn:aws:iam::123456789012:role/worker";
  } else {
    principal.kind = Principal::Kind::kUser;
    principal.name = c.user;
    principal.id = "AIDAEXAMPLE";
    principal.arn = "arn:aws:iam::123456789012:user/" + c.user;
  }
  principal.temporary = c.role || c.temporary;
  principal.token_issued_s = principal.temporary ? c.now_s - 60 : 0;
  for (const std::string& each : c.identity) principal.policies.push_back({"policy/p", policy(each)});
  for (const std::string& each : c.session)
    principal.session_policies.push_back({"session policy", policy(each)});
  return principal;
}

inline Verdict verdict_of(const PolicyCase& c) {
  const Principal principal = principal_of(c);
  const std::vector<HttpHeader> headers = {{"User-Agent", "aws-sdk-java/2.20"}};
  const Circumstances circumstances{
      .peer = c.peer, .tls = c.tls, .now_ms = c.now_s * 1'000, .headers = headers};
  const AccessRequest request{
      .action = c.action,
      .resource = c.resource,
      .weight = c.must ? AccessRequest::Weight::kMustAllow : AccessRequest::Weight::kMayAllow,
      .resource_tags = c.resource_tags.empty() ? nullptr : &c.resource_tags,
      .request_tags = c.request_tags.empty() ? nullptr : &c.request_tags,
      .tag_keys = c.tag_keys,
      .more = c.more};
  const auto own = c.resource_policy.empty() ? nullptr : policy(c.resource_policy, PolicyKind::kResource);
  return evaluate(RequestContext(principal, circumstances, request, "us-east-1"), {.own = own.get()});
}

// {"Effect":"Allow","Action":ACTION,"Resource":RESOURCE MORE}; both as JSON values without quotes where
// plain.
inline std::string statement(std::string_view effect, std::string_view action, std::string_view resource,
                             std::string_view more = {}) {
  const auto json = [](std::string_view value) {
    return value.starts_with('[') ? std::string(value) : '"' + std::string(value) + '"';
  };
  std::string text = R"({"Effect":")" + std::string(effect) + R"(","Action":)" + json(action) +
                     R"(,"Resource":)" + json(resource);
  if (!more.empty()) text.append(",").append(more);
  return text + "}";
}
inline std::string allow(std::string_view action, std::string_view resource = "*",
                         std::string_view more = {}) {
  return statement("Allow", action, resource, more);
}
inline std::string deny(std::string_view action, std::string_view resource = "*",
                        std::string_view more = {}) {
  return statement("Deny", action, resource, more);
}
// Of a condition: "Condition":{OP:{KEY:VALUES}}
inline std::string when(std::string_view op, std::string_view key, std::string_view values) {
  const std::string json = values.starts_with('[') ? std::string(values) : '"' + std::string(values) + '"';
  return R"("Condition":{")" + std::string(op) + R"(":{")" + std::string(key) + R"(":)" + json + "}}";
}
// "Principal":{"AWS":NAMES}
inline std::string to(std::string_view names) {
  if (names == "*") return R"("Principal":"*")";
  return R"("Principal":{"AWS":)" +
         (names.starts_with('[') ? std::string(names) : '"' + std::string(names) + '"') + "}";
}

}  // namespace millrace::identity
