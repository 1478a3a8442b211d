// The authorizer over a directory: denials in AWS's words, decisions remembered and not for too long, the
// audit log.
#include "identity/authorizer.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/published.h"
#include "identity/directory.h"
#include "identity/policy_case.h"
#include "identity/session.h"
#include "sim/seeded_random.h"

namespace millrace::identity {
namespace {

class Lines : public AuditSink {
 public:
  void write(const AuditLine& line) override {
    texts.push_back(std::string(line.allowed ? "allow " : "deny ")
                        .append(line.action)
                        .append(" ")
                        .append(line.reason)
                        .append(" x")
                        .append(std::to_string(line.count)));
  }
  std::vector<std::string> texts;
};

Caller caller_of(const PolicyCase& c) {
  return {"AKIA", "kinesis", "us-east-1", std::make_shared<const Principal>(principal_of(c))};
}
std::shared_ptr<const std::string> text_of(std::string_view statements) {
  return std::make_shared<const std::string>(document(statements));
}

struct Authorizing : testing::Test {
  Lines lines;
  Authorizer authorizer{"us-east-1", &lines};
  Circumstances circumstances{.peer = "203.0.113.7:1", .now_ms = 1'795'608'000'000};

  std::string asked(const Caller& caller, AccessRequest request) {
    const auto denial = authorizer.check(caller, circumstances, request);
    return denial.has_value() ? denial->message : "allowed";
  }
};

TEST_F(Authorizing, DenialsAreInTheServicesWords) {
  const AccessRequest put{.action = "kinesis:PutRecord", .resource = kStream};
  const std::string head =
      "User: arn:aws:iam::123456789012:user/alice is not authorized to perform: kinesis:PutRecord on "
      "resource: " +
      std::string(kStream);
  EXPECT_EQ(asked(caller_of({.name = ""}), put),
            head + " because no identity-based policy allows the kinesis:PutRecord action");
  EXPECT_EQ(asked(caller_of({.name = "", .identity = {allow("*"), deny("*")}}), put),
            head + " with an explicit deny in an identity-based policy");
  AccessRequest with_policy = put;
  with_policy.policies.own = text_of(deny("kinesis:*", "*", to("*")));
  EXPECT_EQ(asked(caller_of({.name = "", .identity = {allow("*")}}), with_policy),
            head + " with an explicit deny in a resource-based policy");
  const std::string session_head =
      "User: arn:aws:sts::123456789012:assumed-role/worker/job is not authorized to perform: "
      "kinesis:PutRecord on "
      "resource: " +
      std::string(kStream);
  EXPECT_EQ(
      asked(caller_of({.name = "", .identity = {allow("*")}, .session = {allow("s3:*")}, .role = true}), put),
      session_head + " because no session policy allows the kinesis:PutRecord action");
  EXPECT_EQ(
      asked(caller_of({.name = "", .identity = {allow("*")}, .session = {deny("*")}, .role = true}), put),
      session_head + " with an explicit deny in a session policy");
  AccessRequest key{
      .action = "kms:Decrypt", .resource = "arn:k", .weight = AccessRequest::Weight::kMustAllow};
  EXPECT_EQ(asked(caller_of({.name = "", .identity = {allow("*")}}), key),
            "User: arn:aws:iam::123456789012:user/alice is not authorized to perform: kms:Decrypt on "
            "resource: arn:k "
            "because no resource-based policy allows the kms:Decrypt action");
}

TEST_F(Authorizing, RootMayDoEverythingAndAnUnreadablePolicyNothing) {
  AccessRequest put{.action = "kinesis:PutRecord", .resource = kStream};
  put.policies.own = text_of(deny("*", "*", to("*")));
  EXPECT_EQ(asked({"R", "kinesis", "us-east-1", root_principal("123456789012", "R")}, put), "allowed");
  EXPECT_EQ(asked({"", "", "", unchecked_principal()}, put), "allowed");
  put.policies.own = std::make_shared<const std::string>("{}");
  EXPECT_NE(asked(caller_of({.name = "", .identity = {allow("*")}}), put), "allowed");
}

TEST_F(Authorizing, ADecisionIsOfTheCallerTheResourceAndItsPolicy) {
  const Caller alice = caller_of({.name = "", .identity = {allow("kinesis:*", kStream)}});
  const Caller bob = caller_of({.name = "", .user = "bob"});
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(asked(alice, {.action = "kinesis:PutRecord", .resource = kStream}), "allowed");
    EXPECT_NE(
        asked(alice, {.action = "kinesis:PutRecord", .resource = "arn:aws:kinesis:us-east-1:1:stream/x"}),
        "allowed");
    EXPECT_NE(asked(bob, {.action = "kinesis:PutRecord", .resource = kStream}), "allowed");
    AccessRequest other{.action = "kinesis:PutRecord", .resource = kStream};
    other.policies.own = text_of(deny("*", "*", to("*")));
    EXPECT_NE(asked(alice, other), "allowed");
    other.policies.own = text_of(allow("*", "*", to("arn:aws:iam::123456789012:user/bob")));
    EXPECT_EQ(asked(bob, other), "allowed");
  }
}

TEST_F(Authorizing, WhatItsPolicyMustAllowIsNotRememberedFromWhereItNeedNot) {
  const Caller alice = caller_of({.name = "", .identity = {allow("*")}});
  const auto others = text_of(allow("kms:*", "*", to("arn:aws:iam::123456789012:user/bob")));
  AccessRequest use{.action = "kms:Decrypt", .resource = "arn:k", .policies = {.own = others}};
  for (int round = 0; round < 3; ++round) {
    use.weight = AccessRequest::Weight::kMayAllow;
    EXPECT_EQ(asked(alice, use), "allowed");
    use.weight = AccessRequest::Weight::kMustAllow;
    EXPECT_NE(asked(alice, use), "allowed");
  }
}

TEST_F(Authorizing, AProposedPolicyIsJudgedAsIfItHeld) {
  const Caller alice = caller_of({.name = "", .identity = {allow("kms:*")}});
  const Caller bob = caller_of({.name = "", .user = "bob"});
  const Caller root{"R", "kms", "us-east-1", root_principal("123456789012", "R")};
  const AccessRequest put{
      .action = "kms:PutKeyPolicy", .resource = "arn:k", .weight = AccessRequest::Weight::kMustAllow};
  const auto would = [&](const Caller& caller, const std::string& statements) {
    return authorizer.would_allow(caller, circumstances, put, *policy(statements, PolicyKind::kResource));
  };
  const std::string by_account = allow("kms:*", "*", to("123456789012"));
  EXPECT_TRUE(would(alice, by_account));
  EXPECT_FALSE(would(bob, by_account));  // whom no policy of his own allows it
  EXPECT_TRUE(would(root, by_account));
  for (const Caller& caller : {alice, bob, root}) {
    EXPECT_TRUE(would(caller, allow("kms:*", "*", to("*"))));
    EXPECT_FALSE(would(caller, allow("kms:Decrypt", "*", to("*"))));
    EXPECT_FALSE(would(caller, allow("kms:*", "*", to("*")) + "," + deny("kms:Put*", "*", to("*"))));
    EXPECT_FALSE(would(caller, allow("kms:*", "*", to("arn:aws:iam::123456789012:user/carol"))));
  }
  EXPECT_TRUE(would(bob, allow("kms:*", "*", to("arn:aws:iam::123456789012:user/bob"))));
  EXPECT_TRUE(would({"", "", "", unchecked_principal()}, deny("*", "*", to("*"))));
  EXPECT_TRUE(lines.texts.empty());
}

TEST_F(Authorizing, APolicyAroundTheResourceDeniesOnly) {
  const Caller alice = caller_of({.name = "", .identity = {allow("kinesis:*")}});
  const Caller bob = caller_of({.name = "", .user = "bob"});
  const std::string consumer = std::string(kStream) + "/consumer/app:1";
  const auto around = [&](const std::string& statements) {
    return AccessRequest{.action = "kinesis:SubscribeToShard",
                         .resource = consumer,
                         .policies = {.enclosing = text_of(statements)}};
  };
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(asked(alice, {.action = "kinesis:SubscribeToShard", .resource = consumer}), "allowed");
    EXPECT_NE(asked(alice, around(deny("kinesis:*", "*", to("*")))), "allowed");
    EXPECT_EQ(asked(alice, around(deny("kinesis:*", kStream, to("*")))), "allowed");
    EXPECT_NE(asked(bob, around(allow("kinesis:*", "*", to("*")))), "allowed");
    AccessRequest both = around(deny("kinesis:*", "*", to("*")));
    both.policies.own = text_of(allow("kinesis:*", "*", to("*")));
    EXPECT_NE(asked(bob, both), "allowed");
    both.policies.enclosing = std::make_shared<const std::string>("{}");
    EXPECT_NE(asked(bob, both), "allowed");
  }
}

TEST_F(Authorizing, WhatDependsOnTheRequestIsAskedEachTime) {
  const Caller alice = caller_of(
      {.name = "", .identity = {allow("*", "*", when("IpAddress", "aws:SourceIp", "203.0.113.0/24"))}});
  const AccessRequest put{.action = "kinesis:PutRecord", .resource = kStream};
  EXPECT_EQ(asked(alice, put), "allowed");
  circumstances.peer = "198.51.100.1:1";
  EXPECT_NE(asked(alice, put), "allowed");
  circumstances.peer = "203.0.113.9:1";
  EXPECT_EQ(asked(alice, put), "allowed");
  const Caller denied = caller_of(
      {.name = "", .identity = {allow("*"), deny("*", "*", when("Bool", "aws:SecureTransport", "false"))}});
  EXPECT_NE(asked(denied, put), "allowed");
  circumstances.tls = true;
  EXPECT_EQ(asked(denied, put), "allowed");
}

TEST_F(Authorizing, AlikeDecisionsAreSummedUpInTheAuditLog) {
  const Caller alice = caller_of({.name = "", .identity = {allow("kinesis:Put*")}});
  for (int i = 0; i < 1'000; ++i) {
    EXPECT_EQ(asked(alice, {.action = "kinesis:PutRecord", .resource = kStream, .frequent = true}),
              "allowed");
    EXPECT_NE(asked(alice, {.action = "kinesis:DeleteStream", .resource = kStream}), "allowed");
  }
  const std::string put = "allow kinesis:PutRecord allowed by identity-based policy policy/p x";
  const std::string drop = "deny kinesis:DeleteStream no identity-based policy allows it x";
  ASSERT_EQ(lines.texts.size(), 101u);  // the first put, and 100 of the others
  EXPECT_EQ(std::count(lines.texts.begin(), lines.texts.end(), put + "1"), 1);
  EXPECT_EQ(std::count(lines.texts.begin(), lines.texts.end(), drop + "1"), 100);
  lines.texts.clear();
  authorizer.report(circumstances.now_ms + 59'999, false);
  EXPECT_TRUE(lines.texts.empty());
  authorizer.report(circumstances.now_ms + 60'000, false);
  std::sort(lines.texts.begin(), lines.texts.end());
  EXPECT_EQ(lines.texts, (std::vector{put + "999", drop + "900"}));
}

// Who is who, over a directory that changes.
struct Verifying : testing::Test {
  SealKey key = [] {
    SealKey made;
    for (std::size_t i = 0; i < made.size(); ++i) made[i] = static_cast<std::uint8_t>(i);
    return made;
  }();
  sim::SeededRandom random{sim::Seed{1}};
  Seal seal{key, "millrace secret at rest"};
  Sessions sessions{key};
  Identities state;

  void change(const IdentityChange& change) {
    // Through its JSON, as after a restart.
    const auto read = decode_identity_change(encode(change));
    ASSERT_TRUE(read.ok()) << read.error().text;
    auto changed = apply_change(state, *read);
    ASSERT_TRUE(changed.ok()) << changed.error().text;
    const auto again = decode_identities(encode(*changed));
    ASSERT_TRUE(again.ok()) << again.error().text;
    state = *again;
  }
  ErrorKind refused(const IdentityChange& change) {
    const auto changed = apply_change(state, change);
    EXPECT_FALSE(changed.ok());
    return changed.ok() ? ErrorKind::kUnknown : changed.error().kind;
  }
  std::shared_ptr<const Directory> directory() {
    auto made = make_directory(state, seal, std::string(kAccount), {"ROOT", "root's secret"});
    EXPECT_TRUE(made.ok());
    return *made;
  }
  void alice_with_key() {
    change(UserAdded{"alice", "AIDA1", 7});
    change(KeyCreated{"alice", "AKIA1", seal.seal("s3cret", random), 8});
  }
};

TEST_F(Verifying, TheSealedTextInTheFormatsPageOpens) {
  EXPECT_EQ(seal.open("AAECAwQFBgcICQoLwqXJKoQTiSJkxIxz3eL3GRLMPJTVMSB9AzhcQkM="), "wJalrXUtnFEMI");
}

TEST_F(Verifying, ASealedTextThatWasChangedDoesNotOpen) {
  const std::string sealed = seal.seal("secret", random);
  EXPECT_EQ(seal.open(sealed), "secret");
  EXPECT_EQ(Seal(key, "another use").open(sealed), std::nullopt);
  for (std::size_t at = 0; at < sealed.size(); ++at) {
    std::string other = sealed;
    other[at] = other[at] == 'A' ? 'B' : 'A';
    EXPECT_EQ(seal.open(other), std::nullopt) << at;
    EXPECT_EQ(seal.open(sealed.substr(0, at)), std::nullopt) << at;
  }
}

TEST_F(Verifying, KeysAreThoseThatAreActive) {
  alice_with_key();
  EXPECT_EQ(directory()->keys.at("AKIA1").secret_key, "s3cret");
  EXPECT_EQ(directory()->keys.at("AKIA1").principal->arn, "arn:aws:iam::123456789012:user/alice");
  change(KeySwitched{"AKIA1", false});
  EXPECT_FALSE(directory()->keys.contains("AKIA1"));
  change(KeySwitched{"AKIA1", true});
  EXPECT_TRUE(directory()->keys.contains("AKIA1"));
  change(KeyDeleted{"AKIA1"});
  EXPECT_FALSE(directory()->keys.contains("AKIA1"));
  EXPECT_EQ(refused(KeyDeleted{"AKIA1"}), ErrorKind::kNotFound);
}

TEST_F(Verifying, ChangesThatDoNotFitAreRefused) {
  alice_with_key();
  change(PolicyPut{"p", document(allow("kinesis:*")), 9});
  change(PolicyAttached{HolderKind::kUser, "alice", "p"});
  EXPECT_EQ(refused(UserAdded{"alice", "AIDA2", 7}), ErrorKind::kConflict);
  EXPECT_EQ(refused(UserAdded{"a b", "AIDA2", 7}), ErrorKind::kInvalid);
  EXPECT_EQ(refused(PolicyDeleted{"p"}), ErrorKind::kConflict);
  EXPECT_EQ(refused(PolicyPut{"q", "{}", 9}), ErrorKind::kInvalid);
  EXPECT_EQ(refused(PolicyAttached{HolderKind::kRole, "alice", "p"}), ErrorKind::kNotFound);
  EXPECT_EQ(refused(PolicyAttached{HolderKind::kUser, "alice", "q"}), ErrorKind::kNotFound);
  change(KeyCreated{"alice", "AKIA2", seal.seal("x", random), 8});
  EXPECT_EQ(refused(KeyCreated{"alice", "AKIA3", "", 8}), ErrorKind::kLimit);
  change(PolicyDetached{HolderKind::kUser, "alice", "p"});
  change(PolicyDeleted{"p"});
  change(UserRemoved{"alice"});
  EXPECT_EQ(directory()->keys.size(), 1u);  // root's
}

TEST_F(Verifying, AUsersKeyCannotTakeRootsPlace) {
  change(UserAdded{"alice", "AIDA1", 7});
  change(KeyCreated{"alice", "ROOT", seal.seal("mine", random), 8});
  EXPECT_EQ(directory()->keys.at("ROOT").secret_key, "root's secret");
}

TEST_F(Verifying, ASessionFollowsItsRole) {
  const std::string trust =
      document(R"({"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"})");
  change(RolePut{true, "worker", "AROA1", trust, 3'600, 7});
  Session session{.of = Session::Of::kRole, .holder_id = "AROA1", .name = "job"};
  const auto credentials = sessions.issue(session, random);
  const auto opened = sessions.open(credentials.token);
  ASSERT_TRUE(opened.has_value());
  EXPECT_EQ(opened->secret_key, credentials.secret_key);
  EXPECT_EQ(opened->session.access_key, credentials.access_key);
  EXPECT_EQ(principal_of(opened->session, *directory())->arn,
            "arn:aws:sts::123456789012:assumed-role/worker/job");
  EXPECT_TRUE(principal_of(opened->session, *directory())->policies.empty());
  change(InlinePut{HolderKind::kRole, "worker", "all", document(allow("*"))});
  EXPECT_EQ(principal_of(opened->session, *directory())->policies.size(), 1u);
  change(RoleRemoved{"worker"});
  change(RolePut{true, "worker", "AROA2", trust, 3'600, 7});
  EXPECT_EQ(principal_of(opened->session, *directory()), nullptr)
      << "a role of the same name is another role";
}

TEST_F(Verifying, ASessionWhosePolicyIsGoneMayDoNothing) {
  const std::string trust =
      document(R"({"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"})");
  change(RolePut{true, "worker", "AROA1", trust, 3'600, 7});
  change(InlinePut{HolderKind::kRole, "worker", "all", document(allow("*"))});
  change(PolicyPut{"limit", document(allow("kinesis:*")), 9});
  const Session session{
      .of = Session::Of::kRole, .holder_id = "AROA1", .name = "job", .policies = {"limit"}, .limited = true};
  const AccessRequest put{.action = "kinesis:PutRecord", .resource = kStream};
  EXPECT_TRUE(
      is_allowed(evaluate(RequestContext(*principal_of(session, *directory()), {}, put, "r"), {}).reason));
  change(PolicyDeleted{"limit"});
  EXPECT_FALSE(
      is_allowed(evaluate(RequestContext(*principal_of(session, *directory()), {}, put, "r"), {}).reason));
}

// A caller who may store policies, and tries them out, one after the other.
TEST(AuthorizerMemory, WhatIsRememberedOfPoliciesIsBoundedInBytes) {
  AuthorizerMemory memory{.policies = std::make_shared<MemoryShare>("policies", 2u << 20),
                          .decisions = std::make_shared<MemoryShare>("decisions", 1u << 20),
                          .audit = std::make_shared<MemoryShare>("audit", 256u << 10)};
  Lines lines;
  {
    Authorizer authorizer("us-east-1", &lines, memory);
    const Circumstances circumstances{.peer = "203.0.113.7:1", .now_ms = 1'795'608'000'000};
    const Caller caller = caller_of({.name = "", .identity = {allow("*")}});
    std::string stars = "s3:";
    for (int i = 0; i < 4'000; ++i) stars += "a*";
    std::uint64_t most_policies = 0, most_decisions = 0;
    for (int i = 0; i < 100; ++i) {
      const std::string resource = std::string(kStream) + std::to_string(i);
      const AccessRequest request{
          .action = "kinesis:PutRecord",
          .resource = resource,
          .policies = {.own = text_of(deny(stars + std::to_string(i), "*", to("*")))}};
      EXPECT_FALSE(authorizer.check(caller, circumstances, request).has_value());
      most_policies = std::max(most_policies, memory.policies->used());
      most_decisions = std::max(most_decisions, memory.decisions->used());
    }
    EXPECT_LE(most_policies, memory.policies->bytes_max());
    EXPECT_GT(most_policies, memory.policies->bytes_max() / 2);  // stars weigh far more than their text
    EXPECT_LE(most_decisions, memory.decisions->bytes_max());
    EXPECT_GT(most_decisions, 0u);
    for (int i = 0; i < 2'000; ++i)
      authorizer.refused({403, "UnrecognizedClientException", ""},
                         std::string(1'000, 'x') + std::to_string(i), circumstances);
    EXPECT_LE(memory.audit->used(), memory.audit->bytes_max() + 4'096);
  }
}

TEST_F(Verifying, ATokenOfAnEarlierVersionHasNoTags) {
  const std::string token = Seal(key, "millrace session token")
                                .seal(R"({"of":2,"holder":"AROA1","name":"job","documents":[],"policies":[],)"
                                      R"("limited":false,"issued":1,"expires":2,"key":"ASIA1"})",
                                      random);
  const auto opened = sessions.open(token);
  ASSERT_TRUE(opened.has_value());
  EXPECT_TRUE(opened->session.tags.empty());
  EXPECT_TRUE(opened->session.transitive_tags.empty());
  const auto tagged = sessions.open(sessions.issue({.tags = {{"team", "web"}}}, random).token);
  EXPECT_EQ(tagged->session.tags, (std::map<std::string, std::string>{{"team", "web"}}));
}

TEST_F(Verifying, TheCallerOfAnEarlierRequestIsFoundAsIdentitiesAreNow) {
  alice_with_key();
  const std::string trust =
      document(R"({"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"})");
  change(RolePut{true, "worker", "AROA1", trust, 3'600, 7});
  Published<Directory> published(directory());
  const Verifier verifier(published, sessions, "us-east-1");
  auto user = published.here()->keys.at("AKIA1").principal;
  auto session = principal_of({.holder_id = "AROA1", .name = "job", .expires_s = 100}, *published.here());
  EXPECT_EQ(verifier.still(user, 1), user);
  EXPECT_EQ(verifier.still(session, 1), session);
  EXPECT_EQ(verifier.still(session, 100'000), nullptr);  // it is over
  EXPECT_EQ(verifier.still(unchecked_principal(), 1), unchecked_principal());

  change(InlinePut{HolderKind::kUser, "alice", "all", document(allow("*"))});
  change(InlinePut{HolderKind::kRole, "worker", "all", document(allow("*"))});
  published.publish(directory());
  EXPECT_EQ(verifier.still(user, 1)->policies.size(), 1u);
  EXPECT_EQ(verifier.still(session, 1)->policies.size(), 1u);

  change(KeySwitched{"AKIA1", false});
  change(RoleRemoved{"worker"});
  published.publish(directory());
  EXPECT_EQ(verifier.still(user, 1), nullptr);
  EXPECT_EQ(verifier.still(session, 1), nullptr);
}

}  // namespace
}  // namespace millrace::identity
