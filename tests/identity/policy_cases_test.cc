// Who may do what: cases of the rules that the IAM User Guide states, one row each.
// source: IAM User Guide, "Policy evaluation logic", "IAM JSON policy elements reference", "Condition
// operators", "Policies and permissions"; Kinesis Developer Guide, "Controlling access"

#include "identity/policy_case.h"

namespace millrace::identity {
namespace {

const std::string kUserArn = "arn:aws:iam::123456789012:user/alice";
const std::string kRoleArn = "arn:aws:iam::123456789012:role/worker";
const std::string kSessionArn = "arn:aws:sts::123456789012:assumed-role/worker/job";
const std::string kRootArn = "arn:aws:iam::123456789012:root";
const std::string kStreamText(kStream);
const std::string kConsumer = kStreamText + "/consumer/app:1795603059";

// Rows: a name, what the request meets, and whether it is allowed.
std::vector<PolicyCase> basic_cases() {
  const std::string put = allow("kinesis:PutRecord");
  return {
      {.name = "without any policy nothing is allowed"},
      {.name = "an allow of the action allows", .identity = {put}, .allowed = true},
      {.name = "an allow of another action does not", .identity = {allow("kinesis:GetRecords")}},
      {.name = "an allow of another service does not", .identity = {allow("sqs:PutRecord")}},
      {.name = "of several policies one is enough", .identity = {allow("s3:*"), put}, .allowed = true},
      {.name = "of several statements one is enough",
       .identity = {allow("s3:*") + "," + put},
       .allowed = true},
      {.name = "an explicit deny wins in the same policy",
       .identity = {put + "," + deny("kinesis:PutRecord")}},
      {.name = "an explicit deny wins whatever the order",
       .identity = {deny("kinesis:PutRecord") + "," + put}},
      {.name = "an explicit deny wins in another policy", .identity = {put, deny("kinesis:*")}},
      {.name = "a deny of another action does not matter",
       .identity = {put, deny("kinesis:GetRecords")},
       .allowed = true},
      {.name = "a deny of another resource does not matter",
       .identity = {put, deny("kinesis:PutRecord", "arn:aws:kinesis:*:*:stream/other")},
       .allowed = true},
      {.name = "a deny alone allows nothing else", .identity = {deny("kinesis:GetRecords")}},
      {.name = "an action in a list",
       .identity = {allow(R"(["kinesis:GetRecords","kinesis:PutRecord"])")},
       .allowed = true},
      {.name = "an action not in a list",
       .identity = {allow(R"(["kinesis:GetRecords","kinesis:PutRecords"])")}},
      {.name = "actions are compared without case",
       .identity = {allow("KINESIS:putrecord")},
       .allowed = true},
      {.name = "all actions of a service", .identity = {allow("kinesis:*")}, .allowed = true},
      {.name = "all actions of all services", .identity = {allow("*")}, .allowed = true},
      {.name = "all actions by *:*", .identity = {allow("*:*")}, .allowed = true},
      {.name = "actions by a beginning", .identity = {allow("kinesis:Put*")}, .allowed = true},
      {.name = "actions by another beginning", .identity = {allow("kinesis:Get*")}},
      {.name = "actions by an end", .identity = {allow("kinesis:*Record")}, .allowed = true},
      {.name = "an end does not match a longer name",
       .identity = {allow("kinesis:*Record")},
       .action = "kinesis:PutRecords"},
      {.name = "actions by a middle", .identity = {allow("kinesis:*ut*ec*")}, .allowed = true},
      {.name = "a question mark is one character",
       .identity = {allow("kinesis:PutRecord?")},
       .action = "kinesis:PutRecords",
       .allowed = true},
      {.name = "a question mark is not none", .identity = {allow("kinesis:PutRecord?")}},
      {.name = "a name is not its beginning",
       .identity = {allow("kinesis:PutRecord")},
       .action = "kinesis:PutRecords"},
      {.name = "NotAction allows the others",
       .identity = {R"({"Effect":"Allow","NotAction":"kinesis:DeleteStream","Resource":"*"})"},
       .allowed = true},
      {.name = "NotAction does not allow what it names",
       .identity = {R"({"Effect":"Allow","NotAction":"kinesis:Put*","Resource":"*"})"}},
      {.name = "NotAction with deny spares what it names",
       .identity = {put, R"({"Effect":"Deny","NotAction":"kinesis:*","Resource":"*"})"},
       .allowed = true},
      {.name = "NotAction with deny hits the others",
       .identity = {allow("*"), R"({"Effect":"Deny","NotAction":["kinesis:Get*","iam:*"],"Resource":"*"})"}},
      {.name = "NotAction of a list",
       .identity = {R"({"Effect":"Allow","NotAction":["s3:*","iam:*"],"Resource":"*"})"},
       .allowed = true},
  };
}

std::vector<PolicyCase> resource_cases() {
  return {
      {.name = "the resource itself", .identity = {allow("kinesis:*", kStreamText)}, .allowed = true},
      {.name = "another stream",
       .identity = {allow("kinesis:*", "arn:aws:kinesis:us-east-1:123456789012:stream/other")}},
      {.name = "another region",
       .identity = {allow("kinesis:*", "arn:aws:kinesis:eu-west-1:123456789012:stream/clicks")}},
      {.name = "another account",
       .identity = {allow("kinesis:*", "arn:aws:kinesis:us-east-1:111111111111:stream/clicks")}},
      {.name = "resources are compared with case",
       .identity = {allow("kinesis:*", "arn:aws:kinesis:us-east-1:123456789012:stream/Clicks")}},
      {.name = "any region and account",
       .identity = {allow("kinesis:*", "arn:aws:kinesis:*:*:stream/clicks")},
       .allowed = true},
      {.name = "streams by a beginning",
       .identity = {allow("kinesis:*", "arn:aws:kinesis:*:*:stream/cl*")},
       .allowed = true},
      {.name = "streams by another beginning",
       .identity = {allow("kinesis:*", "arn:aws:kinesis:*:*:stream/cr*")}},
      {.name = "a beginning is not the middle",
       .identity = {allow("kinesis:*", "arn:aws:kinesis:*:*:stream/licks*")}},
      {.name = "any stream",
       .identity = {allow("kinesis:*", "arn:aws:kinesis:us-east-1:123456789012:stream/*")},
       .allowed = true},
      {.name = "anything of the service",
       .identity = {allow("kinesis:*", "arn:aws:kinesis:*")},
       .allowed = true},
      {.name = "anything of another service", .identity = {allow("kinesis:*", "arn:aws:s3:::*")}},
      {.name = "one character open",
       .identity = {allow("kinesis:*", "arn:aws:kinesis:*:*:stream/click?")},
       .allowed = true},
      {.name = "one character too many",
       .identity = {allow("kinesis:*", "arn:aws:kinesis:*:*:stream/clicks?")}},
      {.name = "a list of resources",
       .identity = {allow("kinesis:*",
                          R"(["arn:aws:kinesis:*:*:stream/a","arn:aws:kinesis:*:*:stream/clicks"])")},
       .allowed = true},
      {.name = "a list without it",
       .identity = {allow("kinesis:*",
                          R"(["arn:aws:kinesis:*:*:stream/a","arn:aws:kinesis:*:*:stream/b"])")}},
      {.name = "NotResource allows the others",
       .identity =
           {R"({"Effect":"Allow","Action":"kinesis:*","NotResource":"arn:aws:kinesis:*:*:stream/secret"})"},
       .allowed = true},
      {.name = "NotResource does not allow what it names",
       .identity =
           {R"({"Effect":"Allow","Action":"kinesis:*","NotResource":"arn:aws:kinesis:*:*:stream/clicks"})"}},
      {.name = "NotResource with deny spares what it names",
       .identity =
           {allow("*"),
            R"({"Effect":"Deny","Action":"kinesis:*","NotResource":"arn:aws:kinesis:*:*:stream/clicks"})"},
       .allowed = true},
      {.name = "NotResource with deny hits the others",
       .identity =
           {allow("*"),
            R"({"Effect":"Deny","Action":"kinesis:*","NotResource":"arn:aws:kinesis:*:*:stream/other"})"}},
      {.name = "an action without resource needs *",
       .identity = {allow("kinesis:ListStreams")},
       .action = "kinesis:ListStreams",
       .resource = "*",
       .allowed = true},
      {.name = "an action without resource is not allowed by an ARN",
       .identity = {allow("kinesis:ListStreams", "arn:aws:kinesis:*:*:stream/*")},
       .action = "kinesis:ListStreams",
       .resource = "*"},
      {.name = "consumers of a stream",
       .identity = {allow("kinesis:SubscribeToShard", "arn:aws:kinesis:*:*:stream/clicks/consumer/*")},
       .action = "kinesis:SubscribeToShard",
       .resource = kConsumer,
       .allowed = true},
      {.name = "consumers of another stream",
       .identity = {allow("kinesis:SubscribeToShard", "arn:aws:kinesis:*:*:stream/other/consumer/*")},
       .action = "kinesis:SubscribeToShard",
       .resource = kConsumer},
      {.name = "a stream's ARN is not its consumers'",
       .identity = {allow("kinesis:*", kStreamText)},
       .action = "kinesis:SubscribeToShard",
       .resource = kConsumer},
      {.name = "a consumer of any creation time",
       .identity = {allow("kinesis:*", kStreamText + "/consumer/app:*")},
       .action = "kinesis:SubscribeToShard",
       .resource = kConsumer,
       .allowed = true},
      {.name = "another consumer",
       .identity = {allow("kinesis:*", kStreamText + "/consumer/ap:*")},
       .action = "kinesis:SubscribeToShard",
       .resource = kConsumer},
  };
}

std::vector<PolicyCase> variable_cases() {
  const std::string own = "arn:aws:kinesis:us-east-1:123456789012:stream/${aws:username}";
  return {
      {.name = "a user's own stream",
       .identity = {allow("kinesis:*", own)},
       .resource = "arn:aws:kinesis:us-east-1:123456789012:stream/alice",
       .allowed = true},
      {.name = "another user's stream",
       .identity = {allow("kinesis:*", own)},
       .resource = "arn:aws:kinesis:us-east-1:123456789012:stream/bob"},
      {.name = "a variable with a wildcard behind it",
       .identity = {allow("kinesis:*", own + "-*")},
       .resource = "arn:aws:kinesis:us-east-1:123456789012:stream/alice-1",
       .allowed = true},
      {.name = "a role has no user name",
       .identity = {allow("kinesis:*", own)},
       .resource = "arn:aws:kinesis:us-east-1:123456789012:stream/worker",
       .role = true},
      {.name = "a value with a star is no wildcard",
       .identity = {allow("kinesis:*", own)},
       .resource = "arn:aws:kinesis:us-east-1:123456789012:stream/abc",
       .user = "a*"},
      {.name = "an escaped star is a star",
       .identity = {allow("kinesis:*", "arn:aws:kinesis:*:*:stream/a${*}")},
       .resource = "arn:aws:kinesis:us-east-1:123456789012:stream/abc"},
      {.name = "an escaped question mark is one",
       .identity = {allow("kinesis:*", "arn:aws:kinesis:*:*:stream/${?}")},
       .resource = "arn:aws:kinesis:us-east-1:123456789012:stream/a"},
      {.name = "a default where there is no value",
       .identity = {allow("kinesis:*", "arn:aws:kinesis:*:*:stream/${aws:username, 'shared'}")},
       .resource = "arn:aws:kinesis:us-east-1:123456789012:stream/shared",
       .allowed = true,
       .role = true},
      {.name = "no default where there is a value",
       .identity = {allow("kinesis:*", "arn:aws:kinesis:*:*:stream/${aws:username, 'shared'}")},
       .resource = "arn:aws:kinesis:us-east-1:123456789012:stream/shared"},
      {.name = "NotResource of a variable without value allows nothing",
       .identity =
           {R"({"Effect":"Allow","Action":"kinesis:*","NotResource":"arn:aws:kinesis:*:*:stream/${aws:username}"})"},
       .role = true},
      {.name = "NotResource of a variable without value denies",
       .identity =
           {allow("*"),
            R"({"Effect":"Deny","Action":"kinesis:*","NotResource":"arn:aws:kinesis:*:*:stream/${aws:username}"})"},
       .role = true},
      {.name = "a variable in a condition",
       .identity = {allow("*", "*", when("StringEquals", "aws:ResourceTag/owner", "${aws:username}"))},
       .allowed = true,
       .resource_tags = {{"owner", "alice"}}},
      {.name = "a variable in a condition that differs",
       .identity = {allow("*", "*", when("StringEquals", "aws:ResourceTag/owner", "${aws:username}"))},
       .resource_tags = {{"owner", "bob"}}},
      {.name = "a variable without value in StringNotEquals allows nothing",
       .identity = {allow("*", "*", when("StringNotEquals", "aws:ResourceTag/owner", "${aws:username}"))},
       .role = true,
       .resource_tags = {{"owner", "x"}}},
      {.name = "a variable without value in StringNotEquals denies",
       .identity = {allow("*"),
                    deny("*", "*", when("StringNotEquals", "aws:ResourceTag/owner", "${aws:username}"))},
       .role = true,
       .resource_tags = {{"owner", "x"}}},
      {.name = "a variable in StringLike is no wildcard",
       .identity = {allow("*", "*", when("StringLike", "aws:ResourceTag/owner", "${aws:username}"))},
       .user = "a*",
       .resource_tags = {{"owner", "abc"}}},
      {.name = "a userid as a variable",
       .identity = {allow("kinesis:*", "arn:aws:kinesis:*:*:stream/${aws:userid}")},
       .resource = "arn:aws:kinesis:us-east-1:123456789012:stream/AROAEXAMPLE:job",
       .allowed = true,
       .role = true},
  };
}

std::vector<PolicyCase> condition_cases() {
  std::vector<PolicyCase> cases;
  const auto row = [&](const char* name, std::string condition, bool allowed) -> PolicyCase& {
    return cases.emplace_back(
        PolicyCase{.name = name, .identity = {allow("*", "*", condition)}, .allowed = allowed});
  };
  const auto tagged = [&](const char* name, std::string condition, bool allowed) {
    row(name, std::move(condition), allowed).resource_tags = {
        {"env", "prod"}, {"size", "12"}, {"live", "true"}};
  };
  constexpr const char* kEnv = "aws:ResourceTag/env";
  tagged("StringEquals, equal", when("StringEquals", kEnv, "prod"), true);
  tagged("StringEquals, other", when("StringEquals", kEnv, "test"), false);
  tagged("StringEquals, other case", when("StringEquals", kEnv, "Prod"), false);
  tagged("StringEquals, one of a list", when("StringEquals", kEnv, R"(["test","prod"])"), true);
  tagged("StringEquals takes no wildcards", when("StringEquals", kEnv, "pr*"), false);
  tagged("StringEquals, key absent", when("StringEquals", "aws:ResourceTag/team", "web"), false);
  tagged("StringEqualsIfExists, key absent", when("StringEqualsIfExists", "aws:ResourceTag/team", "web"),
         true);
  tagged("StringEqualsIfExists, other", when("StringEqualsIfExists", kEnv, "test"), false);
  tagged("StringNotEquals, other", when("StringNotEquals", kEnv, "test"), true);
  tagged("StringNotEquals, equal", when("StringNotEquals", kEnv, "prod"), false);
  tagged("StringNotEquals, none of a list", when("StringNotEquals", kEnv, R"(["a","b"])"), true);
  tagged("StringNotEquals, one of a list", when("StringNotEquals", kEnv, R"(["a","prod"])"), false);
  tagged("StringNotEquals, key absent", when("StringNotEquals", "aws:ResourceTag/team", "web"), true);
  tagged("StringEqualsIgnoreCase", when("StringEqualsIgnoreCase", kEnv, "PROD"), true);
  tagged("StringEqualsIgnoreCase, other", when("StringEqualsIgnoreCase", kEnv, "PRO"), false);
  tagged("StringNotEqualsIgnoreCase", when("StringNotEqualsIgnoreCase", kEnv, "PROD"), false);
  tagged("StringLike with a star", when("StringLike", kEnv, "p*"), true);
  tagged("StringLike with a question mark", when("StringLike", kEnv, "pro?"), true);
  tagged("StringLike, other", when("StringLike", kEnv, "t*"), false);
  tagged("StringLike is with case", when("StringLike", kEnv, "P*"), false);
  tagged("StringNotLike", when("StringNotLike", kEnv, "t*"), true);
  tagged("StringNotLike, like", when("StringNotLike", kEnv, "p*"), false);
  tagged("a tag's key is found in any case", when("StringEquals", "aws:resourcetag/ENV", "prod"), true);
  tagged("two keys must both hold",
         R"("Condition":{"StringEquals":{"aws:ResourceTag/env":"prod","aws:ResourceTag/size":"13"}})", false);
  tagged("two keys that both hold",
         R"("Condition":{"StringEquals":{"aws:ResourceTag/env":"prod","aws:ResourceTag/size":"12"}})", true);
  tagged(
      "two operators must both hold",
      R"("Condition":{"StringEquals":{"aws:ResourceTag/env":"prod"},"NumericLessThan":{"aws:ResourceTag/size":"12"}})",
      false);
  tagged("NumericEquals", when("NumericEquals", "aws:ResourceTag/size", "12.0"), true);
  tagged("NumericEquals of a number", R"("Condition":{"NumericEquals":{"aws:ResourceTag/size":12}})", true);
  tagged("NumericNotEquals", when("NumericNotEquals", "aws:ResourceTag/size", "12"), false);
  tagged("NumericLessThan, less", when("NumericLessThan", "aws:ResourceTag/size", "13"), true);
  tagged("NumericLessThan, equal", when("NumericLessThan", "aws:ResourceTag/size", "12"), false);
  tagged("NumericLessThanEquals, equal", when("NumericLessThanEquals", "aws:ResourceTag/size", "12"), true);
  tagged("NumericGreaterThan, more", when("NumericGreaterThan", "aws:ResourceTag/size", "9"), true);
  tagged("NumericGreaterThan, equal", when("NumericGreaterThan", "aws:ResourceTag/size", "12"), false);
  tagged("NumericGreaterThanEquals, equal", when("NumericGreaterThanEquals", "aws:ResourceTag/size", "12"),
         true);
  tagged("Numeric of a text is no match", when("NumericLessThan", kEnv, "13"), false);
  tagged("Bool, true", when("Bool", "aws:ResourceTag/live", "true"), true);
  tagged("Bool, false", when("Bool", "aws:ResourceTag/live", "false"), false);
  tagged("Bool of a JSON boolean", R"("Condition":{"Bool":{"aws:ResourceTag/live":true}})", true);
  tagged("Bool of another text", when("Bool", kEnv, "false"), false);
  tagged("BinaryEquals", when("BinaryEquals", kEnv, "prod"), true);
  tagged("Null true, key there", when("Null", kEnv, "true"), false);
  tagged("Null false, key there", when("Null", kEnv, "false"), true);
  tagged("Null true, key absent", when("Null", "aws:ResourceTag/team", "true"), true);
  tagged("Null false, key absent", when("Null", "aws:ResourceTag/team", "false"), false);

  row("IpAddress in a range", when("IpAddress", "aws:SourceIp", "203.0.113.0/24"), true);
  row("IpAddress out of a range", when("IpAddress", "aws:SourceIp", "203.0.112.0/24"), false);
  row("IpAddress in one of two", when("IpAddress", "aws:SourceIp", R"(["10.0.0.0/8","203.0.113.0/24"])"),
      true);
  row("IpAddress itself", when("IpAddress", "aws:SourceIp", "203.0.113.7"), true);
  row("IpAddress, its neighbour", when("IpAddress", "aws:SourceIp", "203.0.113.6"), false);
  row("IpAddress in everything", when("IpAddress", "aws:SourceIp", "0.0.0.0/0"), true);
  row("IpAddress by odd bits, in", when("IpAddress", "aws:SourceIp", "203.0.113.4/30"), true);
  row("IpAddress by odd bits, out", when("IpAddress", "aws:SourceIp", "203.0.113.8/30"), false);
  row("NotIpAddress out", when("NotIpAddress", "aws:SourceIp", "10.0.0.0/8"), true);
  row("NotIpAddress in", when("NotIpAddress", "aws:SourceIp", "203.0.113.0/24"), false);
  row("an IPv6 range is not of IPv4", when("IpAddress", "aws:SourceIp", "::/0"), false);
  row("an IPv6 address in its range", when("IpAddress", "aws:SourceIp", "2001:db8::/32"), true).peer =
      "[2001:db8::7]:4";
  row("an IPv6 address out of it", when("IpAddress", "aws:SourceIp", "2001:db9::/32"), false).peer =
      "[2001:db8::7]:4";
  row("an IPv4 address mapped into IPv6", when("IpAddress", "aws:SourceIp", "203.0.113.0/24"), true).peer =
      "[::ffff:203.0.113.7]:4";
  row("DateLessThan, before", when("DateLessThan", "aws:CurrentTime", "2026-11-25T12:00:01Z"), true);
  row("DateLessThan, at it", when("DateLessThan", "aws:CurrentTime", "2026-11-25T12:00:00Z"), false);
  row("DateLessThanEquals, at it", when("DateLessThanEquals", "aws:CurrentTime", "2026-11-25T12:00:00Z"),
      true);
  row("DateGreaterThan, behind", when("DateGreaterThan", "aws:CurrentTime", "2026-11-25"), true);
  row("DateGreaterThan, before", when("DateGreaterThan", "aws:CurrentTime", "2026-11-26T00:00:00Z"), false);
  row("DateGreaterThanEquals, at it",
      when("DateGreaterThanEquals", "aws:CurrentTime", "2026-11-25T13:00:00+01:00"), true);
  row("DateEquals", when("DateEquals", "aws:CurrentTime", "2026-11-25T12:00:00Z"), true);
  row("DateNotEquals", when("DateNotEquals", "aws:CurrentTime", "2026-11-25T12:00:00Z"), false);
  row("a date as seconds", when("DateLessThan", "aws:CurrentTime", "1795608001"), true);
  row("EpochTime as a number", when("NumericGreaterThan", "aws:EpochTime", "1795608000"), false);
  row("EpochTime as a date", when("DateLessThan", "aws:EpochTime", "2026-11-25T12:00:01Z"), true);
  row("SecureTransport over clear text", when("Bool", "aws:SecureTransport", "true"), false);
  row("SecureTransport over TLS", when("Bool", "aws:SecureTransport", "true"), true).tls = true;
  row("the user's name", when("StringEquals", "aws:username", "alice"), true);
  row("another user's name", when("StringEquals", "aws:username", "bob"), false);
  row("a role has no user name", when("StringLike", "aws:username", "*"), false).role = true;
  row("the user's id", when("StringEquals", "aws:userid", "AIDAEXAMPLE"), true);
  row("a session's id", when("StringLike", "aws:userid", "AROAEXAMPLE:*"), true).role = true;
  row("PrincipalArn of a user", when("ArnEquals", "aws:PrincipalArn", kUserArn), true);
  row("PrincipalArn of a session is the role's", when("ArnEquals", "aws:PrincipalArn", kRoleArn), true).role =
      true;
  row("PrincipalArn of a session is not the session's", when("ArnEquals", "aws:PrincipalArn", kSessionArn),
      false)
      .role = true;
  row("ArnLike by parts", when("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:user/*"), true);
  row("ArnLike: a star stays in its part",
      when("ArnLike", "aws:PrincipalArn", "arn:aws:iam:*12:*:user/alice"), false);
  row("ArnLike of a lone star", when("ArnLike", "aws:PrincipalArn", "*"), true);
  row("ArnNotLike", when("ArnNotLike", "aws:PrincipalArn", "arn:aws:iam::*:user/b*"), true);
  row("ArnNotEquals, equal", when("ArnNotEquals", "aws:PrincipalArn", kUserArn), false);
  row("PrincipalAccount", when("StringEquals", "aws:PrincipalAccount", "123456789012"), true);
  row("PrincipalType of a user", when("StringEquals", "aws:PrincipalType", "User"), true);
  row("PrincipalType of a session", when("StringEquals", "aws:PrincipalType", "AssumedRole"), true).role =
      true;
  row("RequestedRegion", when("StringEquals", "aws:RequestedRegion", R"(["us-east-1","eu-west-1"])"), true);
  row("another RequestedRegion", when("StringEquals", "aws:RequestedRegion", "eu-west-1"), false);
  row("ResourceAccount", when("StringEquals", "aws:ResourceAccount", "123456789012"), true);
  row("UserAgent", when("StringLike", "aws:UserAgent", "aws-sdk-java/*"), true);
  row("Referer is absent", when("Null", "aws:Referer", "true"), true);
  row("MFA is absent with long-lived keys", when("BoolIfExists", "aws:MultiFactorAuthPresent", "true"), true);
  row("MFA is false with temporary ones", when("BoolIfExists", "aws:MultiFactorAuthPresent", "true"), false)
      .temporary = true;
  row("TokenIssueTime before", when("DateLessThan", "aws:TokenIssueTime", "2026-11-25T12:00:00Z"), true)
      .role = true;
  row("TokenIssueTime is absent with long-lived keys",
      when("DateLessThan", "aws:TokenIssueTime", "2030-01-01T00:00:00Z"), false);
  row("a key that nobody knows", when("StringEquals", "aws:NoSuchKey", "x"), false);
  row("a key that nobody knows, negated", when("StringNotEquals", "aws:NoSuchKey", "x"), false);
  row("a key in another case", when("StringEquals", "AWS:USERNAME", "alice"), true);
  row("a key of the service", when("StringEquals", "dynamodb:Select", "COUNT"), true).more = {
      {"dynamodb:Select", {"COUNT"}}};
  row("a key of the service, other", when("StringEquals", "dynamodb:Select", "COUNT"), false).more = {
      {"dynamodb:Select", {"ALL_ATTRIBUTES"}}};
  return cases;
}

std::vector<PolicyCase> tag_cases() {
  const auto tags = [](const char* name, std::string condition, std::map<std::string, std::string> sent,
                       bool allowed) {
    return PolicyCase{.name = name,
                      .identity = {allow("*", "*", condition)},
                      .action = "kinesis:AddTagsToStream",
                      .allowed = allowed,
                      .request_tags = std::move(sent)};
  };
  const std::string only = when("ForAllValues:StringEquals", "aws:TagKeys", R"(["env","team"])");
  const std::string any = when("ForAnyValue:StringEquals", "aws:TagKeys", R"(["env","team"])");
  const std::string none = when("ForAllValues:StringNotEquals", "aws:TagKeys", R"(["env","team"])");
  PolicyCase untag = tags("TagKeys of an untagging", only, {}, false);
  untag.tag_keys = {"cost"};
  return {
      tags("RequestTag, equal", when("StringEquals", "aws:RequestTag/env", "prod"), {{"env", "prod"}}, true),
      tags("RequestTag, other", when("StringEquals", "aws:RequestTag/env", "prod"), {{"env", "test"}}, false),
      tags("RequestTag, absent", when("StringEquals", "aws:RequestTag/env", "prod"), {{"team", "web"}},
           false),
      tags("ForAllValues, all of them", only, {{"env", "a"}, {"team", "b"}}, true),
      tags("ForAllValues, some of them", only, {{"env", "a"}, {"cost", "b"}}, false),
      tags("ForAllValues, nothing sent", only, {}, true),
      tags("ForAnyValue, one of them", any, {{"env", "a"}, {"cost", "b"}}, true),
      tags("ForAnyValue, none of them", any, {{"cost", "b"}}, false),
      tags("ForAnyValue, nothing sent", any, {}, false),
      tags("ForAnyValueIfExists, nothing sent",
           when("ForAnyValue:StringEqualsIfExists", "aws:TagKeys", "env"), {}, true),
      tags("ForAllValues of a negation, none", none, {{"cost", "b"}}, true),
      tags("ForAllValues of a negation, one", none, {{"env", "a"}, {"cost", "b"}}, false),
      tags("ForAnyValue of a negation", when("ForAnyValue:StringNotEquals", "aws:TagKeys", "env"),
           {{"env", "a"}, {"cost", "b"}}, true),
      tags("ForAnyValue of a negation, only it", when("ForAnyValue:StringNotEquals", "aws:TagKeys", "env"),
           {{"env", "a"}}, false),
      tags("ForAllValues:StringLike", when("ForAllValues:StringLike", "aws:TagKeys", "e*"), {{"env", "a"}},
           true),
      untag,
      {.name = "a deny under a condition that holds",
       .identity = {allow("*"), deny("*", "*", when("StringEquals", "aws:ResourceTag/env", "prod"))},
       .resource_tags = {{"env", "prod"}}},
      {.name = "a deny by a tag of which there is another in another case",
       .identity = {allow("*"), deny("*", "*", when("StringEquals", "aws:ResourceTag/env", "prod"))},
       .resource_tags = {{"Env", "test"}, {"env", "prod"}}},
      {.name = "an allow by a tag of which there is another in another case",
       .identity = {allow("*", "*", when("StringEquals", "aws:ResourceTag/env", "prod"))},
       .resource_tags = {{"Env", "prod"}, {"env", "test"}}},
      {.name = "a deny under a condition that does not",
       .identity = {allow("*"), deny("*", "*", when("StringEquals", "aws:ResourceTag/env", "prod"))},
       .allowed = true,
       .resource_tags = {{"env", "test"}}},
      {.name = "a deny unless from inside",
       .identity = {allow("*"), deny("*", "*", when("NotIpAddress", "aws:SourceIp", "10.0.0.0/8"))}},
      {.name = "a deny unless over TLS",
       .identity = {allow("*"), deny("*", "*", when("Bool", "aws:SecureTransport", "false"))}},
      {.name = "a deny unless over TLS, over TLS",
       .identity = {allow("*"), deny("*", "*", when("Bool", "aws:SecureTransport", "false"))},
       .allowed = true,
       .tls = true},
      {.name = "a deny of what has no owner",
       .identity = {allow("*"), deny("*", "*", when("Null", "aws:ResourceTag/owner", "true"))}},
      {.name = "revoked sessions are denied",
       .identity = {allow("*"),
                    deny("*", "*", when("DateLessThan", "aws:TokenIssueTime", "2026-11-25T12:00:00Z"))},
       .role = true},
      {.name = "revoking sessions spares long-lived keys",
       .identity = {allow("*"),
                    deny("*", "*", when("DateLessThan", "aws:TokenIssueTime", "2026-11-25T12:00:00Z"))},
       .allowed = true},
  };
}

std::vector<PolicyCase> resource_policy_cases() {
  const auto given = [](std::string_view names, std::string_view action = "kinesis:PutRecord") {
    return allow(action, kStream, to(names));
  };
  const auto refused = [](std::string_view names) { return deny("kinesis:*", kStream, to(names)); };
  const std::string all = allow("kinesis:*");
  return {
      {.name = "the stream's policy allows the user", .resource_policy = given(kUserArn), .allowed = true},
      {.name = "… not another user", .resource_policy = given("arn:aws:iam::123456789012:user/bob")},
      {.name = "… not another action", .resource_policy = given(kUserArn, "kinesis:GetRecords")},
      {.name = "… not another resource",
       .resource_policy =
           allow("kinesis:*", "arn:aws:kinesis:us-east-1:123456789012:stream/other", to(kUserArn))},
      {.name = "… one of a list",
       .resource_policy = given("[\"" + kRoleArn + "\",\"" + kUserArn + "\"]"),
       .allowed = true},
      {.name = "… anyone", .resource_policy = given("*"), .allowed = true},
      {.name = "… anyone by AWS", .resource_policy = given(R"(["*"])"), .allowed = true},
      {.name = "… a service is nobody here",
       .resource_policy = allow("kinesis:*", "*", R"("Principal":{"Service":"firehose.amazonaws.com"})")},
      {.name = "the account alone leaves it to the caller's policies", .resource_policy = given(kRootArn)},
      {.name = "the account as digits, too", .resource_policy = given("123456789012")},
      {.name = "the account and the caller's policies",
       .identity = {all},
       .resource_policy = given(kRootArn),
       .allowed = true},
      {.name = "another account's root", .resource_policy = given("arn:aws:iam::111111111111:root")},
      {.name = "a stream's policy about others does not take away",
       .identity = {all},
       .resource_policy = given("arn:aws:iam::123456789012:user/bob"),
       .allowed = true},
      {.name = "a stream's deny of the user wins", .identity = {all}, .resource_policy = refused(kUserArn)},
      {.name = "a stream's deny of anyone wins", .identity = {all}, .resource_policy = refused("*")},
      {.name = "a stream's deny of the account wins",
       .identity = {all},
       .resource_policy = refused(kRootArn)},
      {.name = "a stream's deny of another user does not matter",
       .identity = {all},
       .resource_policy = refused("arn:aws:iam::123456789012:user/bob"),
       .allowed = true},
      {.name = "the caller's deny wins over the stream's allow",
       .identity = {deny("kinesis:PutRecord")},
       .resource_policy = given(kUserArn)},
      {.name = "a role's ARN allows its sessions",
       .resource_policy = given(kRoleArn),
       .allowed = true,
       .role = true},
      {.name = "a session's ARN allows it",
       .resource_policy = given(kSessionArn),
       .allowed = true,
       .role = true},
      {.name = "another session's ARN does not",
       .resource_policy = given("arn:aws:sts::123456789012:assumed-role/worker/other"),
       .role = true},
      {.name = "a role's ARN denied", .identity = {all}, .resource_policy = refused(kRoleArn), .role = true},
      {.name = "a condition on anyone",
       .resource_policy =
           allow("kinesis:*", "*", to("*") + "," + when("StringEquals", "aws:PrincipalArn", kUserArn)),
       .allowed = true},
      {.name = "a condition on anyone else",
       .resource_policy =
           allow("kinesis:*", "*", to("*") + "," + when("StringEquals", "aws:PrincipalArn", kRoleArn))},
      {.name = "NotPrincipal denies who is not listed",
       .identity = {all},
       .resource_policy =
           R"({"Effect":"Deny","NotPrincipal":{"AWS":["arn:aws:iam::123456789012:user/bob","123456789012"]},"Action":"kinesis:*","Resource":"*"})"},
      {.name = "NotPrincipal spares who is listed with the account",
       .identity = {all},
       .resource_policy =
           R"({"Effect":"Deny","NotPrincipal":{"AWS":["arn:aws:iam::123456789012:user/alice","123456789012"]},"Action":"kinesis:*","Resource":"*"})",
       .allowed = true},
      {.name = "NotPrincipal without the account spares nobody",
       .identity = {all},
       .resource_policy =
           R"({"Effect":"Deny","NotPrincipal":{"AWS":"arn:aws:iam::123456789012:user/alice"},"Action":"kinesis:*","Resource":"*"})"},
      {.name = "NotPrincipal of a session needs its role too",
       .identity = {all},
       .resource_policy =
           R"({"Effect":"Deny","NotPrincipal":{"AWS":["arn:aws:sts::123456789012:assumed-role/worker/job","123456789012"]},"Action":"kinesis:*","Resource":"*"})",
       .role = true},
      {.name = "NotPrincipal of a session and its role",
       .identity = {all},
       .resource_policy =
           R"({"Effect":"Deny","NotPrincipal":{"AWS":["arn:aws:sts::123456789012:assumed-role/worker/job","arn:aws:iam::123456789012:role/worker","123456789012"]},"Action":"kinesis:*","Resource":"*"})",
       .allowed = true,
       .role = true},
      // Keys and roles: their own policy must allow.
      {.name = "must: no policy allows nobody", .identity = {allow("*")}, .must = true},
      {.name = "must: the caller's policies alone are not enough",
       .identity = {allow("*")},
       .resource_policy = given("arn:aws:iam::123456789012:user/bob"),
       .must = true},
      {.name = "must: it allows the user itself",
       .resource_policy = given(kUserArn),
       .allowed = true,
       .must = true},
      {.name = "must: the account, and the caller's policies",
       .identity = {allow("*")},
       .resource_policy = given(kRootArn),
       .allowed = true,
       .must = true},
      {.name = "must: the account, without the caller's policies",
       .resource_policy = given(kRootArn),
       .must = true},
      {.name = "must: the account, for another action",
       .identity = {allow("*")},
       .resource_policy = given(kRootArn, "kinesis:GetRecords"),
       .must = true},
      {.name = "must: a role's session",
       .resource_policy = given(kRoleArn),
       .allowed = true,
       .role = true,
       .must = true},
  };
}

std::vector<PolicyCase> session_cases() {
  const std::string all = allow("kinesis:*");
  const std::string get = allow("kinesis:Get*");
  const auto given = [](std::string_view names) { return allow("kinesis:*", kStream, to(names)); };
  return {
      {.name = "session and role allow", .identity = {all}, .session = {all}, .allowed = true, .role = true},
      {.name = "a session's policy limits", .identity = {all}, .session = {get}, .role = true},
      {.name = "a session's policy adds nothing", .identity = {get}, .session = {all}, .role = true},
      {.name = "one of a session's policies is enough",
       .identity = {all},
       .session = {get, all},
       .allowed = true,
       .role = true},
      {.name = "a session's deny wins",
       .identity = {all},
       .session = {all + "," + deny("kinesis:PutRecord")},
       .role = true},
      {.name = "a session's policy limits what the role's ARN was given by the stream",
       .resource_policy = given(kRoleArn),
       .session = {get},
       .role = true},
      {.name = "… and allows it where it does too",
       .resource_policy = given(kRoleArn),
       .session = {all},
       .allowed = true,
       .role = true},
      {.name = "a session's policy does not limit what the session was given",
       .resource_policy = given(kSessionArn),
       .session = {get},
       .allowed = true,
       .role = true},
      {.name = "… but its deny does",
       .resource_policy = given(kSessionArn),
       .session = {deny("kinesis:*")},
       .role = true},
      {.name = "anyone is limited by a session's policy",
       .resource_policy = given("*"),
       .session = {get},
       .role = true},
  };
}

void check(const std::vector<PolicyCase>& cases) {
  for (const PolicyCase& each : cases) {
    const Verdict verdict = verdict_of(each);
    EXPECT_EQ(is_allowed(verdict.reason), each.allowed) << each.name;
  }
}

TEST(PolicyCases, ActionsAndEffects) { check(basic_cases()); }
TEST(PolicyCases, Resources) { check(resource_cases()); }
TEST(PolicyCases, Variables) { check(variable_cases()); }
TEST(PolicyCases, Conditions) { check(condition_cases()); }
TEST(PolicyCases, Tags) { check(tag_cases()); }
TEST(PolicyCases, ResourcePolicies) { check(resource_policy_cases()); }
TEST(PolicyCases, Sessions) { check(session_cases()); }

TEST(PolicyCases, AreManyMoreThanTwoHundred) {
  EXPECT_GE(basic_cases().size() + resource_cases().size() + variable_cases().size() +
                condition_cases().size() + tag_cases().size() + resource_policy_cases().size() +
                session_cases().size(),
            200u);
}

}  // namespace
}  // namespace millrace::identity
