// Who may use a master key: cases of what the KMS Developer Guide states, one row each.
// source: KMS Developer Guide, "Key policies", "Default key policy", "AWS KMS condition keys"; Kinesis
// Developer Guide, "Permissions to use user-generated KMS keys"

#include "identity/policy_case.h"

namespace millrace::identity {
namespace {

const std::string kKeysUserArn = "arn:aws:iam::123456789012:user/alice";
const std::string kKeysRoleArn = "arn:aws:iam::123456789012:role/worker";
const std::string kKeysRootArn = "arn:aws:iam::123456789012:root";
const std::string kKeysStream(kStream);

std::vector<PolicyCase> key_cases() {
  const std::string key = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";
  const std::string use = R"(["kms:Decrypt","kms:GenerateDataKey*"])";
  const std::string by_account = allow("kms:*", "*", to(kKeysRootArn));
  const std::string by_service =
      allow(use, "*",
            to("*") + R"(,"Condition":{"StringEquals":{"kms:CallerAccount":"123456789012",)"
                      R"("kms:ViaService":"kinesis.us-east-1.amazonaws.com"}})");
  const std::vector<ConditionValue> for_stream = {{"kms:ViaService", {"kinesis.us-east-1.amazonaws.com"}},
                                                  {"kms:EncryptionContext:aws:kinesis:arn", {kKeysStream}},
                                                  {"kms:EncryptionContextKeys", {"aws:kinesis:arn"}}};
  const std::vector<ConditionValue> for_other = {
      {"kms:ViaService", {"kinesis.us-east-1.amazonaws.com"}},
      {"kms:EncryptionContext:aws:kinesis:arn", {kKeysStream + "-other"}},
      {"kms:EncryptionContextKeys", {"aws:kinesis:arn"}}};
  const std::vector<ConditionValue> two_keys = {{"kms:EncryptionContext:team", {"web"}},
                                                {"kms:EncryptionContext:stage", {"test"}},
                                                {"kms:EncryptionContextKeys", {"stage", "team"}}};
  const std::string stream_only = when("StringEquals", "kms:EncryptionContext:aws:kinesis:arn", kKeysStream);
  const std::string team_web = when("StringEquals", "kms:EncryptionContext:Team", "web");
  std::vector<PolicyCase> cases = {
      {.name = "key: the default policy leaves it to the caller's policies",
       .identity = {allow("kms:Decrypt", key)},
       .resource_policy = by_account,
       .allowed = true},
      {.name = "key: the default policy alone allows no user", .resource_policy = by_account},
      {.name = "key: a policy that leaves out the account is not overruled by the caller's",
       .identity = {allow("*")},
       .resource_policy = allow("kms:*", "*", to("arn:aws:iam::123456789012:user/bob"))},
      {.name = "key: a policy for another action",
       .identity = {allow("*")},
       .resource_policy = allow("kms:Encrypt", "*", to(kKeysRootArn))},
      {.name = "key: a policy of another account",
       .identity = {allow("*")},
       .resource_policy = allow("kms:*", "*", to("arn:aws:iam::111111111111:root"))},
      {.name = "key: a policy for another key's ARN",
       .identity = {allow("*")},
       .resource_policy = allow("kms:*", "arn:aws:kms:*:*:key/other", to(kKeysRootArn))},
      {.name = "key: the user in its policy needs none of its own",
       .resource_policy = allow("kms:Decrypt", "*", to(kKeysUserArn)),
       .allowed = true},
      {.name = "key: what its policy denies, the user's does not give back",
       .identity = {allow("*")},
       .resource_policy = by_account + "," + deny("kms:Decrypt", "*", to(kKeysUserArn))},
      {.name = "key: what the user's policy denies, its policy does not give back",
       .identity = {deny("kms:*")},
       .resource_policy = allow("kms:*", "*", to(kKeysUserArn))},
      {.name = "key: a session's policy limits what the key gives its role",
       .resource_policy = allow("kms:*", "*", to(kKeysRoleArn)),
       .session = {allow("kms:Encrypt")},
       .role = true},
      // kms:ViaService, kms:CallerAccount
      {.name = "key: through the service",
       .resource_policy = by_service,
       .allowed = true,
       .more = for_stream},
      {.name = "key: not past the service", .identity = {allow("*")}, .resource_policy = by_service},
      {.name = "key: through another service",
       .resource_policy = by_service,
       .more = {{"kms:ViaService", {"s3.us-east-1.amazonaws.com"}}}},
      {.name = "key: denied but through the service",
       .identity = {allow("*")},
       .resource_policy =
           by_account + "," +
           deny(
               "kms:Decrypt", "*",
               to("*") + "," + when("StringNotEquals", "kms:ViaService", "kinesis.us-east-1.amazonaws.com"))},
      {.name = "key: … and through it allowed",
       .identity = {allow("*")},
       .resource_policy =
           by_account + "," +
           deny("kms:Decrypt", "*",
                to("*") + "," + when("StringNotEquals", "kms:ViaService", "kinesis.us-east-1.amazonaws.com")),
       .allowed = true,
       .more = for_stream},
      {.name = "key: the caller's account",
       .identity = {allow("kms:*", "*", when("StringEquals", "kms:CallerAccount", "123456789012"))},
       .resource_policy = by_account,
       .allowed = true},
      {.name = "key: another account than the caller's",
       .identity = {allow("kms:*", "*", when("StringEquals", "kms:CallerAccount", "111111111111"))},
       .resource_policy = by_account},
      // kms:EncryptionContext:…, kms:EncryptionContextKeys
      {.name = "key: for the stream that the caller's policy names",
       .identity = {allow("kms:Decrypt", key, stream_only)},
       .resource_policy = by_account,
       .allowed = true,
       .more = for_stream},
      {.name = "key: for another stream than the caller's policy names",
       .identity = {allow("kms:Decrypt", key, stream_only)},
       .resource_policy = by_account,
       .more = for_other},
      {.name = "key: without a context where one is asked for",
       .identity = {allow("kms:Decrypt", key, stream_only)},
       .resource_policy = by_account},
      {.name = "key: for another stream than the key's policy names",
       .identity = {allow("*")},
       .resource_policy = allow("kms:*", "*", to(kKeysRootArn) + "," + stream_only),
       .more = for_other},
      {.name = "key: denied for a stream",
       .identity = {allow("*"), deny("kms:*", "*", stream_only)},
       .resource_policy = by_account,
       .more = for_stream},
      {.name = "key: denied for another stream",
       .identity = {allow("*"), deny("kms:*", "*", stream_only)},
       .resource_policy = by_account,
       .allowed = true,
       .more = for_other},
      {.name = "key: denied where the context is not the one, and there is none",
       .identity = {allow("*"),
                    deny("kms:*", "*", when("StringNotEquals", "kms:EncryptionContext:team", "web"))},
       .resource_policy = by_account},
      {.name = "key: a key of the context in any case",
       .identity = {allow("kms:Decrypt", "*", team_web)},
       .resource_policy = by_account,
       .allowed = true,
       .more = two_keys},
      {.name = "key: a value of the context in another case",
       .identity = {allow("kms:Decrypt", "*", when("StringEquals", "kms:EncryptionContext:team", "Web"))},
       .resource_policy = by_account,
       .more = two_keys},
      {.name = "key: a context with that key",
       .identity = {allow("kms:Decrypt", "*",
                          when("ForAnyValue:StringEquals", "kms:EncryptionContextKeys", "team"))},
       .resource_policy = by_account,
       .allowed = true,
       .more = two_keys},
      {.name = "key: a context with that key in another case",
       .identity = {allow("kms:Decrypt", "*",
                          when("ForAnyValue:StringEquals", "kms:EncryptionContextKeys", "Team"))},
       .resource_policy = by_account,
       .more = two_keys},
      {.name = "key: a context with no other keys",
       .identity = {allow(
           "kms:Decrypt",
           "*", when("ForAllValues:StringEquals", "kms:EncryptionContextKeys", R"(["stage","team"])"))},
       .resource_policy = by_account,
       .allowed = true,
       .more = two_keys},
      {.name = "key: a context with another key",
       .identity = {allow("kms:Decrypt", "*",
                          when("ForAllValues:StringEquals", "kms:EncryptionContextKeys", "team"))},
       .resource_policy = by_account,
       .more = two_keys},
      {.name = "key: a context where there must be none",
       .identity = {allow("kms:Decrypt", "*", when("Null", "kms:EncryptionContextKeys", "true"))},
       .resource_policy = by_account,
       .more = two_keys},
      // Of requests that give a key a policy, and of names
      {.name = "key: denied where the lockout check is passed over",
       .identity = {allow("*"),
                    deny("kms:*", "*", when("Bool", "kms:BypassPolicyLockoutSafetyCheck", "true"))},
       .resource_policy = by_account,
       .more = {{"kms:BypassPolicyLockoutSafetyCheck", {"true"}}}},
      {.name = "key: … and allowed where it is not",
       .identity = {allow("*"),
                    deny("kms:*", "*", when("Bool", "kms:BypassPolicyLockoutSafetyCheck", "true"))},
       .resource_policy = by_account,
       .allowed = true,
       .more = {{"kms:BypassPolicyLockoutSafetyCheck", {"false"}}}},
      {.name = "key: by the alias that it must be named by",
       .identity = {allow("kms:*", "*", when("StringEquals", "kms:RequestAlias", "alias/clicks"))},
       .resource_policy = by_account,
       .allowed = true,
       .more = {{"kms:RequestAlias", {"alias/clicks"}}}},
      {.name = "key: by its id where an alias must name it",
       .identity = {allow("kms:*", "*", when("StringEquals", "kms:RequestAlias", "alias/clicks"))},
       .resource_policy = by_account},
  };
  for (PolicyCase& each : cases) {
    each.action = "kms:Decrypt";
    each.resource = key;
    each.must = true;
  }
  return cases;
}

TEST(KeyPolicyCases, AllowAndDeny) {
  for (const PolicyCase& each : key_cases())
    EXPECT_EQ(is_allowed(verdict_of(each).reason), each.allowed) << each.name;
}

}  // namespace
}  // namespace millrace::identity
