// Policies as they are stored: the ids of those that they name stand behind the text.
#include <gtest/gtest.h>

#include "identity/bound_policy.h"

namespace millrace::identity {
namespace {

constexpr std::string_view kText =
    R"({"Statement":{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::123456789012:user\/alice","arn:aws:iam::999999999999:user/x"]},"Action":"kms:Encrypt","Resource":"*"}})";

Directory directory_with(const std::string& id) {
  Directory directory;
  directory.account = "123456789012";
  auto alice = std::make_shared<Principal>();
  alice->name = "alice";
  directory.users.emplace(id, std::move(alice));
  return directory;
}

std::string bound(const Directory& directory) {
  const auto policy = parse_policy(kText, PolicyKind::kResource, kKeyPolicyBytesMax);
  auto stored = bind_principals(std::string(kText), **policy, directory);
  return stored.ok() ? *stored : stored.error().text;
}

Named how(std::string_view stored, const std::string& id) {
  const auto policy = parse_stored_policy(stored, PolicyKind::kResource, kKeyPolicyBytesMax);
  Principal caller;
  caller.kind = Principal::Kind::kUser;
  caller.account = "123456789012";
  caller.arn = "arn:aws:iam::123456789012:user/alice";
  caller.id = id;
  return (*policy)->statements().front().names(caller);
}

TEST(BoundPolicy, NamesTheOneWhoHadTheNameAndNobodyLater) {
  const std::string stored = bound(directory_with("AIDAFIRST"));
  EXPECT_EQ(stored, std::string(kText) + "\x1e" + "arn:aws:iam::123456789012:user/alice AIDAFIRST\n");
  EXPECT_EQ(document_of(stored), kText);
  EXPECT_EQ(how(stored, "AIDAFIRST"), Named::kItself);
  EXPECT_EQ(how(stored, "AIDASECOND"), Named::kNot);
  EXPECT_EQ(how(stored, "AIDAFIRSTBORN"), Named::kNot);
}

TEST(BoundPolicy, OfAnEarlierVersionGoesByTheName) { EXPECT_EQ(how(kText, "AIDASECOND"), Named::kItself); }

TEST(BoundPolicy, WhoIsNotThereIsRefusedByTheArn) {
  Directory empty;
  empty.account = "123456789012";
  EXPECT_EQ(bound(empty), R"(Invalid principal in policy: "AWS":"arn:aws:iam::123456789012:user/alice")");
}

TEST(BoundPolicy, WithoutSignaturesThereIsNobodyToBindTo) {
  Directory open;
  open.account = "123456789012";
  open.checks_signatures = false;
  EXPECT_EQ(bound(open), kText);
}

TEST(BoundPolicy, WhatIsSentIsNeverReadAsStored) {
  EXPECT_FALSE(
      parse_policy(bound(directory_with("AIDAFIRST")), PolicyKind::kResource, kKeyPolicyBytesMax).ok());
}

}  // namespace
}  // namespace millrace::identity
