// Access policies of streams and consumers: put, shown and taken away; what they allow and deny.

#include "kinesis/record_requests.h"
#include "kinesis/signed_client.h"

namespace millrace::kinesis {
namespace {

const std::string kNothing = "{}";

struct PolicyMachine : SignedMachine {
  PolicyMachine() : SignedMachine({{"nobody", ""}, {"all", one_statement("Allow", "*", "*")}}) {
    consumer = create_stream_and_consumer();
  }

  Answer put(const std::string& user) {
    return post_as(by(user), "PutRecord", {{"StreamName", "s"}, {"PartitionKey", "k"}, {"Data", b64("x")}});
  }
  Answer subscribe(const std::string& user) {
    return post_as(by(user), "SubscribeToShard",
                   {{"ConsumerARN", consumer},
                    {"ShardId", "shardId-000000000000"},
                    {"StartingPosition", {{"Type", "LATEST"}}}});
  }
  Json policy_of(const std::string& arn) {
    return call_as_root("GetResourcePolicy", {{"ResourceARN", arn}})["Policy"];
  }
  void refuses_root(const std::string& operation, const Json& request, const std::string& type,
                    const std::string& message) {
    const Answer answer = post_as({}, operation, request);
    EXPECT_EQ(answer.status, 400) << answer.body;
    EXPECT_EQ(answer.json(), (Json{{"__type", type}, {"message", message}}));
  }

  std::string consumer;
};

constexpr const char* kDenied = "AccessDeniedException";

TEST(KinesisResourcePolicy, IsShownAsItWasPutUntilItIsReplacedOrDeleted) {
  PolicyMachine machine;
  for (const std::string& arn : {kStreamArn, machine.consumer}) {
    EXPECT_EQ(machine.policy_of(arn), kNothing);
    const std::string first = "  " + one_statement("Allow", "kinesis:*", arn, "nobody") + "\n";
    const std::string second = one_statement("Deny", "kinesis:*", "*", "nobody");
    machine.put_policy(arn, first);
    EXPECT_EQ(machine.policy_of(arn), first);
    machine.put_policy(arn, second);
    EXPECT_EQ(machine.policy_of(arn), second);
    EXPECT_EQ(machine.post_as({}, "DeleteResourcePolicy", {{"ResourceARN", arn}}).body, "");
    EXPECT_EQ(machine.policy_of(arn), kNothing);
    machine.refuses_root("DeleteResourcePolicy", {{"ResourceARN", arn}}, "ResourceNotFoundException",
                         "No resource policy found for resource ARN " + arn + ".");
  }
}

TEST(KinesisResourcePolicy, IsOfTheStreamOrConsumerAndGoesWithIt) {
  PolicyMachine machine;
  machine.put_policy(kStreamArn, one_statement("Allow", "kinesis:PutRecord", kStreamArn, "nobody"));
  machine.put_policy(machine.consumer,
                     one_statement("Allow", "kinesis:SubscribeToShard", machine.consumer, "nobody"));
  EXPECT_NE(machine.policy_of(kStreamArn), machine.policy_of(machine.consumer));
  machine.call_as_root("DeleteStream", {{"StreamName", "s"}, {"EnforceConsumerDeletion", true}});
  machine.world.run_for(1'000'000'000);
  for (const std::string& arn : {kStreamArn, machine.consumer})
    EXPECT_EQ(machine.post_as({}, "GetResourcePolicy", {{"ResourceARN", arn}}).type(),
              "ResourceNotFoundException");
  machine.create_stream_and_consumer();
  EXPECT_EQ(machine.policy_of(kStreamArn), kNothing);
  EXPECT_EQ(machine.put("nobody").type(), kDenied);
}

TEST(KinesisResourcePolicy, AllowsWhomNoPolicyOfHisOwnDoes) {
  PolicyMachine machine;
  EXPECT_EQ(machine.put("nobody").type(), kDenied);
  machine.put_policy(kStreamArn, one_statement("Allow", "kinesis:PutRecord", kStreamArn, "nobody"));
  EXPECT_EQ(machine.put("nobody").status, 200);
  EXPECT_EQ(machine.post_as(by("nobody"), "DescribeStream", {{"StreamName", "s"}}).type(), kDenied);
  EXPECT_EQ(machine.subscribe("nobody").type(), kDenied);
  machine.put_policy(machine.consumer,
                     one_statement("Allow", "kinesis:SubscribeToShard", machine.consumer, "nobody"));
  EXPECT_EQ(machine.subscribe("nobody").status, 200);
  machine.call_as_root("DeleteResourcePolicy", {{"ResourceARN", kStreamArn}});
  EXPECT_EQ(machine.put("nobody").type(), kDenied);
}

TEST(KinesisResourcePolicy, AStreamsDenyHoldsForWhoeverNamesItByAnIterator) {
  PolicyMachine machine;
  const Json iterator = machine
                            .post_as(by("all"), "GetShardIterator",
                                     {{"StreamName", "s"}, {"ShardId", "0"}, {"ShardIteratorType", "LATEST"}})
                            .json();
  EXPECT_EQ(machine.post_as(by("all"), "GetRecords", iterator).status, 200);
  machine.put_policy(kStreamArn,
                     one_statement("Deny", "kinesis:GetRecords", "arn:aws:kinesis:*:*:stream/s*", "all"));
  const Answer answer = machine.post_as(by("all"), "GetRecords", iterator);
  EXPECT_EQ(answer.message(), "User: " + user_arn("all") +
                                  " is not authorized to perform: kinesis:GetRecords on resource: " +
                                  kStreamArn + " with an explicit deny in a resource-based policy");
  EXPECT_EQ(machine.put("all").status, 200);
}

TEST(KinesisResourcePolicy, AConsumersDenyHoldsHoweverItIsNamed) {
  PolicyMachine machine;
  EXPECT_EQ(machine.subscribe("all").status, 200);
  machine.put_policy(machine.consumer, one_statement("Deny", "kinesis:*", machine.consumer, "all"));
  machine.world.run_for(6'000'000'000);
  EXPECT_EQ(machine.subscribe("all").type(), kDenied);
  for (const Json& name :
       {Json{{"ConsumerARN", machine.consumer}}, Json{{"StreamARN", kStreamArn}, {"ConsumerName", "c"}}}) {
    EXPECT_EQ(machine.post_as(by("all"), "DescribeStreamConsumer", name).type(), kDenied) << name;
    EXPECT_EQ(machine.post_as(by("all"), "DeregisterStreamConsumer", name).type(), kDenied) << name;
  }
  EXPECT_EQ(machine.post_as(by("all"), "DeleteResourcePolicy", {{"ResourceARN", machine.consumer}}).type(),
            kDenied);
  EXPECT_EQ(machine.put("all").status, 200);
}

TEST(KinesisResourcePolicy, WhatAStreamDeniesOfEverythingIsDeniedOfItsConsumersToo) {
  PolicyMachine machine;
  machine.put_policy(kStreamArn, one_statement("Deny", "kinesis:SubscribeToShard", kStreamArn, "all"));
  EXPECT_EQ(machine.subscribe("all").status, 200);
  machine.put_policy(kStreamArn, one_statement("Deny", "kinesis:*", "*", "all"));
  machine.world.run_for(6'000'000'000);
  EXPECT_EQ(machine.subscribe("all").message(),
            "User: " + user_arn("all") +
                " is not authorized to perform: kinesis:SubscribeToShard on resource: " + machine.consumer +
                " with an explicit deny in a resource-based policy");
  // But what it allows of everything is not.
  machine.put_policy(kStreamArn, one_statement("Allow", "kinesis:*", "*", "nobody"));
  EXPECT_EQ(machine.subscribe("nobody").type(), kDenied);
}

TEST(KinesisResourcePolicy, TagsOfAConsumerAreAskedForTheConsumer) {
  const auto where = [](const std::string& op, const std::string& key, const std::string& value) {
    return R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{")" +
           op + R"(":{")" + key + R"(":")" + value + R"("}}}})";
  };
  SignedMachine machine({{"web", where("StringEquals", "aws:ResourceTag/team", "web")},
                         {"new", where("StringEquals", "aws:RequestTag/team", "web")},
                         {"gone", where("ForAllValues:StringEquals", "aws:TagKeys", "team")},
                         {"all", one_statement("Allow", "*", "*")}});
  const std::string consumer = machine.create_stream_and_consumer();
  machine.call_as_root("TagResource", {{"ResourceARN", kStreamArn}, {"Tags", {{"team", "web"}}}});
  const Json it{{"ResourceARN", consumer}}, stream{{"ResourceARN", kStreamArn}};
  const auto allowed = [&](const char* user, const char* operation, Json request,
                           const Json& more = Json::object()) {
    request.update(more);
    const Answer answer = machine.post_as(by(user), operation, request);
    EXPECT_TRUE(answer.status == 200 || answer.type() == kDenied) << answer.body;
    return answer.status == 200;
  };
  // The stream's tags are not the consumer's.
  EXPECT_TRUE(allowed("web", "ListTagsForResource", stream));
  EXPECT_FALSE(allowed("web", "ListTagsForResource", it));
  EXPECT_FALSE(allowed("web", "TagResource", it, {{"Tags", {{"team", "web"}}}}));
  EXPECT_FALSE(allowed("new", "TagResource", it, {{"Tags", {{"team", "data"}}}}));
  EXPECT_TRUE(allowed("new", "TagResource", it, {{"Tags", {{"team", "web"}, {"env", "test"}}}}));
  EXPECT_TRUE(allowed("web", "ListTagsForResource", it));
  EXPECT_TRUE(allowed("web", "DescribeStreamConsumer", {{"ConsumerARN", consumer}}));
  EXPECT_FALSE(allowed("gone", "UntagResource", it, {{"TagKeys", {"team", "env"}}}));
  EXPECT_TRUE(allowed("gone", "UntagResource", it, {{"TagKeys", {"team"}}}));
  EXPECT_FALSE(allowed("web", "ListTagsForResource", it));
  // A policy of the consumer's, and one of its stream that denies everything, hold for its tags too.
  const Json tag{{"Tags", {{"a", "b"}}}};
  EXPECT_TRUE(allowed("all", "TagResource", it, tag));
  machine.put_policy(consumer, one_statement("Deny", "kinesis:TagResource", consumer, "all"));
  EXPECT_FALSE(allowed("all", "TagResource", it, tag));
  EXPECT_TRUE(allowed("all", "TagResource", stream, tag));
  machine.put_policy(kStreamArn, one_statement("Deny", "kinesis:*TagResource", "*", "all"));
  EXPECT_FALSE(allowed("all", "UntagResource", it, {{"TagKeys", {"a"}}}));
}

TEST(KinesisResourcePolicy, OneThatCannotBeIsRefused) {
  PolicyMachine machine;
  const auto refuses = [&](const std::string& policy, const std::string& message) {
    machine.refuses_root("PutResourcePolicy", {{"ResourceARN", kStreamArn}, {"Policy", policy}},
                         "InvalidArgumentException", message);
  };
  refuses("", "Syntax errors in policy, at byte 1");
  refuses("{}", "Policy must have Statement");
  refuses(one_statement("Allow", "kinesis:*", "*"), "Statement must have Principal or NotPrincipal");
  Json odd = Json::parse(one_statement("Allow", "kinesis:*", "*", "all"));
  odd["Statement"][0]["Principal"] = {{"AWS", "all"}};
  refuses(odd.dump(),
          "Invalid principal in policy: Statement.Principal: \"AWS\":\"all\" must be \"*\", an account, or "
          "the ARN "
          "of a user, a role or a session, without wildcards");
  refuses(one_statement("Allow", "kinesis:PutRecrod", "*", "all"),
          "Policy has an Action that is none of Kinesis.");
  refuses(one_statement("Allow", "s3:*", "*", "all"), "Policy has an Action that is none of Kinesis.");
  refuses(one_statement("Allow", "kinesis:*", machine.consumer, "all"),
          "Policy has a Resource that is not " + kStreamArn + ".");
  refuses(std::string(20'481, ' '), "Policy has 20481 bytes: must have at most 20480");
  EXPECT_EQ(machine.policy_of(kStreamArn), kNothing);
  std::string longest = one_statement("Allow", "kinesis:*", "*", "all");
  longest.resize(20'480, ' ');
  machine.put_policy(kStreamArn, longest);
}

TEST(KinesisResourcePolicy, TheResourceMustBeThereAndActive) {
  PolicyMachine machine;
  const std::string policy = one_statement("Allow", "kinesis:*", "*", "all");
  for (const char* operation : {"PutResourcePolicy", "GetResourcePolicy", "DeleteResourcePolicy"}) {
    const auto on = [&](const std::string& arn) { return Json{{"ResourceARN", arn}, {"Policy", policy}}; };
    machine.refuses_root(operation, on(kStreamArn + "t"), "ResourceNotFoundException",
                         "Stream st under account " + kAccount + " not found.");
    machine.refuses_root(operation, on(machine.consumer + "0"), "ResourceNotFoundException",
                         "Consumer " + machine.consumer + "0, account " + kAccount + " not found.");
    EXPECT_EQ(
        machine.post_as({}, operation, on("arn:aws:kinesis:us-east-1:000000000000:queue/stream/s")).type(),
        "InvalidArgumentException");
    EXPECT_EQ(machine.post_as({}, operation, on("s")).type(), "ValidationException");
  }
  machine.put_policy(machine.consumer, policy);
  machine.call_as_root("SplitShard",
                       {{"StreamName", "s"}, {"ShardToSplit", "0"}, {"NewStartingHashKey", "1000"}});
  machine.refuses_root("PutResourcePolicy", {{"ResourceARN", kStreamArn}, {"Policy", policy}},
                       "ResourceInUseException",
                       "Stream s under account " + kAccount + " not ACTIVE, instead in state UPDATING");
  machine.call_as_root("DeregisterStreamConsumer", {{"ConsumerARN", machine.consumer}});
  const Answer answer = machine.post_as({}, "DeleteResourcePolicy", {{"ResourceARN", machine.consumer}});
  EXPECT_EQ(answer.type(), "ResourceInUseException") << answer.body;
  EXPECT_TRUE(answer.message().ends_with("is not in ACTIVE status.")) << answer.body;
}

}  // namespace
}  // namespace millrace::kinesis
