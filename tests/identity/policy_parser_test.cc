// Documents that are refused, and what is said of them.
#include <gtest/gtest.h>

#include <array>

#include "identity/policy_case.h"
#include "sim/seeded_random.h"

namespace millrace::identity {
namespace {

std::string refusal(std::string_view json, PolicyKind kind = PolicyKind::kIdentity) {
  const auto parsed = parse_policy(json, kind, kResourcePolicyBytesMax);
  return parsed.ok() ? "taken" : parsed.error().text;
}

struct Row {
  const char* json;
  const char* says;
};

TEST(PolicyParser, SaysWhatIsWrongAndWhere) {
  const Row rows[] = {
      {R"({"Statement":[)", "Syntax errors in policy, at byte 15"},
      {"[]", "Syntax errors in policy: it must be an object"},
      {R"({"Version":"2012-10-17"})", "Policy must have Statement"},
      {R"({"Version":"2020-01-01","Statement":[]})", "Version must be 2012-10-17 or 2008-10-17"},
      {R"({"Statement":[]})", "Statement must have at least one statement"},
      {R"({"Statement":[7]})", "Statement must be an object"},
      {R"({"Statement":{},"Statment":1})", "Policy: \"Statment\" is no element of it"},
      {R"({"Statement":{"Effect":"allow","Action":"*","Resource":"*"}})",
       "Statement.Effect must be Allow or Deny"},
      {R"({"Statement":{"Effect":"Deny","Effect":"Allow","Action":"*","Resource":"*"}})",
       "Syntax errors in policy: \"Effect\" comes twice in one object"},
      {R"({"Statement":{"Effect":"Allow","Resource":"*"}})", "Statement must have Action or NotAction"},
      {R"({"Statement":{"Effect":"Allow","Action":"*","NotAction":"*","Resource":"*"}})",
       "Statement has both Action and NotAction"},
      {R"({"Statement":{"Effect":"Allow","Action":"*"}})", "Statement must have Resource or NotResource"},
      {R"({"Statement":{"Effect":"Allow","Action":[],"Resource":"*"}})",
       "Statement.Action must be a string, or a list of at least one string"},
      {R"({"Statement":{"Effect":"Allow","Action":"PutRecord","Resource":"*"}})",
       "Statement.Action: \"PutRecord\" must be prefaced by a vendor, such as kinesis:PutRecord, or be "
       "\"*\""},
      {R"({"Statement":{"Effect":"Allow","Action":"*","Resource":"clicks"}})",
       "Statement.Resource: \"clicks\" must be in ARN format or \"*\""},
      {R"({"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Principal":"*"}})",
       "Statement: Policy document should not specify a principal"},
      {R"({"Statement":[{"Sid":"a","Effect":"Allow","Action":"*","Resource":"*"},{"Sid":"a","Effect":"Allow","Action":"*","Resource":"*"}]})",
       "Statement IDs (SID) in a single policy must be unique: \"a\""},
      {R"({"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEqual":{"aws:username":"a"}}}})",
       "Statement.Condition: \"StringEqual\" is no condition operator"},
      {R"({"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"1.2.3.4/33"}}}})",
       "Statement.Condition: IpAddress of aws:SourceIp: \"1.2.3.4/33\" must be an IP address, or a range "
       "such as "
       "203.0.113.0/24"},
      {R"({"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"yes"}}}})",
       "Statement.Condition: Bool of aws:SecureTransport: \"yes\" must be true or false"},
      {R"({"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"username":"a"}}}})",
       "Statement.Condition: \"username\" is no condition key: it has no \"service:\""},
  };
  for (const Row& row : rows) EXPECT_EQ(refusal(row.json), row.says) << row.json;
}

TEST(PolicyParser, PoliciesOfResourcesNeedAPrincipalAndThoseOfRolesNoResource) {
  EXPECT_EQ(refusal(document(allow("*")), PolicyKind::kResource),
            "Statement must have Principal or NotPrincipal");
  EXPECT_EQ(refusal(document(allow("*", "*", to("arn:aws:iam::123456789012:user/*"))), PolicyKind::kResource)
                .substr(0, 27),
            "Invalid principal in policy");
  EXPECT_EQ(refusal(document(R"({"Effect":"Allow","NotPrincipal":"*","Action":"*","Resource":"*"})"),
                    PolicyKind::kResource),
            "Statement: NotPrincipal must be used with Effect Deny");
  EXPECT_EQ(refusal(document(allow("sts:AssumeRole", "*", to("*"))), PolicyKind::kTrust),
            "Statement: Has prohibited field Resource");
  EXPECT_EQ(
      refusal(document(R"({"Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":"sts:AssumeRole"})"),
              PolicyKind::kTrust),
      "taken");
}

TEST(PolicyParser, RefusesWhatIsTooLongOrTooDeep) {
  const std::string text = document(allow("*"));
  const auto parsed = parse_policy(text, PolicyKind::kIdentity, text.size() - 1);
  ASSERT_FALSE(parsed.ok());
  EXPECT_EQ(parsed.error().kind, ErrorKind::kLimit);
  EXPECT_TRUE(parse_policy(text, PolicyKind::kIdentity, text.size()).ok());
  std::string deep = R"({"Statement":)";
  for (int i = 0; i < 200; ++i) deep += '[';
  for (int i = 0; i < 200; ++i) deep += ']';
  EXPECT_EQ(refusal(deep + "}"), "Syntax errors in policy: nested deeper than 16");
}

TEST(PolicyParser, InTheOldVersionAVariableIsText) {
  const std::string old = R"({"Version":"2008-10-17","Statement":{"Effect":"Allow","Action":"*",)"
                          R"("Resource":"arn:aws:kinesis:us-east-1:123456789012:stream/${aws:username}"}})";
  const auto parsed = parse_policy(old, PolicyKind::kIdentity, kIdentityPolicyBytesMax);
  ASSERT_TRUE(parsed.ok());
  Principal alice = principal_of({.name = ""});
  alice.policies = {{"old", *parsed}};
  const AccessRequest request{.action = "kinesis:PutRecord",
                              .resource = "arn:aws:kinesis:us-east-1:123456789012:stream/alice"};
  EXPECT_FALSE(is_allowed(evaluate(RequestContext(alice, {}, request, "us-east-1"), {}).reason));
}

TEST(Glob, PatternsMadeToTakeLongDoNot) {
  const std::string stars = "*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b";
  EXPECT_FALSE(Glob::plain(stars).matches(std::string(2'000, 'a')));
  EXPECT_TRUE(Glob::plain(stars).matches(std::string(2'000, 'a') + "b"));
}

TEST(Glob, APolicyOfTwentyKilobytesDoesNotHoldTheServerUp) {
  const std::string text(16'000, 'a');
  EXPECT_FALSE(Glob::plain("*" + std::string(8'000, 'a') + "b*").matches(text));
  EXPECT_FALSE(Glob::plain(std::string(20'000, '?') + "*").matches(text));
  // A variable may stand for much, and be named often.
  std::string often;
  for (int i = 0; i < 1'000; ++i) often += "${aws:UserAgent}";
  const Glob::Variables variables = [&](std::string_view) { return std::optional(text); };
  EXPECT_FALSE(Glob::with_variables(often, variables).has_value());
  EXPECT_FALSE(replace_variables(often, variables).has_value());
  EXPECT_TRUE(Glob::with_variables("${aws:UserAgent}*", variables)->matches(text + "b"));
}

// By the definition, character by character.
bool matches_slowly(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern.front() == '*') {
    for (std::size_t at = 0; at <= text.size(); ++at)
      if (matches_slowly(pattern.substr(1), text.substr(at))) return true;
    return false;
  }
  const auto is_inside = [](char byte) { return (static_cast<unsigned char>(byte) & 0xc0) == 0x80; };
  if (text.empty()) return false;
  if (pattern.front() != '?')
    return text.front() == pattern.front() && matches_slowly(pattern.substr(1), text.substr(1));
  if (is_inside(text.front())) return false;
  std::size_t at = 1;
  while (at < text.size() && is_inside(text[at])) ++at;
  return matches_slowly(pattern.substr(1), text.substr(at));
}

TEST(Glob, LongPiecesMatchWhereShortOnesWould) {
  sim::SeededRandom random(sim::Seed{7});
  const auto below = [&](std::uint8_t bound) {
    std::array<std::uint8_t, 1> byte;
    random.fill(byte);
    return byte[0] % bound;
  };
  const std::vector<std::string> characters = {"a", "b", "\xc3\xa4", "\xe2\x82\xac", "\x80"};
  int matched = 0;
  for (int round = 0; round < 3'000; ++round) {
    std::string text, pattern = "*";
    for (int i = 0; i < 150; ++i) {
      const std::string& character = characters[below(20) == 0 ? 1 + below(4) : 0];
      text += character;
      if (i < 30 || i >= 30 + 62 + below(8)) continue;
      const bool wrong = below(200) == 0;
      pattern += below(3) == 0 ? "?" : wrong ? "b" : character;
    }
    pattern += below(2) == 0 ? "*" : "*a";
    const bool expected = matches_slowly(pattern, text);
    ASSERT_EQ(Glob::plain(pattern).matches(text), expected) << pattern << "\n" << text;
    matched += expected ? 1 : 0;
  }
  EXPECT_GT(matched, 300);
  EXPECT_LT(matched, 2'700);
}

TEST(Glob, AQuestionMarkBeforeALongPieceDoesNotMakeItSlow) {
  const std::string text(60'000, 'a');
  EXPECT_FALSE(Glob::plain("*?" + std::string(19'000, 'a') + "b*").matches(text));
  EXPECT_TRUE(Glob::plain("*?" + std::string(19'000, 'a') + "b*").matches(text + "b"));
  EXPECT_FALSE(Glob::plain("*" + std::string(19'000, 'a') + "b*").matches(text));
}

TEST(Glob, PiecesMayNotOverlap) {
  EXPECT_FALSE(Glob::plain("ab*ba").matches("aba"));
  EXPECT_TRUE(Glob::plain("ab*ba").matches("abba"));
  EXPECT_FALSE(Glob::plain("*ab*ab*").matches("ab"));
  EXPECT_FALSE(Glob::plain("*?b").matches("b"));
  EXPECT_TRUE(Glob::plain("*?b").matches("xb"));
  EXPECT_TRUE(Glob::plain("*x?*z").matches("ax\xe2\x82\xacz"));
  EXPECT_FALSE(Glob::plain("*x??*z").matches("ax\xe2\x82\xacz"));
}

TEST(Glob, AQuestionMarkIsOneCharacterOfManyBytes) {
  EXPECT_TRUE(Glob::plain("x?z").matches("x\xe2\x82\xacz"));
  EXPECT_FALSE(Glob::plain("x??z").matches("x\xe2\x82\xacz"));
  EXPECT_TRUE(Glob::plain("").matches(""));
  EXPECT_FALSE(Glob::plain("").matches("a"));
  EXPECT_TRUE(Glob::plain("**").matches(""));
}

}  // namespace
}  // namespace millrace::identity
