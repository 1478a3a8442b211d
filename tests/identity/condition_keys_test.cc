// Condition keys: which ones there are, and that none of the others opens a door.
#include "identity/condition_keys.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "identity/policy_case.h"

namespace millrace::identity {
namespace {

const std::vector<ConditionValue> kAlices = {{"dynamodb:LeadingKeys", {"alice"}}};
const std::vector<ConditionValue> kAlicesAndBobs = {{"dynamodb:LeadingKeys", {"alice", "bob"}}};

bool is_allowed_by(std::vector<std::string> identity, std::vector<ConditionValue> more = {}) {
  return is_allowed(
      verdict_of({.name = "", .identity = std::move(identity), .more = std::move(more)}).reason);
}

// Each operator with a value that it takes.
const std::vector<std::pair<std::string, std::string>> kOperators = {{"StringEquals", "x"},
                                                                     {"StringNotEquals", "x"},
                                                                     {"StringEqualsIgnoreCase", "x"},
                                                                     {"StringNotEqualsIgnoreCase", "x"},
                                                                     {"StringLike", "x"},
                                                                     {"StringNotLike", "x"},
                                                                     {"NumericEquals", "1"},
                                                                     {"NumericNotEquals", "1"},
                                                                     {"NumericLessThan", "1"},
                                                                     {"NumericGreaterThanEquals", "1"},
                                                                     {"DateEquals", "1"},
                                                                     {"DateNotEquals", "1"},
                                                                     {"DateLessThan", "1"},
                                                                     {"Bool", "true"},
                                                                     {"BinaryEquals", "eA=="},
                                                                     {"IpAddress", "10.0.0.0/8"},
                                                                     {"NotIpAddress", "10.0.0.0/8"},
                                                                     {"ArnEquals", "arn:aws:iam::1:user/x"},
                                                                     {"ArnNotLike", "arn:aws:iam::1:user/x"}};

TEST(ConditionKeys, AnUnknownOneDeniesAndDoesNotAllowWhateverTheOperator) {
  std::vector<std::pair<std::string, std::string>> all = {{"Null", "true"}, {"Null", "false"}};
  for (const auto& [op, value] : kOperators)
    for (const std::string prefix : {"", "ForAllValues:", "ForAnyValue:"})
      for (const std::string suffix : {"", "IfExists"}) all.emplace_back(prefix + op + suffix, value);
  for (const auto& [op, value] : all) {
    EXPECT_FALSE(is_allowed_by({allow("*", "*", when(op, "foo:bar", value))})) << op;
    EXPECT_FALSE(is_allowed_by({allow("*"), deny("*", "*", when(op, "foo:bar", value))})) << op;
    EXPECT_EQ(policy(allow("*", "*", when(op, "foo:bar", value)))->unknown_keys(),
              std::vector<std::string>{"foo:bar"})
        << op;
  }
  EXPECT_TRUE(is_allowed_by({allow("*"), deny("kms:*", "*", when("Bool", "foo:bar", "true"))}));
}

TEST(ConditionKeys, AnUnknownVariableIsAnUnknownKey) {
  const std::string stream = "arn:aws:kinesis:us-east-1:123456789012:stream/";
  EXPECT_FALSE(is_allowed_by({allow("*"), deny("*", stream + "${foo:bar}")}));
  EXPECT_FALSE(is_allowed_by({allow("*", stream + "${foo:bar, 'clicks'}")}));
  EXPECT_FALSE(
      is_allowed_by({allow("*"), deny("*", "*", when("StringEquals", "aws:username", "${foo:bar}"))}));
  EXPECT_FALSE(
      is_allowed_by({allow("*", "*", when("StringNotEquals", "aws:username", "${foo:bar, 'bob'}"))}));
  EXPECT_EQ(policy(allow("*", stream + "${foo:bar, 'clicks'}"))->unknown_keys(),
            std::vector<std::string>{"${foo:bar}"});
  for (const char* known : {"${*}", "${?}", "${$}", "${aws:username}", "${AWS:PrincipalTag/Team}"})
    EXPECT_TRUE(policy(allow("*", stream + known))->unknown_keys().empty()) << known;
}

TEST(ConditionKeys, AreKnownInAnyCaseAndByTheirBeginning) {
  for (const char* key : {"aws:SourceIp", "AWS:SOURCEIP", "aws:ResourceTag/a", "aws:requesttag/b",
                          "kms:EncryptionContext:aws:kinesis:arn", "dynamodb:leadingkeys", "iam:PolicyArn"})
    EXPECT_TRUE(is_known_condition_key(key)) << key;
  for (const char* key : {"aws:SourceIps", "aws:ResourceTag/", "aws:ResourceTag",
                          "kms:EncryptionContext:", "dynamodb:FullTableScan", "s3:prefix", ""})
    EXPECT_FALSE(is_known_condition_key(key)) << key;
}

TEST(ConditionKeys, OneOperatorForSeveralValuesLeavesTheDoubtToWhoDenies) {
  for (const char* op : {"StringEquals", "StringLike", "ForAllValues:StringEquals"}) {
    const std::string own = allow("*", "*", when(op, "dynamodb:LeadingKeys", "alice"));
    EXPECT_TRUE(is_allowed_by({own}, kAlices)) << op;
    EXPECT_FALSE(is_allowed_by({own}, kAlicesAndBobs)) << op;
  }
  const std::string not_bobs = deny("*", "*", when("StringEquals", "dynamodb:LeadingKeys", "bob"));
  const std::string only_own = deny("*", "*", when("StringNotEquals", "dynamodb:LeadingKeys", "alice"));
  EXPECT_TRUE(is_allowed_by({allow("*"), not_bobs, only_own}, kAlices));
  EXPECT_FALSE(is_allowed_by({allow("*"), not_bobs}, kAlicesAndBobs));
  EXPECT_FALSE(is_allowed_by({allow("*"), only_own}, kAlicesAndBobs));
}

TEST(ConditionKeys, APolicyWithAnUnknownOneIsRefusedUnlessTheServerTakesThem) {
  const auto strange = policy(allow("*", "*", when("StringEquals", "foo:bar", "x")) + "," +
                              deny("*", "*", when("Bool", "foo:baz", "true")));
  const auto checked = Authorizer("us-east-1", nullptr).check_keys(*strange);
  ASSERT_FALSE(checked.ok());
  EXPECT_EQ(checked.error().text,
            "Policy has condition keys that this server does not know: foo:bar, foo:baz");
  EXPECT_TRUE(Authorizer("us-east-1", nullptr, {}, true).check_keys(*strange).ok());
  EXPECT_TRUE(Authorizer("us-east-1", nullptr).check_keys(*policy(allow("*"))).ok());
}

// The list between its marks, in the order of the code.
TEST(ConditionKeys, AreThoseOfTheIdentityPage) {
  std::stringstream read;
  read << std::ifstream(std::filesystem::path(__FILE__).parent_path() / "../../docs/identity.md").rdbuf();
  const std::string page = read.str();
  const std::size_t begin = page.find("<!-- condition keys: begin -->");
  const std::size_t end = page.find("<!-- condition keys: end -->");
  ASSERT_TRUE(begin != std::string::npos && begin < end);
  const std::string list = page.substr(begin, end - begin);
  std::multiset<std::string> written;
  const std::regex key("`([a-z]+:[A-Za-z:/]+)(?:…)?`");
  for (std::sregex_iterator at(list.begin(), list.end(), key), none; at != none; ++at)
    written.insert((*at)[1].str());
  const auto known = known_condition_keys();
  EXPECT_EQ(written, std::multiset<std::string>(known.begin(), known.end()));
}

}  // namespace
}  // namespace millrace::identity
