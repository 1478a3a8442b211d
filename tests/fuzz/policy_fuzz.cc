// Byte 0: 0 the rest is a policy document as text, 1 a pattern and a text, 2 draws policies, callers and
// requests.
//
// A document is taken or refused with a reason that can be shown. A pattern matches what a plain matcher
// says. And of decisions: one more deny never allows, and denies just what it says by itself; in which order
// the statements stand, and in how many policies, makes no difference; and what the authorizer remembers is
// what it would decide anew.
#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/assert.h"
#include "fuzz/can_be_shown.h"
#include "fuzz/drawn_input.h"
#include "identity/authorizer.h"
#include "identity/evaluate.h"
#include "identity/glob.h"
#include "identity/policy.h"
#include "identity/principal.h"

namespace millrace::identity {
namespace {

constexpr std::string_view kRegion = "us-east-1";

void check_document(std::string_view text) {
  for (const PolicyKind kind : {PolicyKind::kIdentity, PolicyKind::kResource, PolicyKind::kTrust}) {
    const auto policy = parse_policy(text, kind, kIdentityPolicyBytesMax);
    if (!policy.ok()) {
      MR_ASSERT(!policy.error().text.empty() && fuzz::can_be_shown(policy.error().text));
      continue;
    }
    MR_ASSERT((*policy)->text() == text && !(*policy)->statements().empty());
    for (const Statement& statement : (*policy)->statements()) MR_ASSERT(!statement.actions.empty());
  }
}

// Of texts of letters of one byte, character by character.
bool plainly_matches(std::string_view pattern, std::string_view text) {
  std::vector<bool> matched(text.size() + 1, false);
  matched[0] = true;
  for (const char sign : pattern) {
    std::vector<bool> next(text.size() + 1, false);
    bool any = false;
    for (std::size_t i = 0; i <= text.size(); ++i) {
      any = any || matched[i];
      if (sign == '*') next[i] = any;
      if (sign != '*' && i > 0 && matched[i - 1]) next[i] = sign == '?' || sign == text[i - 1];
    }
    matched = next;
  }
  return matched[text.size()];
}

void check_pattern(fuzz::DrawnInput& draw) {
  static constexpr std::string_view kSigns = "ab*?:A";
  std::string pattern, text;
  for (std::size_t left = draw.below(24); left > 0; --left) pattern += kSigns[draw.below(kSigns.size())];
  // Longer texts tell no more, and the plain matcher takes milliseconds over each.
  constexpr std::size_t kTextBytesMax = 200;
  while (!draw.empty() && text.size() < kTextBytesMax) text += "ab:A"[draw.below(4)];
  MR_ASSERT(Glob::plain(pattern).matches(text) == plainly_matches(pattern, text));
  MR_ASSERT(Glob::plain(pattern, Glob::Case::kFolded).matches(text) ==
            plainly_matches(folded(pattern), folded(text)));
  MR_ASSERT(Glob::literal(text).matches(text));
  bool unresolved = false;
  const bool arn = arn_matches(pattern, nullptr, text, unresolved);
  MR_ASSERT(!unresolved && (!arn || pattern == "*" || plainly_matches(pattern, text)));
}

template <std::size_t N>
std::string one_of(fuzz::DrawnInput& draw, const std::string_view (&texts)[N]) {
  return std::string(texts[draw.below(N)]);
}

std::string quoted(const std::string& text) { return '"' + text + '"'; }

constexpr std::string_view kActions[] = {
    "*",         "kinesis:*", "kinesis:PutRecord", "kinesis:Get*", "KINESIS:PUT*", "kinesis:?etRecords",
    "dynamodb:*"};
constexpr std::string_view kResources[] = {
    "*",
    "arn:aws:kinesis:us-east-1:000000000000:stream/a",
    "arn:aws:kinesis:*:*:stream/*",
    "arn:aws:kinesis:us-east-1:000000000000:stream/${aws:username}",
    "arn:aws:kinesis:us-east-1:000000000000:stream/${aws:PrincipalTag/t}*",
    "arn:aws:kinesis:us-east-1:000000000000:stream/${aws:SourceIp, 'b'}"};
constexpr std::string_view kOperators[] = {"StringEquals",
                                           "StringNotEquals",
                                           "StringEqualsIgnoreCase",
                                           "StringLike",
                                           "StringNotLikeIfExists",
                                           "ForAnyValue:StringEquals",
                                           "ForAllValues:StringLike",
                                           "ForAllValues:StringNotEquals",
                                           "ForAnyValue:StringNotLike",
                                           "ArnLike",
                                           "ArnNotEquals",
                                           "Null",
                                           "Bool",
                                           "BoolIfExists",
                                           "IpAddress",
                                           "NotIpAddress",
                                           "NumericLessThan",
                                           "NumericNotEqualsIfExists",
                                           "DateGreaterThan",
                                           "DateLessThanEquals"};
constexpr std::string_view kKeys[] = {
    "aws:username",        "aws:SourceIp",       "aws:SecureTransport",
    "aws:CurrentTime",     "aws:EpochTime",      "aws:PrincipalArn",
    "aws:ResourceTag/t",   "aws:RequestTag/t",   "aws:TagKeys",
    "aws:PrincipalTag/t",  "aws:UserAgent",      "aws:ResourceAccount",
    "aws:RequestedRegion", "aws:TokenIssueTime", "aws:MultiFactorAuthPresent",
    "dynamodb:LeadingKeys"};
constexpr std::string_view kValues[] = {"a",
                                        "b*",
                                        "*",
                                        "true",
                                        "false",
                                        "127.0.0.1",
                                        "127.0.0.0/8",
                                        "::1/128",
                                        "1000",
                                        "2026-06-01T00:00:00Z",
                                        "us-east-1",
                                        "000000000000",
                                        "arn:aws:iam::000000000000:user/a",
                                        "arn:aws:iam::*:role/*",
                                        "${aws:username}",
                                        "${aws:UserAgent}",
                                        "${*}",
                                        "${aws:PrincipalTag/none}"};

std::string drawn_list(fuzz::DrawnInput& draw, auto&& one) {
  std::string list = "[" + quoted(one());
  for (std::size_t left = draw.below(3); left > 0; --left) list += ',' + quoted(one());
  return list + ']';
}

std::string drawn_statement(fuzz::DrawnInput& draw, std::string_view effect, bool of_resource) {
  std::string text = "{\"Effect\":" + quoted(std::string(effect));
  if (of_resource) {
    static constexpr std::string_view kPrincipals[] = {
        "*", "000000000000", "arn:aws:iam::000000000000:user/a", "arn:aws:iam::000000000000:role/r",
        "arn:aws:sts::000000000000:assumed-role/r/s"};
    const bool negated = effect == "Deny" && draw.below(4) == 1;
    text += std::string(",\"") + (negated ? "NotPrincipal" : "Principal") +
            "\":{\"AWS\":" + drawn_list(draw, [&] { return one_of(draw, kPrincipals); }) + '}';
  }
  text += std::string(",\"") + (draw.below(8) == 1 ? "NotAction" : "Action") +
          "\":" + drawn_list(draw, [&] { return one_of(draw, kActions); });
  text += std::string(",\"") + (draw.below(8) == 1 ? "NotResource" : "Resource") +
          "\":" + drawn_list(draw, [&] { return one_of(draw, kResources); });
  if (draw.below(2) == 1) {
    text += ",\"Condition\":{" + quoted(one_of(draw, kOperators)) + ":{" + quoted(one_of(draw, kKeys)) + ':' +
            drawn_list(draw, [&] { return one_of(draw, kValues); }) + "}}";
  }
  return text + '}';
}

std::string document_of(const std::vector<std::string>& statements) {
  std::string text = "{\"Version\":\"2012-10-17\",\"Statement\":[";
  for (std::size_t i = 0; i < statements.size(); ++i) text += (i == 0 ? "" : ",") + statements[i];
  return text + "]}";
}

// Empty where an operator does not take a value that was drawn.
std::shared_ptr<const Policy> policy_of(const std::vector<std::string>& statements, PolicyKind kind) {
  const auto parsed = parse_policy(document_of(statements), kind, kResourcePolicyBytesMax);
  if (parsed.ok()) return *parsed;
  MR_ASSERT(parsed.error().kind == ErrorKind::kInvalid);
  return nullptr;
}

std::shared_ptr<Principal> principal_of(std::uint8_t choice) {
  auto principal = std::make_shared<Principal>();
  principal->account = "000000000000";
  principal->serial = next_serial();
  if ((choice & 1) != 0) principal->tags["t"] = (choice & 2) != 0 ? "a" : "*";
  if ((choice & 4) != 0) {
    principal->kind = Principal::Kind::kSession;
    principal->arn = "arn:aws:sts::000000000000:assumed-role/r/s";
    principal->role_arn = "arn:aws:iam::000000000000:role/r";
    principal->id = "AROAEXAMPLE:s";
    principal->name = "r";
    principal->temporary = true;
    principal->token_issued_s = 1'780'000'000;
  } else {
    principal->kind = Principal::Kind::kUser;
    principal->arn = "arn:aws:iam::000000000000:user/a";
    principal->id = "AIDAEXAMPLE";
    principal->name = "a";
  }
  return principal;
}

// A request and all that it borrows.
struct Asked {
  explicit Asked(fuzz::DrawnInput& draw) {
    static constexpr std::string_view kAsked[] = {"kinesis:PutRecord", "kinesis:GetRecords",
                                                  "dynamodb:PutItem"};
    static constexpr std::string_view kOf[] = {"arn:aws:kinesis:us-east-1:000000000000:stream/a",
                                               "arn:aws:kinesis:us-east-1:000000000000:stream/b", "*",
                                               "arn:aws:kinesis:us-east-1:000000000000:stream/127.0.0.1"};
    static constexpr std::string_view kPeers[] = {"127.0.0.1:1", "[::1]:1", "10.1.2.3:4", ""};
    request.action = kAsked[draw.below(std::size(kAsked))];
    request.resource = kOf[draw.below(std::size(kOf))];
    circumstances.peer = kPeers[draw.below(std::size(kPeers))];
    const std::uint8_t more = draw.byte();
    circumstances.tls = (more & 1) != 0;
    circumstances.now_ms = (more & 2) != 0 ? 1'790'000'000'000 : 900'000;
    if ((more & 4) != 0) headers.push_back({"user-agent", (more & 8) != 0 ? "a" : "b/1"});
    if ((more & 16) != 0) tags["t"] = (more & 8) != 0 ? "a" : "bc";
    if ((more & 32) != 0) keys.push_back({"dynamodb:LeadingKeys", {"a", "bb"}});
    circumstances.headers = headers;
    request.more = keys;
    if ((more & 64) != 0) request.resource_tags = &tags;
    if ((more & 128) != 0) request.request_tags = &tags;
  }
  Asked(const Asked&) = delete;
  Circumstances circumstances;
  AccessRequest request;
  std::vector<HttpHeader> headers;
  std::map<std::string, std::string> tags;
  std::vector<ConditionValue> keys;
};

bool allows(const Principal& principal, const Asked& asked, const Policy* resource_policy) {
  return is_allowed(evaluate(RequestContext(principal, asked.circumstances, asked.request, kRegion),
                             {.own = resource_policy})
                        .reason);
}

void check_decisions(fuzz::DrawnInput& draw) {
  const auto principal = principal_of(draw.byte());
  std::vector<std::string> statements;
  std::vector<std::shared_ptr<const Policy>> alone;
  for (std::size_t left = 1 + draw.below(3); left > 0; --left) {
    std::string statement = drawn_statement(draw, draw.below(3) == 2 ? "Deny" : "Allow", false);
    auto policy = policy_of({statement}, PolicyKind::kIdentity);
    if (!policy) continue;
    statements.push_back(std::move(statement));
    alone.push_back(std::move(policy));
  }
  const std::string deny_text = drawn_statement(draw, "Deny", false);
  const auto deny = policy_of({deny_text}, PolicyKind::kIdentity);
  const auto everything =
      policy_of({R"({"Effect":"Allow","Action":"*","Resource":"*"})"}, PolicyKind::kIdentity);
  std::shared_ptr<const std::string> resource_text;
  std::shared_ptr<const Policy> resource_policy;
  if (draw.below(2) == 1) {
    const std::vector<std::string> of_resource{
        drawn_statement(draw, draw.below(3) == 2 ? "Deny" : "Allow", true)};
    resource_policy = policy_of(of_resource, PolicyKind::kResource);
    if (resource_policy) resource_text = std::make_shared<const std::string>(document_of(of_resource));
  }
  if (statements.empty() || !deny) return;

  auto forward = *principal, backward = *principal, apart = *principal, denied = *principal,
       only = *principal;
  forward.policies = {{"p", policy_of(statements, PolicyKind::kIdentity)}};
  backward.policies = {{"p", policy_of({statements.rbegin(), statements.rend()}, PolicyKind::kIdentity)}};
  for (const auto& policy : alone) apart.policies.push_back({"p", policy});
  denied.policies = apart.policies;
  denied.policies.push_back({"deny", deny});
  only.policies = {{"all", everything}, {"deny", deny}};

  // Of this input alone: what one input leaves behind looks like a leak, and libFuzzer then searches for it.
  const Authorizer authorizer(std::string(kRegion), nullptr);
  forward.serial = next_serial();
  Caller caller;
  caller.principal = std::make_shared<const Principal>(forward);
  for (int i = 0; i < 6; ++i) {
    Asked asked(draw);
    const bool allowed = allows(forward, asked, resource_policy.get());
    MR_ASSERT(allows(backward, asked, resource_policy.get()) == allowed);
    MR_ASSERT(allows(apart, asked, resource_policy.get()) == allowed);
    const bool denies = !allows(only, asked, nullptr);
    MR_ASSERT(allows(denied, asked, resource_policy.get()) == (allowed && !denies));
    asked.request.policies.own = resource_text;
    const auto denial = authorizer.check(caller, asked.circumstances, asked.request);
    MR_ASSERT(denial.has_value() == !allowed);
    if (denial) MR_ASSERT(fuzz::can_be_shown(denial->message));
  }
}

void check(std::string_view input) {
  fuzz::DrawnInput draw(input);
  switch (draw.below(3)) {
    case 0:
      return check_document(draw.rest());
    case 1:
      return check_pattern(draw);
    default:
      return check_decisions(draw);
  }
}

}  // namespace
}  // namespace millrace::identity

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  millrace::identity::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
