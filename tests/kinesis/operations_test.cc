// What the operations do to streams and shards, and what they say where they cannot.

#include "kinesis/kinesis_machine.h"

namespace millrace::kinesis {
namespace {

const std::string kArnOfStreams = "arn:aws:kinesis:us-east-1:000000000000:stream/";

Json describe(KinesisMachine& machine, const std::string& stream) {
  return machine.call("DescribeStream", {{"StreamName", stream}})["StreamDescription"];
}

std::vector<std::string> ids(const Json& shards) {
  std::vector<std::string> found;
  for (const Json& shard : shards) found.push_back(shard["ShardId"].get<std::string>().substr(18));
  return found;
}
using Ids = std::vector<std::string>;

TEST(KinesisStreams, AStreamIsCreatedDescribedAndDeleted) {
  KinesisMachine machine;
  EXPECT_EQ(machine.post("CreateStream", {{"StreamName", "s"}, {"ShardCount", 3}}).body, "");
  Json description = describe(machine, "s");
  EXPECT_EQ(description["StreamStatus"], "CREATING");
  EXPECT_EQ(description["Shards"], Json::array());
  const std::string not_active = "Stream s under account 000000000000 not ACTIVE, instead in state CREATING";
  machine.refuses("SplitShard", {{"StreamName", "s"}, {"ShardToSplit", "0"}, {"NewStartingHashKey", "9"}},
                  "ResourceInUseException", not_active);
  machine.refuses("PutRecord", {{"StreamName", "s"}, {"PartitionKey", "a"}, {"Data", ""}},
                  "ResourceNotFoundException", "Stream s under account 000000000000 not found.");
  machine.refuses("GetShardIterator",
                  {{"StreamName", "s"}, {"ShardId", "0"}, {"ShardIteratorType", "LATEST"}},
                  "ResourceNotFoundException", "Shard shardId-000000000000" + kHere + " does not exist");
  machine.refuses("CreateStream", {{"StreamName", "s"}, {"ShardCount", 3}}, "ResourceInUseException",
                  "Stream s under account 000000000000 already exists.");

  machine.wait_active("s");
  description = describe(machine, "s");
  EXPECT_EQ(description["StreamARN"], kArnOfStreams + "s");
  EXPECT_EQ(description["StreamModeDetails"], (Json{{"StreamMode", "PROVISIONED"}}));
  EXPECT_EQ(description["EnhancedMonitoring"], Json::parse(R"([{"ShardLevelMetrics":[]}])"));
  EXPECT_EQ(description["EncryptionType"], "NONE");
  EXPECT_EQ(description["RetentionPeriodHours"], 24);
  EXPECT_EQ(description["HasMoreShards"], false);
  ASSERT_EQ(ids(description["Shards"]), (Ids{"00", "01", "02"}));
  EXPECT_EQ(description["Shards"][1]["HashKeyRange"],
            (Json{{"StartingHashKey", "113427455640312821154458202477256070485"},
                  {"EndingHashKey", "226854911280625642308916404954512140969"}}));
  EXPECT_EQ(description["Shards"][1]["SequenceNumberRange"].size(), 1u);

  const Json summary =
      machine.call("DescribeStreamSummary", {{"StreamARN", kArnOfStreams + "s"}})["StreamDescriptionSummary"];
  EXPECT_EQ(summary["OpenShardCount"], 3);
  EXPECT_EQ(summary["ConsumerCount"], 0);

  machine.call("DeleteStream", {{"StreamName", "s"}, {"EnforceConsumerDeletion", true}});
  EXPECT_EQ(describe(machine, "s")["StreamStatus"], "DELETING");
  machine.world.run_for(1'000'000'000);
  machine.refuses("DeleteStream", {{"StreamName", "s"}}, "ResourceNotFoundException",
                  "Stream s under account 000000000000 not found.");
}

TEST(KinesisStreams, OnDemandStreamsBeginWithFourShardsAndAreNotResharded) {
  KinesisMachine machine;
  machine.call("CreateStream", {{"StreamName", "s"}, {"StreamModeDetails", {{"StreamMode", "ON_DEMAND"}}}});
  machine.wait_active("s");
  EXPECT_EQ(describe(machine, "s")["Shards"].size(), 4u);
  EXPECT_EQ(describe(machine, "s")["StreamModeDetails"]["StreamMode"], "ON_DEMAND");
  machine.refuses(
      "UpdateShardCount", {{"StreamName", "s"}, {"TargetShardCount", 8}, {"ScalingType", "UNIFORM_SCALING"}},
      "ValidationException", "Request is invalid. Stream s under account 000000000000 is in On-Demand mode.");
  machine.call("DeleteStream", {{"StreamName", "s"}});
  machine.world.run_for(1'000'000'000);
  machine.call("CreateStream", {{"StreamName", "s"}});  // by its name alone
  machine.wait_active("s");
  EXPECT_EQ(describe(machine, "s")["StreamModeDetails"]["StreamMode"], "ON_DEMAND");
  const Json limits = machine.call("DescribeLimits", Json::object());
  EXPECT_EQ(limits, (Json{{"ShardLimit", 20'000},
                          {"OpenShardCount", 4},
                          {"OnDemandStreamCount", 1},
                          {"OnDemandStreamCountLimit", 50},
                          {"ChannelCount", 0},
                          {"ChannelCountLimit", 0}}));
  EXPECT_EQ(
      machine
          .post("CreateStream", {{"StreamName", "t"}, {"StreamModeDetails", {{"StreamMode", "PROVISIONED"}}}})
          .message(),
      "1 validation error detected: Value null at 'shardCount' failed to satisfy constraint: Member must not "
      "be "
      "null");
}

TEST(KinesisStreams, ShardsOverTheAccountsLimitAreRefused) {
  broker::BrokerOptions options;
  options.shards_per_account_max = 5;
  KinesisMachine machine({}, options);
  machine.create("s", 4);
  const auto over = [](int more) {
    return "This request would exceed the shard limit for the account 000000000000 in us-east-1. Current "
           "shard count "
           "for the account: 4. Limit: 5. Number of additional shards that would have resulted from this "
           "request: " +
           std::to_string(more) +
           ". Refer to the AWS Service Limits page "
           "(http://docs.aws.amazon.com/general/latest/gr/aws_service_limits.html) for current limits and "
           "how to "
           "request higher limits.";
  };
  machine.refuses("CreateStream", {{"StreamName", "t"}, {"ShardCount", 2}}, "LimitExceededException",
                  over(2));
  machine.refuses("UpdateShardCount",
                  {{"StreamName", "s"}, {"TargetShardCount", 8}, {"ScalingType", "UNIFORM_SCALING"}},
                  "LimitExceededException", over(4));
  machine.call("SplitShard", {{"StreamName", "s"}, {"ShardToSplit", "0"}, {"NewStartingHashKey", "9"}});
}

TEST(KinesisStreams, NameAndArnMustAgree) {
  KinesisMachine machine;
  machine.create("s", 1);
  machine.call("DescribeStream", {{"StreamName", "s"}, {"StreamARN", kArnOfStreams + "s"}});
  EXPECT_EQ(machine.post("DescribeStream", {{"StreamName", "t"}, {"StreamARN", kArnOfStreams + "s"}}).type(),
            "InvalidArgumentException");
  machine.refuses("DescribeStream", {{"StreamARN", "arn:aws:kinesis:us-east-1:123456789012:stream/s"}},
                  "ResourceNotFoundException", "Stream s under account 123456789012 not found.");
  machine.refuses(
      "PutRecord",
      {{"StreamARN", "arn:aws:kinesis:eu-west-1:000000000000:stream/s"}, {"PartitionKey", "a"}, {"Data", ""}},
      "ResourceNotFoundException", "Stream s under account 000000000000 not found.");
  EXPECT_EQ(machine.post("DescribeStream", {{"StreamARN", kArnOfStreams + "a*b"}}).type(),
            "InvalidArgumentException");
}

TEST(KinesisStreams, ListsComeInPages) {
  KinesisMachine machine;
  for (const char* name : {"c", "a", "b"}) machine.create(name, 1);
  Json page = machine.call("ListStreams", {{"Limit", 2}});
  EXPECT_EQ(page["StreamNames"], (Json{"a", "b"}));
  EXPECT_EQ(page["HasMoreStreams"], true);
  EXPECT_EQ(page["StreamSummaries"][1]["StreamARN"], kArnOfStreams + "b");
  EXPECT_EQ(page["StreamSummaries"][1]["StreamStatus"], "ACTIVE");
  const Json token = page["NextToken"];
  page = machine.call("ListStreams", {{"NextToken", token}});
  EXPECT_EQ(page["StreamNames"], Json{"c"});
  EXPECT_EQ(page["HasMoreStreams"], false);
  EXPECT_FALSE(page.contains("NextToken"));
  EXPECT_EQ(machine.call("ListStreams", {{"ExclusiveStartStreamName", "a"}})["StreamNames"],
            (Json{"b", "c"}));
  EXPECT_EQ(machine.post("ListStreams", {{"NextToken", "nonsense"}}).type(), "InvalidArgumentException");
  machine.world.shift_wall_clock(300'001);
  EXPECT_EQ(machine.post("ListStreams", {{"NextToken", token}}).type(), "ExpiredNextTokenException");
}

TEST(KinesisShards, DescribeStreamPagesByShard) {
  KinesisMachine machine;
  machine.create("s", 101);
  Json page = describe(machine, "s");
  EXPECT_EQ(page["Shards"].size(), 100u);
  EXPECT_EQ(page["HasMoreShards"], true);
  page = machine.call("DescribeStream",
                      {{"StreamName", "s"},
                       {"Limit", 10},
                       {"ExclusiveStartShardId", page["Shards"].back()["ShardId"]}})["StreamDescription"];
  EXPECT_EQ(ids(page["Shards"]), Ids{"00"});  // 100
  EXPECT_EQ(page["HasMoreShards"], false);
}

TEST(KinesisShards, SplitMergeAndEvenCountLeaveTheirTrace) {
  KinesisMachine machine;
  machine.create("s", 2);
  EXPECT_EQ(
      machine
          .post("MergeShards", {{"StreamName", "s"}, {"ShardToMerge", "x-0"}, {"AdjacentShardToMerge", "1"}})
          .body,
      "");
  EXPECT_EQ(describe(machine, "s")["StreamStatus"], "UPDATING");
  machine.refuses("MergeShards", {{"StreamName", "s"}, {"ShardToMerge", "0"}, {"AdjacentShardToMerge", "1"}},
                  "ResourceInUseException",
                  "Stream s under account 000000000000 not ACTIVE, instead in state UPDATING");
  machine.wait_active("s");
  Json shards = describe(machine, "s")["Shards"];
  ASSERT_EQ(ids(shards), (Ids{"00", "01", "02"}));
  EXPECT_EQ(shards[2]["ParentShardId"], "shardId-000000000000");
  EXPECT_EQ(shards[2]["AdjacentParentShardId"], "shardId-000000000001");
  EXPECT_EQ(shards[2]["HashKeyRange"]["EndingHashKey"], "340282366920938463463374607431768211455");
  EXPECT_TRUE(shards[0]["SequenceNumberRange"].contains("EndingSequenceNumber"));

  machine.call("SplitShard",
               {{"StreamName", "s"}, {"ShardToSplit", "shardId-2"}, {"NewStartingHashKey", "9"}});
  machine.wait_active("s");
  shards = describe(machine, "s")["Shards"];
  ASSERT_EQ(ids(shards), (Ids{"00", "01", "02", "03", "04"}));
  EXPECT_EQ(shards[3]["ParentShardId"], "shardId-000000000002");
  EXPECT_FALSE(shards[3].contains("AdjacentParentShardId"));
  EXPECT_EQ(shards[3]["HashKeyRange"], (Json{{"StartingHashKey", "0"}, {"EndingHashKey", "8"}}));

  const Json counts = machine.call(
      "UpdateShardCount", {{"StreamName", "s"}, {"TargetShardCount", 4}, {"ScalingType", "UNIFORM_SCALING"}});
  EXPECT_EQ(counts, (Json{{"StreamName", "s"},
                          {"StreamARN", kArnOfStreams + "s"},
                          {"CurrentShardCount", 2},
                          {"TargetShardCount", 4}}));
  machine.wait_active("s");
  EXPECT_EQ(machine.call("DescribeStreamSummary",
                         {{"StreamName", "s"}})["StreamDescriptionSummary"]["OpenShardCount"],
            4);
}

TEST(KinesisShards, ReshardsThatMakeNoSenseAreRefused) {
  KinesisMachine machine;
  machine.create("s", 3);
  const auto split = [](const char* shard, const char* key) {
    return Json{{"StreamName", "s"}, {"ShardToSplit", shard}, {"NewStartingHashKey", key}};
  };
  const std::string message =
      " used in SplitShard() on shard shardId-000000000000" + kHere +
      " is not both greater than one plus the shard's StartingHashKey 0 and less than the "
      "shard's EndingHashKey 113427455640312821154458202477256070484.";
  for (const char* key :
       {"0", "1", "113427455640312821154458202477256070484", "340282366920938463463374607431768211456",
        "999999999999999999999999999999999999999"})
    machine.refuses("SplitShard", split("0", key), "InvalidArgumentException",
                    std::string("NewStartingHashKey ") + key + message);
  machine.refuses("SplitShard", split("9", "9"), "ResourceNotFoundException",
                  "Could not find shard shardId-000000000009" + kHere + ".");
  machine.refuses("SplitShard", split("x", "9"), "ResourceNotFoundException",
                  "Could not find shard x" + kHere + ".");
  machine.refuses("SplitShard", split("2147483648", "9"), "ResourceNotFoundException",
                  "Could not find shard 2147483648" + kHere + ".");

  const auto merge = [](const char* shard, const char* adjacent) {
    return Json{{"StreamName", "s"}, {"ShardToMerge", shard}, {"AdjacentShardToMerge", adjacent}};
  };
  machine.refuses("MergeShards", merge("0", "2"), "InvalidArgumentException",
                  "Shards shardId-000000000000 and shardId-000000000002" + kHere +
                      " are not an adjacent pair of shards eligible for merging");
  machine.refuses("MergeShards", merge("1", "0"), "InvalidArgumentException",
                  "Shards shardId-000000000001 and shardId-000000000000" + kHere +
                      " are not an adjacent pair of shards eligible for merging");
  machine.call("MergeShards", merge("0", "1"));
  machine.wait_active("s");
  const std::string closed =
      "Shard shardId-000000000001" + kHere +
      " has already been merged or split, and thus is not eligible for merging or splitting.";
  machine.refuses("MergeShards", merge("1", "2"), "InvalidArgumentException", closed);
  machine.refuses("SplitShard", split("1", "113427455640312821154458202477256070499"),
                  "InvalidArgumentException", closed);

  for (const int target : {5, 10'001}) {
    const Answer answer =
        machine.post("UpdateShardCount",
                     {{"StreamName", "s"}, {"TargetShardCount", target}, {"ScalingType", "UNIFORM_SCALING"}});
    EXPECT_EQ(answer.type(), "InvalidArgumentException") << target;
  }
  machine.create("t", 4);
  EXPECT_EQ(machine
                .post("UpdateShardCount",
                      {{"StreamName", "t"}, {"TargetShardCount", 1}, {"ScalingType", "UNIFORM_SCALING"}})
                .type(),
            "InvalidArgumentException");
}

TEST(KinesisShards, ListShardsPagesAndRefusesStrangeTokens) {
  KinesisMachine machine;
  machine.create("s", 5);
  const Json all = machine.call("ListShards", {{"StreamName", "s"}});
  EXPECT_EQ(all["Shards"], describe(machine, "s")["Shards"]);
  EXPECT_FALSE(all.contains("NextToken"));
  Json page = machine.call("ListShards", {{"StreamARN", kArnOfStreams + "s"}, {"MaxResults", 2}});
  EXPECT_EQ(ids(page["Shards"]), (Ids{"00", "01"}));
  const Json token = page["NextToken"];
  page = machine.call("ListShards", {{"NextToken", token}, {"MaxResults", 2}});
  EXPECT_EQ(ids(page["Shards"]), (Ids{"02", "03"}));
  page = machine.call("ListShards", {{"NextToken", page["NextToken"]}});
  EXPECT_EQ(ids(page["Shards"]), Ids{"04"});
  EXPECT_FALSE(page.contains("NextToken"));
  EXPECT_EQ(ids(machine.call("ListShards",
                             {{"StreamName", "s"}, {"ExclusiveStartShardId", "shardId-3"}})["Shards"]),
            Ids{"04"});

  machine.refuses("ListShards", Json::object(), "InvalidArgumentException",
                  "Either NextToken or StreamName should be provided.");
  machine.refuses("ListShards", {{"StreamName", "s"}, {"NextToken", token}}, "InvalidArgumentException",
                  "NextToken and StreamName cannot be provided together.");
  EXPECT_EQ(machine.post("ListShards", {{"NextToken", "nonsense"}}).type(), "InvalidArgumentException");
  EXPECT_EQ(machine.post("ListShards", {{"NextToken", machine.iterator("s", 0)}}).type(),
            "InvalidArgumentException");
  machine.world.shift_wall_clock(300'001);
  EXPECT_EQ(machine.post("ListShards", {{"NextToken", token}}).type(), "ExpiredNextTokenException");
}

TEST(KinesisShards, ListShardsFilters) {
  KinesisMachine machine;
  machine.create("s", 1);
  const auto now_s = [&] { return static_cast<double>(machine.world.clock().wall_ms()) / 1'000; };
  machine.world.run_for(10'000'000'000);
  const double before_split = now_s();
  machine.world.run_for(10'000'000'000);
  machine.call("SplitShard", {{"StreamName", "s"}, {"ShardToSplit", "0"}, {"NewStartingHashKey", "99"}});
  machine.wait_active("s");
  machine.world.run_for(10'000'000'000);
  const auto filtered = [&](const Json& filter) {
    return ids(machine.call("ListShards", {{"StreamName", "s"}, {"ShardFilter", filter}})["Shards"]);
  };
  const auto at = [&](const char* type, double time_s) {
    return filtered({{"Type", type}, {"Timestamp", time_s}});
  };
  EXPECT_EQ(filtered({{"Type", "AT_LATEST"}}), (Ids{"01", "02"}));
  EXPECT_EQ(filtered({{"Type", "AT_TRIM_HORIZON"}}), Ids{"00"});
  EXPECT_EQ(filtered({{"Type", "FROM_TRIM_HORIZON"}}), (Ids{"00", "01", "02"}));
  EXPECT_EQ(at("AT_TIMESTAMP", 1), Ids{"00"});  // before the stream: its beginning
  EXPECT_EQ(at("AT_TIMESTAMP", before_split), Ids{"00"});
  EXPECT_EQ(at("AT_TIMESTAMP", now_s()), (Ids{"01", "02"}));
  EXPECT_EQ(at("FROM_TIMESTAMP", before_split), (Ids{"00", "01", "02"}));
  EXPECT_EQ(at("FROM_TIMESTAMP", now_s()), (Ids{"01", "02"}));
  EXPECT_EQ(filtered({{"Type", "AFTER_SHARD_ID"}, {"ShardId", "shardId-000000000000"}}), (Ids{"01", "02"}));
  for (const char* type : {"AT_TIMESTAMP", "FROM_TIMESTAMP"}) {
    EXPECT_EQ(at(type, -1e300).size(), type == std::string_view("AT_TIMESTAMP") ? 1u : 3u);
    for (const double future_s : {now_s() + 5, 1.8e18, 1e300}) {
      const Answer answer = machine.post(
          "ListShards", {{"StreamName", "s"}, {"ShardFilter", {{"Type", type}, {"Timestamp", future_s}}}});
      EXPECT_EQ(answer.type(), "InvalidArgumentException") << answer.body;
      EXPECT_NE(answer.message().find("cannot be greater than the currentTimestampInMillis"),
                std::string::npos)
          << answer.body;
    }
  }
  for (const Json& filter : {Json{{"Type", "AFTER_SHARD_ID"}}, Json{{"Type", "AT_TIMESTAMP"}},
                             Json{{"Type", "AFTER_SHARD_ID"}, {"ShardId", "x"}}})
    EXPECT_EQ(machine.post("ListShards", {{"StreamName", "s"}, {"ShardFilter", filter}}).type(),
              "InvalidArgumentException")
        << filter.dump();
}

TEST(KinesisShards, StreamCreationTimestampTellsStreamsOfOneNameApart) {
  KinesisMachine machine;
  machine.create("s", 1);
  const Json created = describe(machine, "s")["StreamCreationTimestamp"];
  machine.call("ListShards", {{"StreamName", "s"}, {"StreamCreationTimestamp", created}});
  machine.refuses("ListShards",
                  {{"StreamName", "s"}, {"StreamCreationTimestamp", created.get<double>() - 10}},
                  "ResourceNotFoundException", "Stream s under account 000000000000 not found.");
  for (const double wrong : {1e300, -1e300})
    machine.refuses("ListShards", {{"StreamName", "s"}, {"StreamCreationTimestamp", wrong}},
                    "ResourceNotFoundException", "Stream s under account 000000000000 not found.");
}

TEST(KinesisRetention, AClosedShardThatHasExpiredDoesNotComeBackWithALongerOne) {
  KinesisMachine machine;
  machine.create("s", 1);
  machine.call("SplitShard", {{"StreamName", "s"}, {"ShardToSplit", "0"}, {"NewStartingHashKey", "99"}});
  machine.wait_active("s");
  machine.world.spend(25 * 3'600'000 * kNsPerMs);  // before the next housekeeping
  machine.call("IncreaseStreamRetentionPeriod", {{"StreamName", "s"}, {"RetentionPeriodHours", 100}});
  EXPECT_EQ(ids(describe(machine, "s")["Shards"]), (Ids{"01", "02"}));
  EXPECT_EQ(machine
                .post("GetShardIterator",
                      {{"StreamName", "s"}, {"ShardId", "0"}, {"ShardIteratorType", "TRIM_HORIZON"}})
                .type(),
            "ResourceNotFoundException");
}

TEST(KinesisRetention, AFractionBelowZeroIsNotTakenForMinusOne) {
  KinesisMachine machine;
  machine.create("s", 1);
  const auto set = [&](const char* direction, const char* hours) {
    return machine.post_text(std::string(direction) + "StreamRetentionPeriod",
                             std::string(R"({"StreamName":"s","RetentionPeriodHours":)") + hours + "}");
  };
  EXPECT_EQ(set("Increase", "-0.5").type(), "InvalidArgumentException");
  EXPECT_EQ(
      set("Increase", "-1.5").message(),
      "1 validation error detected: Value '-1.5' at 'retentionPeriodHours' failed to satisfy constraint: "
      "Member must have value greater than or equal to -1");
  EXPECT_EQ(
      set("Decrease", "-0.5").message(),
      "1 validation error detected: Value '-0.5' at 'retentionPeriodHours' failed to satisfy constraint: "
      "Member must have value greater than or equal to 1");
  EXPECT_EQ(describe(machine, "s")["RetentionPeriodHours"], 24);
  EXPECT_EQ(set("Increase", "48.9").status, 200);
  EXPECT_EQ(describe(machine, "s")["RetentionPeriodHours"], 48);
}

TEST(KinesisRetention, RisesAndFallsByTheOperationForIt) {
  KinesisMachine machine;
  machine.create("s", 1);
  const auto set = [&](const char* direction, int hours) {
    return machine.post(std::string(direction) + "StreamRetentionPeriod",
                        {{"StreamName", "s"}, {"RetentionPeriodHours", hours}});
  };
  const auto hours = [&] { return describe(machine, "s")["RetentionPeriodHours"]; };
  EXPECT_EQ(
      set("Increase", 23).message(),
      "Minimum allowed retention period is 24 hours. Requested retention period (23 hours) is too short.");
  EXPECT_EQ(set("Decrease", 25).message(),
            "Requested retention period (25 hours) for stream s can not be longer than existing retention "
            "period (24 "
            "hours). Use IncreaseRetentionPeriod API.");
  for (const char* direction : {"Increase", "Decrease"})
    EXPECT_EQ(
        set(direction, 8'761).json(),
        (Json{{"__type", "InvalidArgumentException"},
              {"message",
               "Maximum allowed retention period is 8760 hours. Requested retention period (8761 hours) is "
               "too long."}}));
  EXPECT_EQ(set("Increase", 8'760).status, 200);
  EXPECT_EQ(hours(), 8'760);
  EXPECT_EQ(
      set("Increase", 100).message(),
      "Requested retention period (100 hours) for stream s can not be shorter than existing retention period "
      "(8760 hours). Use DecreaseRetentionPeriod API.");
  EXPECT_EQ(set("Increase", -1).status, 200);  // our own: for ever
  EXPECT_EQ(hours(), -1);
  EXPECT_EQ(set("Increase", 8'760).type(), "InvalidArgumentException");
  EXPECT_EQ(set("Decrease", -1).type(), "ValidationException");
  EXPECT_EQ(set("Decrease", 48).status, 200);
  EXPECT_EQ(hours(), 48);
  EXPECT_EQ(set("Increase", 0).type(), "InvalidArgumentException");
}

}  // namespace
}  // namespace millrace::kinesis
