// Every operation refuses whoever may not call it, whichever way he fails to, in the service's words; and
// then nothing was done.

#include <functional>
#include <set>

#include "kinesis/operation.h"
#include "kinesis/record_requests.h"
#include "kinesis/signed_client.h"

namespace millrace::kinesis {
namespace {

// Those that are about no resource that exists, and so has no policy.
const std::set<std::string> kWithoutPolicy = {"AcknowledgeDeadLetterQueueRecords",
                                              "AcknowledgeQueueRecords",
                                              "CreateChannel",
                                              "CreateQueue",
                                              "CreateStream",
                                              "DeleteChannel",
                                              "DeleteQueue",
                                              "DescribeAccountSettings",
                                              "DescribeChannel",
                                              "DescribeLimits",
                                              "DescribeQueue",
                                              "ListChannels",
                                              "ListQueues",
                                              "ListStreams",
                                              "ReceiveDeadLetterQueueRecords",
                                              "ReceiveQueueRecords",
                                              "RestoreDeadLetterQueueRecords",
                                              "UpdateAccountSettings",
                                              "UpdateChannel",
                                              "UpdateDeadLetterQueueRecordsVisibility",
                                              "UpdateQueue",
                                              "UpdateQueueRecordsVisibility"};

class AccessMachine : public SignedMachine {
 public:
  AccessMachine()
      : SignedMachine({{"nobody", ""},
                       {"barred", one_statement("Allow", "*", "*")},
                       {"free", one_statement("Allow", "*", "*")}}) {
    consumer_arn = create_stream_and_consumer();
    call_as_root("IncreaseStreamRetentionPeriod", {{"StreamName", "s"}, {"RetentionPeriodHours", 48}});
    call_as_root("AddTagsToStream", {{"StreamName", "s"}, {"Tags", {{"a", "b"}}}});
    call_as_root("PutRecord", {{"StreamName", "s"}, {"PartitionKey", "k"}, {"Data", b64("x")}});
    trim_horizon = call_as_root(
        "GetShardIterator",
        {{"StreamName", "s"}, {"ShardId", "0"}, {"ShardIteratorType", "TRIM_HORIZON"}})["ShardIterator"];
    put_policy(kStreamArn, one_statement("Deny", "kinesis:*", kStreamArn, "barred"));
    put_policy(consumer_arn, one_statement("Deny", "kinesis:*", consumer_arn, "barred"));
  }

  // Whatever an operation could have done.
  std::string state() {
    std::uint64_t version = 0;
    world.on(world.loop(1), [&] { version = broker->catalog()->version; });
    const Json records = call_as_root("GetRecords", {{"ShardIterator", trim_horizon}})["Records"];
    return fmt::format("catalog {}, {} records, {} subscriptions", version, records.size(),
                       door->open_subscriptions());
  }

  std::string consumer_arn, trim_horizon;
};

// For each operation a request that would do something.
std::map<std::string, Json> requests_of(const AccessMachine& machine) {
  const Json stream = {{"StreamName", "s"}}, by_arn = {{"StreamARN", kStreamArn}},
             resource = {{"ResourceARN", kStreamArn}}, consumer = {{"ConsumerARN", machine.consumer_arn}};
  const auto with = [](Json request, const Json& more) {
    request.update(more);
    return request;
  };
  const Json kms = with(stream, {{"EncryptionType", "KMS"}, {"KeyId", "alias/aws/kinesis"}});
  const Json record = {{"PartitionKey", "k"}, {"Data", b64("y")}};
  return {
      {"AcknowledgeDeadLetterQueueRecords", Json::object()},
      {"AcknowledgeQueueRecords", Json::object()},
      {"AddTagsToStream", with(stream, {{"Tags", {{"c", "d"}}}})},
      {"CreateChannel", Json::object()},
      {"CreateQueue", Json::object()},
      {"CreateStream", {{"StreamName", "new"}, {"ShardCount", 1}}},
      {"DecreaseStreamRetentionPeriod", with(stream, {{"RetentionPeriodHours", 24}})},
      {"DeleteChannel", Json::object()},
      {"DeleteQueue", Json::object()},
      {"DeleteResourcePolicy", resource},
      {"DeleteStream", with(stream, {{"EnforceConsumerDeletion", true}})},
      {"DeregisterStreamConsumer", consumer},
      {"DescribeAccountSettings", Json::object()},
      {"DescribeChannel", Json::object()},
      {"DescribeLimits", Json::object()},
      {"DescribeQueue", Json::object()},
      {"DescribeStream", stream},
      {"DescribeStreamConsumer", consumer},
      {"DescribeStreamSummary", stream},
      {"DisableEnhancedMonitoring", with(stream, {{"ShardLevelMetrics", {"ALL"}}})},
      {"EnableEnhancedMonitoring", with(stream, {{"ShardLevelMetrics", {"ALL"}}})},
      {"GetRecords", {{"ShardIterator", machine.trim_horizon}}},
      {"GetResourcePolicy", resource},
      {"GetShardIterator", with(stream, {{"ShardId", "0"}, {"ShardIteratorType", "LATEST"}})},
      {"IncreaseStreamRetentionPeriod", with(stream, {{"RetentionPeriodHours", 72}})},
      {"ListChannels", Json::object()},
      {"ListQueues", Json::object()},
      {"ListShards", stream},
      {"ListStreamConsumers", by_arn},
      {"ListStreams", Json::object()},
      {"ListTagsForResource", resource},
      {"ListTagsForStream", stream},
      {"MergeShards", with(stream, {{"ShardToMerge", "0"}, {"AdjacentShardToMerge", "1"}})},
      {"PutRecord", with(stream, record)},
      {"PutRecords", with(stream, {{"Records", Json::array({record})}})},
      {"PutResourcePolicy",
       with(resource, {{"Policy", one_statement("Allow", "kinesis:*", kStreamArn, "nobody")}})},
      {"ReceiveDeadLetterQueueRecords", Json::object()},
      {"ReceiveQueueRecords", Json::object()},
      {"RegisterStreamConsumer", with(by_arn, {{"ConsumerName", "d"}})},
      {"RemoveTagsFromStream", with(stream, {{"TagKeys", {"a"}}})},
      {"RestoreDeadLetterQueueRecords", Json::object()},
      {"SplitShard", with(stream, {{"ShardToSplit", "0"}, {"NewStartingHashKey", "1000"}})},
      {"StartStreamEncryption", kms},
      {"StopStreamEncryption", kms},
      {"SubscribeToShard",
       with(consumer, {{"ShardId", "shardId-000000000000"}, {"StartingPosition", {{"Type", "LATEST"}}}})},
      {"TagResource", with(resource, {{"Tags", {{"c", "d"}}}})},
      {"UntagResource", with(resource, {{"TagKeys", {"a"}}})},
      {"UpdateAccountSettings", {{"MinimumThroughputBillingCommitment", {{"Status", "ENABLED"}}}}},
      {"UpdateChannel", Json::object()},
      {"UpdateDeadLetterQueueRecordsVisibility", Json::object()},
      {"UpdateMaxRecordSize", with(by_arn, {{"MaxRecordSizeInKiB", 2'048}})},
      {"UpdateQueue", Json::object()},
      {"UpdateQueueRecordsVisibility", Json::object()},
      {"UpdateShardCount", with(stream, {{"TargetShardCount", 2}, {"ScalingType", "UNIFORM_SCALING"}})},
      {"UpdateStreamMode", with(by_arn, {{"StreamModeDetails", {{"StreamMode", "ON_DEMAND"}}}})},
      {"UpdateStreamRecordDistributionStrategy", with(by_arn, {{"RecordDistributionStrategy", "AUTO"}})},
      {"UpdateStreamWarmThroughput", with(stream, {{"WarmThroughputMiBps", 5}})},
  };
}

// The resource that an operation is on, as the service authorization reference has it.
std::string resource_of(const std::string& operation, const AccessMachine& machine) {
  if (operation == "CreateStream") return kStreamArn.substr(0, kStreamArn.size() - 1) + "new";
  if (kWithoutPolicy.contains(operation)) return "*";
  return requests_of(machine).at(operation).contains("ConsumerARN") ? machine.consumer_arn : kStreamArn;
}

void refused(const Answer& answer, const std::string& type, const std::string& message) {
  EXPECT_EQ(answer.status, 400) << answer.body;
  EXPECT_EQ(answer.type(), type) << answer.body;
  EXPECT_TRUE(answer.message().starts_with(message)) << answer.body;
  EXPECT_EQ(answer.stream, nullptr);
}

// All the ways.
void refuses_everybody(AccessMachine& machine, const std::string& operation, const Json& request) {
  refused(machine.post_unsigned(operation, request), "MissingAuthenticationTokenException",
          "Missing Authentication Token");
  const std::string mismatch =
      "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
      "Access Key and signing method.";
  refused(machine.post_as({"free", "another secret"}, operation, request), "InvalidSignatureException",
          mismatch);
  refused(machine.post_as({"stranger", "secret of free"}, operation, request), "UnrecognizedClientException",
          "The security token included in the request is invalid.");
  Signature shifted = by("free");
  shifted.shifted_s = -6 * 60;
  refused(machine.post_as(shifted, operation, request), "InvalidSignatureException", "Signature expired: ");
  shifted.shifted_s = 6 * 60;
  refused(machine.post_as(shifted, operation, request), "InvalidSignatureException",
          "Signature not yet current: ");
  const auto not_authorized = [&](const std::string& user) {
    return fmt::format("User: {} is not authorized to perform: kinesis:{} on resource: {} ", user_arn(user),
                       operation, resource_of(operation, machine));
  };
  refused(machine.post_as(by("nobody"), operation, request), "AccessDeniedException",
          not_authorized("nobody") + "because no identity-based policy allows the kinesis:" + operation +
              " action");
  if (!kWithoutPolicy.contains(operation))
    refused(machine.post_as(by("barred"), operation, request), "AccessDeniedException",
            not_authorized("barred") + "with an explicit deny in a resource-based policy");
}

TEST(KinesisAccess, EveryOperationRefusesWhoeverMayNotCallIt) {
  AccessMachine machine;
  const auto requests = requests_of(machine);
  const std::string before = machine.state();
  for (const Operation* operation : all_operations()) {
    const std::string name(operation->name);
    SCOPED_TRACE(name);
    ASSERT_TRUE(requests.contains(name)) << "give it a request in requests_of()";
    refuses_everybody(machine, name, requests.at(name));
    machine.world.run_for(1'000'000'000);  // what began in spite of it would show
    EXPECT_EQ(machine.state(), before);
    if (HasFailure()) break;
  }
}

TEST(KinesisAccess, WhoMayIsAnsweredByTheSameRequests) {
  AccessMachine machine;
  const std::set<std::string> refusals = {"AccessDeniedException", "InvalidSignatureException",
                                          "MissingAuthenticationTokenException",
                                          "UnrecognizedClientException"};
  for (const auto& [operation, request] : requests_of(machine)) {
    const Answer answer = machine.post_as(by("free"), operation, request);
    const std::string type = answer.body.empty() ? "" : answer.type();
    EXPECT_FALSE(refusals.contains(type)) << operation << ": " << answer.body;
    if (answer.stream != nullptr) answer.stream->go_away();
  }
}

const Json kTags = {{"env", "prod"}};

// Everything but `action` on `resource`, where `condition` holds; empty: always.
std::string all_but(const std::string& action, const std::string& resource, const Json& condition = {}) {
  Json deny = {{"Effect", "Deny"}, {"Action", action}, {"Resource", resource}};
  if (!condition.empty()) deny["Condition"] = condition;
  return Json{{"Version", "2012-10-17"},
              {"Statement",
               Json::array({{{"Effect", "Allow"}, {"Action", "*"}, {"Resource", "*"}}, std::move(deny)})}}
      .dump();
}

TEST(KinesisAccess, ToCreateWithTagsIsToTag) {
  const std::string consumers = kStreamArn + "/consumer/d:*";
  const Json prod = {{"StringEquals", {{"aws:RequestTag/env", "prod"}}}};
  const Json names = {{"ForAnyValue:StringEquals", {{"aws:TagKeys", "env"}}}};
  SignedMachine machine({{"no-adding", all_but("kinesis:AddTagsToStream", "arn:aws:kinesis:*:*:stream/t*")},
                         {"no-prod", all_but("kinesis:AddTagsToStream", "*", prod)},
                         {"no-env", all_but("kinesis:CreateStream", "*", names)},
                         {"no-tagging", all_but("kinesis:TagResource", consumers)},
                         {"creates", one_statement("Allow", "kinesis:CreateStream", "*")}});
  machine.create_stream_and_consumer();
  const Json stream = {{"StreamName", "tagged"}, {"ShardCount", 1}, {"Tags", kTags}};
  const std::string tagged =
      "kinesis:AddTagsToStream on resource: arn:aws:kinesis:us-east-1:" + kAccount + ":stream/tagged ";
  for (const char* user : {"no-adding", "no-prod", "creates"}) {
    const Answer answer = machine.post_as(by(user), "CreateStream", stream);
    EXPECT_EQ(answer.type(), "AccessDeniedException") << user;
    EXPECT_NE(answer.message().find(tagged), std::string::npos) << user << ": " << answer.body;
  }
  EXPECT_EQ(machine.post_as(by("no-env"), "CreateStream", stream).type(), "AccessDeniedException");
  EXPECT_EQ(machine.call_as_root("ListStreams", Json::object())["StreamNames"], Json::array({"s"}));

  // kinesis:TagResource is of no use to create a stream with tags, and needed to register a consumer with
  // some.
  EXPECT_EQ(machine.post_as(by("no-tagging"), "CreateStream", stream).status, 200);
  Json other = stream;
  other["StreamName"] = "other";
  other.erase("Tags");
  EXPECT_EQ(machine.post_as(by("creates"), "CreateStream", other).status, 200);
  EXPECT_EQ(machine.post_as(by("no-env"), "CreateStream", other).type(), "ResourceInUseException");

  Json consumer = {{"StreamARN", kStreamArn}, {"ConsumerName", "d"}, {"Tags", kTags}};
  const Answer answer = machine.post_as(by("no-tagging"), "RegisterStreamConsumer", consumer);
  EXPECT_EQ(answer.type(), "AccessDeniedException");
  EXPECT_NE(answer.message().find("kinesis:TagResource on resource: " + kStreamArn + "/consumer/d:"),
            std::string::npos)
      << answer.body;
  consumer.erase("Tags");
  EXPECT_EQ(machine.post_as(by("no-tagging"), "RegisterStreamConsumer", consumer).status, 200);
}

// Whichever of its names it is asked for by.
TEST(KinesisAccess, ADenyOfAStreamHoldsByEachOfItsNames) {
  SignedMachine machine({{"barred", all_but("kinesis:*", kStreamArn + "*")}});
  const std::string consumer = machine.create_stream_and_consumer();
  std::vector<Json> streams = {{{"StreamName", "s"}},
                               {{"StreamARN", kStreamArn}},
                               {{"StreamName", "s"}, {"StreamARN", kStreamArn}},
                               {{"StreamARN", kStreamArn}, {"StreamId", "abcdefghijklmnopqrst-abc"}}};
  for (const Json& stream : streams)
    EXPECT_NE(machine.post_as(by("barred"), "DescribeStreamSummary", stream).status, 200) << stream;
  for (const char* partition : {"aws-cn", "aws-us-gov"}) {
    const Json other = {{"StreamARN", std::string("arn:") + partition + kStreamArn.substr(7)}};
    EXPECT_NE(machine.post_as(by("barred"), "DescribeStreamSummary", other).status, 200) << other;
  }
  for (const Json& named :
       {Json{{"ConsumerARN", consumer}}, Json{{"StreamARN", kStreamArn}, {"ConsumerName", "c"}},
        Json{{"ConsumerARN", consumer}, {"ConsumerName", "c"}}})
    EXPECT_EQ(machine.post_as(by("barred"), "DescribeStreamConsumer", named).type(), "AccessDeniedException");
  for (const std::string& arn : {kStreamArn, consumer})
    EXPECT_EQ(machine.post_as(by("barred"), "ListTagsForResource", {{"ResourceARN", arn}}).type(),
              "AccessDeniedException");
}

TEST(KinesisAccess, APolicyWithAConditionKeyThatNobodyKnowsIsRefused) {
  SignedMachine machine({});
  machine.create_stream_and_consumer();
  Json policy = Json::parse(one_statement("Allow", "kinesis:GetRecords", kStreamArn, "reader"));
  policy["Statement"][0]["Condition"] = {{"StringEqualsIfExists", {{"kinesis:Colour", "red"}}}};
  const Answer answer =
      machine.post_as({}, "PutResourcePolicy", {{"ResourceARN", kStreamArn}, {"Policy", policy.dump()}});
  EXPECT_EQ(answer.type(), "InvalidArgumentException");
  EXPECT_EQ(answer.message(), "Policy has condition keys that this server does not know: kinesis:Colour");
}

const Json kFromLatest = {{"ShardId", "shardId-000000000000"}, {"StartingPosition", {{"Type", "LATEST"}}}};

class SubscribedMachine : public SignedMachine {
 public:
  SubscribedMachine() : SignedMachine(kUsers) {
    Json request = kFromLatest;
    request["ConsumerARN"] = consumer = create_stream_and_consumer();
    client = post_as(by("reader"), "SubscribeToShard", request).stream;
    world.run_for(20'000'000'000);  // it is asked about again meanwhile
    EXPECT_FALSE(client->ended);
  }

  // The error with which it ended, within some seconds.
  std::string end() {
    world.run_for(5'000'000'000);
    EXPECT_TRUE(client->ended);
    const auto last = client->messages().back();
    EXPECT_EQ(last.kind, "error");
    return last.type + ": " + last.content.value("message", "");
  }

  static inline const std::map<std::string, std::string> kUsers = {
      {"reader", one_statement("Allow", "kinesis:SubscribeToShard", "*")}};
  std::string consumer;
  std::shared_ptr<StreamClient> client;
};

TEST(KinesisAccess, ASubscriptionEndsWhenItsUserIsRemoved) {
  SubscribedMachine machine;
  machine.change_users({});
  EXPECT_EQ(machine.end(),
            "AccessDeniedException: The credentials of this subscription are valid no longer.");
}

TEST(KinesisAccess, ASubscriptionEndsWhenItsUserMayNoLonger) {
  SubscribedMachine machine;
  machine.change_users({{"reader", one_statement("Allow", "kinesis:GetRecords", "*")}});
  EXPECT_EQ(machine.end(),
            "AccessDeniedException: User: " + user_arn("reader") +
                " is not authorized to perform: kinesis:SubscribeToShard on resource: " + machine.consumer +
                " because no identity-based policy allows the " + "kinesis:SubscribeToShard action");
}

TEST(KinesisAccess, ASubscriptionEndsWhenTheConsumersPolicyDenies) {
  SubscribedMachine machine;
  machine.put_policy(machine.consumer, one_statement("Deny", "kinesis:*", machine.consumer, "reader"));
  EXPECT_TRUE(machine.end().ends_with("with an explicit deny in a resource-based policy"));
}

TEST(KinesisAccess, ASubscriptionGoesOnWhenItsPoliciesChangeAndStillAllow) {
  SubscribedMachine machine;
  machine.change_users({{"reader", one_statement("Allow", "kinesis:*", "*")}});
  machine.world.run_for(20'000'000'000);
  EXPECT_FALSE(machine.client->ended);
}

}  // namespace
}  // namespace millrace::kinesis
