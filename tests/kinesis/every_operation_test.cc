// Every operation once, in JSON and in CBOR, with the bytes and the times of each. docs/kinesis-api.md shows
// them as covered because this test walks them all.

#include <cmath>
#include <set>

#include "kinesis/cbor_answer.h"
#include "kinesis/not_walked.h"
#include "kinesis/operation.h"
#include "kinesis/record_requests.h"

namespace millrace::kinesis {
namespace {

// A client that speaks one encoding.
class Client {
 public:
  Client(KinesisMachine& machine, Encoding encoding) : machine_(machine), encoding_(encoding) {}

  // An operation that must go well. Empty answers are empty objects.
  Json call(const std::string& operation, const Json& request) {
    called_.insert(operation);
    std::string body = request.dump();
    if (encoding_ == Encoding::kCbor) {
      body.clear();
      Json::to_cbor(request, body);
    }
    const std::string type(content_type(encoding_));
    const Answer answer = machine_.exchange(
        "POST", {{"Content-Type", type}, {"X-Amz-Target", "Kinesis_20131202." + operation}}, body);
    EXPECT_EQ(answer.header("Content-Type"), type);
    Json parsed = Json::object();
    if (!answer.body.empty())
      parsed = encoding_ == Encoding::kCbor ? cbor_decoded(answer.body) : Json::parse(answer.body);
    EXPECT_EQ(answer.status, 200) << operation << ": " << parsed.dump();
    return parsed;
  }
  // As call(), on a stream that is or becomes ACTIVE first.
  Json on_active(const std::string& operation, const Json& request) {
    machine_.wait_active("s");
    return call(operation, request);
  }

  Json blob(std::string_view bytes) const {
    if (encoding_ == Encoding::kJson) return b64(bytes);
    return Json::binary(std::vector<std::uint8_t>(bytes.begin(), bytes.end()));
  }
  // Seconds with a fraction in JSON, whole milliseconds in CBOR.
  Json time(std::int64_t ms) const {
    return encoding_ == Encoding::kJson ? Json(static_cast<double>(ms) / 1'000) : Json(ms);
  }
  std::int64_t ms(const Json& shown) const {
    if (encoding_ == Encoding::kCbor) {
      EXPECT_TRUE(shown.is_number_integer()) << shown.dump();
      return shown.get<std::int64_t>();
    }
    return std::llround(shown.get<double>() * 1'000);
  }
  std::int64_t now_ms() const { return machine_.world.clock().wall_ms(); }
  void expect_now(const Json& shown) const {
    EXPECT_NEAR(static_cast<double>(ms(shown)), static_cast<double>(now_ms()), 60'000) << shown.dump();
  }
  const std::set<std::string>& called() const { return called_; }

 private:
  KinesisMachine& machine_;
  Encoding encoding_;
  std::set<std::string> called_;
};

void walk_streams(Client& client) {
  client.call("CreateStream", {{"StreamName", "s"}, {"ShardCount", 2}, {"Tags", {{"a", "b"}}}});
  const Json description = client.on_active("DescribeStream", {{"StreamName", "s"}})["StreamDescription"];
  client.expect_now(description["StreamCreationTimestamp"]);
  EXPECT_EQ(description["Shards"].size(), 2u);
  const Json summary =
      client.call("DescribeStreamSummary", {{"StreamARN", kArnOfS}})["StreamDescriptionSummary"];
  EXPECT_EQ(summary["StreamCreationTimestamp"], description["StreamCreationTimestamp"]);
  const Json listed = client.call("ListStreams", {{"Limit", 1}})["StreamSummaries"];
  EXPECT_EQ(listed[0]["StreamCreationTimestamp"], description["StreamCreationTimestamp"]);
  const Json shards = client.call(
      "ListShards",
      {{"StreamName", "s"},
       {"StreamCreationTimestamp", description["StreamCreationTimestamp"]},
       {"ShardFilter", {{"Type", "FROM_TIMESTAMP"}, {"Timestamp", client.time(client.now_ms())}}}});
  EXPECT_EQ(shards["Shards"].size(), 2u);
  EXPECT_EQ(client.call("DescribeLimits", Json::object())["OpenShardCount"], 2);
}

void walk_records(Client& client) {
  const std::string bytes("x\0y\xff", 4);
  const Json put = client.call(
      "PutRecord",
      {{"StreamName", "s"}, {"PartitionKey", "k"}, {"Data", client.blob(bytes)}, {"ExplicitHashKey", "0"}});
  const Json puts = client.call(
      "PutRecords", {{"StreamName", "s"}, {"Records", {{{"PartitionKey", "k"}, {"Data", client.blob("")}}}}});
  EXPECT_EQ(puts["FailedRecordCount"], 0);
  const Json at = client.call("GetShardIterator", {{"StreamName", "s"},
                                                   {"ShardId", put["ShardId"]},
                                                   {"ShardIteratorType", "AT_TIMESTAMP"},
                                                   {"Timestamp", client.time(client.now_ms() - 60'000)}});
  const Json page = client.call("GetRecords", at);
  ASSERT_GE(page["Records"].size(), 1u);
  const Json& read = page["Records"][0];
  EXPECT_EQ(read["Data"], client.blob(bytes));
  EXPECT_EQ(read["SequenceNumber"], put["SequenceNumber"]);
  client.expect_now(read["ApproximateArrivalTimestamp"]);
}

void walk_reshards(Client& client) {
  client.on_active("SplitShard",
                   {{"StreamName", "s"}, {"ShardToSplit", "0"}, {"NewStartingHashKey", "1000"}});
  client.on_active("MergeShards",
                   {{"StreamName", "s"}, {"ShardToMerge", "2"}, {"AdjacentShardToMerge", "3"}});
  const Json answer = client.on_active(
      "UpdateShardCount", {{"StreamName", "s"}, {"TargetShardCount", 4}, {"ScalingType", "UNIFORM_SCALING"}});
  EXPECT_EQ(answer["TargetShardCount"], 4);
}

void walk_tags(Client& client) {
  client.on_active("AddTagsToStream", {{"StreamName", "s"}, {"Tags", {{"c", "d"}}}});
  client.call("TagResource", {{"ResourceARN", kArnOfS}, {"Tags", {{"e", "f"}}}});
  EXPECT_EQ(client.call("ListTagsForStream", {{"StreamName", "s"}})["Tags"].size(), 3u);
  client.call("RemoveTagsFromStream", {{"StreamName", "s"}, {"TagKeys", {"a"}}});
  client.call("UntagResource", {{"ResourceARN", kArnOfS}, {"TagKeys", {"e"}}});
  EXPECT_EQ(client.call("ListTagsForResource", {{"ResourceARN", kArnOfS}})["Tags"],
            Json::parse(R"([{"Key":"c","Value":"d"}])"));
}

void walk_policies(Client& client) {
  const std::string policy =
      R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"kinesis:*","Resource":"*"}})";
  client.call("PutResourcePolicy", {{"ResourceARN", kArnOfS}, {"Policy", policy}});
  EXPECT_EQ(client.call("GetResourcePolicy", {{"ResourceARN", kArnOfS}})["Policy"], policy);
  client.call("DeleteResourcePolicy", {{"ResourceARN", kArnOfS}});
}

void walk_settings(Client& client) {
  client.call("IncreaseStreamRetentionPeriod", {{"StreamName", "s"}, {"RetentionPeriodHours", 48}});
  client.call("DecreaseStreamRetentionPeriod", {{"StreamName", "s"}, {"RetentionPeriodHours", 24}});
  client.call("UpdateMaxRecordSize", {{"StreamARN", kArnOfS}, {"MaxRecordSizeInKiB", 2'048}});
  client.call("EnableEnhancedMonitoring", {{"StreamName", "s"}, {"ShardLevelMetrics", {"ALL"}}});
  const Json metrics = client.call("DisableEnhancedMonitoring",
                                   {{"StreamName", "s"}, {"ShardLevelMetrics", {"IncomingBytes"}}});
  EXPECT_EQ(metrics["DesiredShardLevelMetrics"].size(), 6u);
  client.call("UpdateStreamMode",
              {{"StreamARN", kArnOfS}, {"StreamModeDetails", {{"StreamMode", "ON_DEMAND"}}}});
  client.on_active("UpdateStreamRecordDistributionStrategy",
                   {{"StreamARN", kArnOfS}, {"RecordDistributionStrategy", "AUTO"}});
  client.call("PutRecords", {{"StreamName", "s"}, {"Records", {{{"Data", client.blob("no key")}}}}});
  const Json warm =
      client.call("UpdateStreamWarmThroughput", {{"StreamName", "s"}, {"WarmThroughputMiBps", 5}});
  EXPECT_EQ(warm["WarmThroughput"]["TargetMiBps"], 5);
  const Json enabled =
      client.call("UpdateAccountSettings", {{"MinimumThroughputBillingCommitment", {{"Status", "ENABLED"}}}});
  client.expect_now(enabled["MinimumThroughputBillingCommitment"]["StartedAt"]);
  EXPECT_EQ(client.call("DescribeAccountSettings", Json::object()), enabled);
}

void walk_consumers(Client& client) {
  const Json made =
      client.call("RegisterStreamConsumer", {{"StreamARN", kArnOfS}, {"ConsumerName", "c"}})["Consumer"];
  client.expect_now(made["ConsumerCreationTimestamp"]);
  const Json by_arn = {{"ConsumerARN", made["ConsumerARN"]}};
  const Json described = client.call("DescribeStreamConsumer", by_arn)["ConsumerDescription"];
  EXPECT_EQ(described["ConsumerCreationTimestamp"], made["ConsumerCreationTimestamp"]);
  EXPECT_EQ(client.call("ListStreamConsumers", {{"StreamARN", kArnOfS}})["Consumers"].size(), 1u);
  client.call("DeregisterStreamConsumer", by_arn);
}

void walk(Encoding encoding) {
  KinesisMachine machine;
  Client client(machine, encoding);
  walk_streams(client);
  walk_records(client);
  walk_reshards(client);
  walk_tags(client);
  walk_policies(client);
  walk_settings(client);
  machine.wait_active("s");
  walk_consumers(client);
  client.on_active("DeleteStream", {{"StreamName", "s"}, {"EnforceConsumerDeletion", true}});
  for (const Operation* operation : all_operations()) {
    const std::string name(operation->name);
    EXPECT_NE(client.called().contains(name), kNotWalked.contains(name))
        << name << ": walked, or named with a reason in not_walked.h, and not both";
  }
}

TEST(KinesisEveryOperation, WorksInJson) { walk(Encoding::kJson); }
TEST(KinesisEveryOperation, WorksInCbor) { walk(Encoding::kCbor); }

}  // namespace
}  // namespace millrace::kinesis
