// A stream's settings and the account's: mode, warm throughput, distribution, record size, metrics.

#include <set>

#include "kinesis/operation.h"
#include "kinesis/record_requests.h"

namespace millrace::kinesis {
namespace {

Json summary(KinesisMachine& machine) {
  return machine.call("DescribeStreamSummary", {{"StreamName", "s"}})["StreamDescriptionSummary"];
}

void create_on_demand(KinesisMachine& machine, Json more = Json::object()) {
  more["StreamName"] = "s";
  more["StreamModeDetails"] = {{"StreamMode", "ON_DEMAND"}};
  machine.call("CreateStream", more);
  machine.wait_active("s");
}

Json mode(const char* name) {
  return {{"StreamARN", kArnOfS}, {"StreamModeDetails", {{"StreamMode", name}}}};
}

TEST(KinesisStreamMode, PassesUpdatingAndKeepsTheShards) {
  KinesisMachine machine;
  machine.create("s", 3);
  EXPECT_FALSE(summary(machine).contains("RecordDistributionStrategy"));
  EXPECT_EQ(machine.post("UpdateStreamMode", mode("ON_DEMAND")).body, "");
  EXPECT_EQ(summary(machine)["StreamStatus"], "UPDATING");
  machine.refuses("UpdateStreamMode", mode("PROVISIONED"), "ResourceInUseException",
                  "Stream s under account 000000000000 not ACTIVE, instead in state UPDATING");
  // Puts go on meanwhile.
  Json put = record("k", "data");
  put["StreamName"] = "s";
  machine.call("PutRecord", put);
  machine.wait_active("s");
  Json after = summary(machine);
  EXPECT_EQ(after["StreamModeDetails"]["StreamMode"], "ON_DEMAND");
  EXPECT_EQ(after["OpenShardCount"], 3);
  EXPECT_EQ(after["RecordDistributionStrategy"], "USER_PARTITION_KEY");
  machine.refuses("SplitShard", {{"StreamName", "s"}, {"ShardToSplit", "0"}, {"NewStartingHashKey", "9"}},
                  "ValidationException",
                  "Request is invalid. Stream s under account 000000000000 is in On-Demand mode.");
  machine.call("UpdateStreamMode", mode("ON_DEMAND"));  // as it is: nothing happens
  EXPECT_EQ(summary(machine)["StreamStatus"], "ACTIVE");

  machine.call("UpdateStreamMode", mode("PROVISIONED"));
  machine.wait_active("s");
  machine.call("UpdateShardCount",
               {{"StreamName", "s"}, {"TargetShardCount", 2}, {"ScalingType", "UNIFORM_SCALING"}});
}

TEST(KinesisStreamMode, AStreamOnDemandHasNoWriteLimitOfItsShards) {
  broker::BrokerOptions options;
  options.aws_limits = true;
  KinesisMachine machine({}, options);
  machine.create("s", 1);
  Json request{{"StreamName", "s"}, {"Records", Json::array()}};
  for (int i = 0; i < 500; ++i) request["Records"].push_back(record("k", "x"));
  const auto failed = [&] {
    int count = 0;
    for (int i = 0; i < 4; ++i) count += machine.call("PutRecords", request)["FailedRecordCount"].get<int>();
    return count;
  };
  EXPECT_GE(failed(), 900);
  machine.call("UpdateStreamMode", mode("ON_DEMAND"));
  machine.wait_active("s");
  EXPECT_EQ(failed(), 0);
}

TEST(KinesisWarmThroughput, ShardsFollowItBothWays) {
  KinesisMachine machine;
  create_on_demand(machine, {{"WarmThroughputMiBps", 6}});
  EXPECT_EQ(summary(machine)["OpenShardCount"], 6);
  EXPECT_EQ(summary(machine)["WarmThroughput"], (Json{{"TargetMiBps", 6}, {"CurrentMiBps", 6}}));

  const Json answer =
      machine.call("UpdateStreamWarmThroughput", {{"StreamName", "s"}, {"WarmThroughputMiBps", 9}});
  EXPECT_EQ(answer, (Json{{"StreamName", "s"},
                          {"StreamARN", kArnOfS},
                          {"WarmThroughput", {{"TargetMiBps", 9}, {"CurrentMiBps", 6}}}}));
  EXPECT_EQ(summary(machine)["StreamStatus"], "UPDATING");
  machine.wait_active("s");
  EXPECT_EQ(summary(machine)["WarmThroughput"], (Json{{"TargetMiBps", 9}, {"CurrentMiBps", 9}}));

  machine.call("UpdateStreamWarmThroughput", {{"StreamARN", kArnOfS}, {"WarmThroughputMiBps", 1}});
  machine.wait_active("s");
  EXPECT_EQ(summary(machine)["OpenShardCount"], 4);  // what a stream on demand begins with

  Json to_demand = mode("PROVISIONED");
  machine.call("UpdateStreamMode", to_demand);
  machine.wait_active("s");
  EXPECT_FALSE(summary(machine).contains("WarmThroughput"));
  to_demand = mode("ON_DEMAND");
  to_demand["WarmThroughputMiBps"] = 5;
  machine.call("UpdateStreamMode", to_demand);
  machine.wait_active("s");
  EXPECT_EQ(summary(machine)["WarmThroughput"]["CurrentMiBps"], 5);
}

TEST(KinesisWarmThroughput, IsRefusedWhereItCannotBe) {
  KinesisMachine machine;
  machine.create("s", 1);
  const std::string provisioned =
      "WarmThroughputMiBps is only supported for on-demand streams. Stream s is using PROVISIONED mode.";
  machine.refuses("UpdateStreamWarmThroughput", {{"StreamName", "s"}, {"WarmThroughputMiBps", 5}},
                  "InvalidArgumentException", provisioned);
  machine.refuses("CreateStream", {{"StreamName", "t"}, {"ShardCount", 1}, {"WarmThroughputMiBps", 5}},
                  "InvalidArgumentException",
                  "WarmThroughputMiBps is only supported for on-demand streams. Stream t is using "
                  "PROVISIONED mode.");
  Json request = mode("ON_DEMAND");
  request["WarmThroughputMiBps"] = 10'241;
  machine.refuses("UpdateStreamMode", request, "LimitExceededException",
                  "WarmThroughputMiBps 10241 exceeds the limit of 10240 MiB per second.");
}

TEST(KinesisWarmThroughput, OverTheAccountsShardsIsRefusedWithoutAChange) {
  broker::BrokerOptions options;
  options.shards_per_account_max = 6;
  KinesisMachine machine({}, options);
  create_on_demand(machine);
  EXPECT_EQ(
      machine.post("UpdateStreamWarmThroughput", {{"StreamName", "s"}, {"WarmThroughputMiBps", 7}}).type(),
      "LimitExceededException");
  EXPECT_EQ(summary(machine)["StreamStatus"], "ACTIVE");
  EXPECT_FALSE(summary(machine).contains("WarmThroughput"));
}

TEST(KinesisWarmThroughput, UnderAwsLimitsTheAccountMustHaveCommitted) {
  broker::BrokerOptions options;
  options.aws_limits = true;
  KinesisMachine machine({}, options);
  create_on_demand(machine);
  machine.refuses("UpdateStreamWarmThroughput", {{"StreamName", "s"}, {"WarmThroughputMiBps", 5}},
                  "InvalidArgumentException",
                  "WarmThroughputMiBps requires MinimumThroughputBillingCommitment to be enabled for account "
                  "000000000000.");
  machine.call("UpdateAccountSettings", {{"MinimumThroughputBillingCommitment", {{"Status", "ENABLED"}}}});
  EXPECT_EQ(summary(machine)["WarmThroughput"], (Json{{"TargetMiBps", 4}, {"CurrentMiBps", 4}}));
  machine.call("UpdateStreamWarmThroughput", {{"StreamName", "s"}, {"WarmThroughputMiBps", 5}});
}

TEST(KinesisDistribution, AutoSpreadsRecordsEvenlyAndNeedsNoKeys) {
  KinesisMachine machine;
  create_on_demand(machine, {{"RecordDistributionStrategy", "AUTO"}});
  EXPECT_EQ(summary(machine)["RecordDistributionStrategy"], "AUTO");
  Json request{{"StreamName", "s"}, {"Records", Json::array()}};
  for (int i = 0; i < 8; ++i) request["Records"].push_back({{"Data", b64("no key")}});
  request["Records"].push_back({{"Data", b64("key")}, {"PartitionKey", "k"}, {"ExplicitHashKey", "0"}});
  const Json put = machine.call("PutRecords", request);
  EXPECT_EQ(put["FailedRecordCount"], 0);
  std::map<std::string, int> per_shard;
  for (const Json& one : put["Records"]) ++per_shard[one["ShardId"]];
  ASSERT_EQ(per_shard.size(), 4u);
  for (const auto& [shard, count] : per_shard) EXPECT_TRUE(count == 2 || count == 3) << shard << " " << count;

  // Read back: no key where none was given, the given one else.
  int keys = 0, records = 0;
  for (int shard = 0; shard < 4; ++shard) {
    const Json page = machine.call("GetRecords", {{"ShardIterator", machine.iterator("s", shard)}});
    for (const Json& one : page["Records"]) {
      ++records;
      EXPECT_EQ(one.contains("PartitionKey"), one["Data"] == b64("key"));
      keys += one.contains("PartitionKey") ? 1 : 0;
    }
  }
  EXPECT_EQ(records, 9);
  EXPECT_EQ(keys, 1);

  // One at a time too, equal keys on different shards.
  std::set<std::string> shards;
  for (int i = 0; i < 4; ++i)
    shards.insert(
        machine.call("PutRecord", {{"StreamName", "s"}, {"Data", ""}, {"PartitionKey", "k"}})["ShardId"]);
  EXPECT_EQ(shards.size(), 4u);
  machine.call("PutRecord", {{"StreamARN", kArnOfS}, {"Data", ""}});
  EXPECT_EQ(machine.post("PutRecord", {{"StreamName", "s"}, {"Data", ""}, {"SequenceNumberForOrdering", "0"}})
                .type(),
            "InvalidArgumentException");
}

TEST(KinesisDistribution, WithoutAutoAKeyIsRequiredInTheRecordedWords) {
  KinesisMachine machine;
  create_on_demand(machine);
  machine.refuses("PutRecord", {{"StreamName", "s"}, {"Data", ""}}, "ValidationException",
                  "1 validation error detected: Value null at 'partitionKey' failed to satisfy constraint: "
                  "Member must not be null");
  const Json keyless{{"StreamName", "s"}, {"Records", {{{"Data", ""}}}}};
  machine.refuses("PutRecords", keyless, "ValidationException",
                  "1 validation error detected: Value null at 'records.1.member.partitionKey' failed to "
                  "satisfy constraint: Member must not be null");
  const auto set = [&](const char* strategy) {
    machine.call("UpdateStreamRecordDistributionStrategy",
                 {{"StreamARN", kArnOfS}, {"RecordDistributionStrategy", strategy}});
  };
  set("AUTO");
  machine.call("PutRecords", keyless);
  machine.refuses("UpdateStreamMode", mode("PROVISIONED"), "InvalidArgumentException",
                  "RecordDistributionStrategy=AUTO is only supported for on-demand streams. Set it to "
                  "USER_PARTITION_KEY on stream s before PROVISIONED mode.");
  set("USER_PARTITION_KEY");
  EXPECT_EQ(machine.post("PutRecords", keyless).type(), "ValidationException");
}

TEST(KinesisDistribution, AutoIsForStreamsOnDemand) {
  KinesisMachine machine;
  machine.create("s", 1);
  machine.refuses("UpdateStreamRecordDistributionStrategy",
                  {{"StreamARN", kArnOfS}, {"RecordDistributionStrategy", "AUTO"}},
                  "InvalidArgumentException",
                  "RecordDistributionStrategy=AUTO is only supported for on-demand streams. Stream s is "
                  "using PROVISIONED mode.");
  machine.refuses("CreateStream",
                  {{"StreamName", "t"}, {"ShardCount", 1}, {"RecordDistributionStrategy", "AUTO"}},
                  "InvalidArgumentException",
                  "RecordDistributionStrategy=AUTO is only supported for on-demand streams. Stream t is "
                  "using PROVISIONED "
                  "mode.");
}

TEST(KinesisRecordSize, EachStreamHasItsOwnLimit) {
  KinesisMachine machine;
  machine.create("s", 1);
  EXPECT_EQ(summary(machine)["MaxRecordSizeInKiB"], 10'240);
  const auto put = [&](std::size_t bytes) {
    Json request = record("k", std::string(bytes, 'x'));
    request["StreamName"] = "s";
    return machine.post("PutRecord", request);
  };
  constexpr std::size_t kMiB = 1'048'576;
  EXPECT_EQ(put(3 * kMiB).status, 200);
  machine.call("UpdateMaxRecordSize", {{"StreamARN", kArnOfS}, {"MaxRecordSizeInKiB", 1'024}});
  EXPECT_EQ(summary(machine)["MaxRecordSizeInKiB"], 1'024);
  EXPECT_EQ(put(kMiB).status, 200);
  EXPECT_EQ(put(kMiB + 1).json(),
            (Json{{"__type", "ValidationException"},
                  {"message",
                   "1 validation error detected: Value at 'data' failed to satisfy constraint: "
                   "Member must have length less than or equal to 1048576"}}));
  machine.refuses(
      "PutRecords",
      {{"StreamName", "s"}, {"Records", {record("k", "x"), record("k", std::string(kMiB + 1, 'x'))}}},
      "ValidationException",
      "1 validation error detected: Value at 'records.2.member.data' failed to satisfy constraint: Member "
      "must have length less than or equal to 1048576");
  machine.call("UpdateMaxRecordSize", {{"StreamARN", kArnOfS}, {"MaxRecordSizeInKiB", 2'048}});
  EXPECT_EQ(put(2 * kMiB).status, 200);

  machine.call("CreateStream", {{"StreamName", "t"}, {"ShardCount", 1}, {"MaxRecordSizeInKiB", 1'500}});
  const Json other = machine.call("DescribeStreamSummary", {{"StreamName", "t"}})["StreamDescriptionSummary"];
  EXPECT_EQ(other["MaxRecordSizeInKiB"], 1'500);
}

TEST(KinesisRecordSize, BoundsAreTheServicesOrTheServersOwn) {
  const auto refused = [](std::int64_t server_mib, int kib) {
    FrontDoorOptions options;
    options.max_record_bytes = server_mib << 20;
    KinesisMachine machine(options);
    machine.create("s", 1);
    const Answer answer =
        machine.post("UpdateMaxRecordSize", {{"StreamARN", kArnOfS}, {"MaxRecordSizeInKiB", kib}});
    return answer.status == 200 ? std::string("taken") : answer.message();
  };
  EXPECT_EQ(refused(10, 10'240), "taken");
  EXPECT_EQ(
      refused(10, 10'241),
      "1 validation error detected: Value '10241' at 'maxRecordSizeInKiB' failed to satisfy constraint: "
      "Member must have value less than or equal to 10240");
  EXPECT_EQ(refused(10, 1'023),
            "1 validation error detected: Value '1023' at 'maxRecordSizeInKiB' failed to satisfy constraint: "
            "Member must have value greater than or equal to 1024");
  EXPECT_EQ(refused(2, 4'096), "MaxRecordSizeInKiB 4096 is above what this server takes, 2048.");
  EXPECT_EQ(refused(64, 65'536), "taken");
}

TEST(KinesisMonitoring, MetricsAreAddedAndTakenAway) {
  KinesisMachine machine;
  machine.create("s", 1);
  const auto change = [&](const char* operation, const Json& metrics) {
    Json answer = machine.call(operation, {{"StreamName", "s"}, {"ShardLevelMetrics", metrics}});
    EXPECT_EQ(answer["StreamName"], "s");
    EXPECT_EQ(answer["StreamARN"], kArnOfS);
    return std::pair(answer["CurrentShardLevelMetrics"], answer["DesiredShardLevelMetrics"]);
  };
  using Pair = std::pair<Json, Json>;
  EXPECT_EQ(change("EnableEnhancedMonitoring", {"OutgoingBytes"}), (Pair(Json::array(), {"OutgoingBytes"})));
  EXPECT_EQ(change("EnableEnhancedMonitoring", {"IncomingBytes", "OutgoingBytes"}),
            (Pair(Json::array({"OutgoingBytes"}), {"IncomingBytes", "OutgoingBytes"})));
  EXPECT_EQ(summary(machine)["EnhancedMonitoring"],
            Json::parse(R"([{"ShardLevelMetrics":["IncomingBytes","OutgoingBytes"]}])"));
  EXPECT_EQ(change("EnableEnhancedMonitoring", {"ALL"}).second.size(), 7u);
  EXPECT_EQ(change("DisableEnhancedMonitoring", {"IteratorAgeMilliseconds"}).second.size(), 6u);
  EXPECT_EQ(change("DisableEnhancedMonitoring", {"ALL"}).second, Json::array());
}

TEST(KinesisAccount, CommitmentsLastADayAtLeast) {
  KinesisMachine machine;
  constexpr double kDay_s = 86'400;
  const auto shown = [](const Json& answer) { return answer["MinimumThroughputBillingCommitment"]; };
  const auto described = [&] { return shown(machine.call("DescribeAccountSettings", Json::object())); };
  const auto set = [&](const char* status) {
    return shown(machine.call("UpdateAccountSettings",
                              {{"MinimumThroughputBillingCommitment", {{"Status", status}}}}));
  };
  EXPECT_EQ(described(), (Json{{"Status", "DISABLED"}}));
  EXPECT_EQ(set("DISABLED"), (Json{{"Status", "DISABLED"}}));
  const Json enabled = set("ENABLED");
  EXPECT_EQ(enabled["Status"], "ENABLED");
  EXPECT_EQ(enabled["EarliestAllowedEndAt"], enabled["StartedAt"].get<double>() + kDay_s);
  EXPECT_EQ(described(), enabled);
  EXPECT_EQ(set("DISABLED")["Status"], "ENABLED_UNTIL_EARLIEST_ALLOWED_END");
  EXPECT_EQ(set("ENABLED"), enabled);  // taken back
  set("DISABLED");
  machine.world.run_for(static_cast<std::int64_t>(kDay_s) * 1'000'000'000);
  const Json ended = described();
  EXPECT_EQ(ended["Status"], "DISABLED");
  EXPECT_EQ(ended["EndedAt"], enabled["EarliestAllowedEndAt"]);
  EXPECT_EQ(ended["StartedAt"], enabled["StartedAt"]);
  EXPECT_FALSE(ended.contains("EarliestAllowedEndAt"));
  EXPECT_GT(set("ENABLED")["StartedAt"], enabled["StartedAt"]);
}

TEST(KinesisDryRun, ChecksEverythingAndDoesNothing) {
  KinesisMachine machine;
  machine.create("s", 1);
  const std::string would = "Request would have succeeded, but DryRun flag is set.";
  Json put = record("k", "x");
  put["StreamName"] = "s";
  put["DryRun"] = true;
  machine.refuses("PutRecord", put, "DryRunOperationException", would);
  Json puts{{"StreamName", "s"}, {"Records", {record("k", "x")}}, {"DryRun", true}};
  machine.refuses("PutRecords", puts, "DryRunOperationException", would);
  Json iterator{{"StreamName", "s"}, {"ShardId", "0"}, {"ShardIteratorType", "LATEST"}, {"DryRun", true}};
  machine.refuses("GetShardIterator", iterator, "DryRunOperationException", would);
  Json get{{"ShardIterator", machine.iterator("s", 0)}, {"DryRun", true}};
  machine.refuses("GetRecords", get, "DryRunOperationException", would);

  // What would fail fails as it would.
  put["StreamName"] = "t";
  EXPECT_EQ(machine.post("PutRecord", put).type(), "ResourceNotFoundException");
  iterator["ShardId"] = "7";
  EXPECT_EQ(machine.post("GetShardIterator", iterator).type(), "ResourceNotFoundException");
  get["ShardIterator"] = "x";
  EXPECT_EQ(machine.post("GetRecords", get).type(), "InvalidArgumentException");

  // false is as absent; and nothing was put until now.
  get = {{"ShardIterator", machine.iterator("s", 0)}, {"DryRun", false}};
  EXPECT_EQ(machine.call("GetRecords", get)["Records"], Json::array());
  puts["DryRun"] = false;
  EXPECT_EQ(machine.call("PutRecords", puts)["FailedRecordCount"], 0);
}

TEST(KinesisStreamId, IsCheckedAndHasNoEffect) {
  KinesisMachine machine;
  machine.create("s", 1);
  machine.call("DescribeStream", {{"StreamName", "s"}, {"StreamId", "abcdefghijklmnopqrst-0a1"}});
  EXPECT_EQ(machine.post("DescribeStream", {{"StreamId", "abcdefghijklmnopqrst-0a1"}}).type(),
            "ValidationException");  // it names no stream yet
  EXPECT_EQ(machine.post("DescribeStream", {{"StreamName", "s"}, {"StreamId", "Not one"}}).type(),
            "ValidationException");
}

TEST(KinesisChannels, SayThatTheyComeLater) {
  KinesisMachine machine;
  for (const char* name :
       {"CreateChannel", "UpdateChannel", "DescribeChannel", "ListChannels", "DeleteChannel"})
    machine.refuses(
        name, Json{{"ChannelName", "c"}}, "InvalidArgumentException",
        std::string(name) + " is not available in this release: channels come later, with delivery.");
}

TEST(KinesisQueues, SayThatTheyComeLater) {
  KinesisMachine machine;
  std::size_t queues = 0;
  for (const Operation* operation : all_operations()) {
    const std::string name(operation->name);
    if (name.find("Queue") == std::string::npos) continue;
    ++queues;
    machine.refuses(name, Json{{"QueueARN", "q"}}, "InvalidArgumentException",
                    name + " is not available in this release: queues come later.");
  }
  EXPECT_EQ(queues, 12u);
}

}  // namespace
}  // namespace millrace::kinesis
