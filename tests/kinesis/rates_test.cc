// How often operations are taken under --limits aws, and that nothing of it holds without.

#include "kinesis/record_requests.h"

namespace millrace::kinesis {
namespace {

broker::BrokerOptions aws_limits() {
  broker::BrokerOptions options;
  options.aws_limits = true;
  return options;
}

const Json kEmpty = Json::object();

TEST(KinesisRates, AnAccountAsksSoOftenASecond) {
  KinesisMachine machine({}, aws_limits());
  for (int i = 0; i < 5; ++i) machine.call("ListStreams", kEmpty);
  machine.refuses("ListStreams", kEmpty, "LimitExceededException", "Rate exceeded for account 000000000000.");
  machine.call("DescribeLimits", kEmpty);  // others have their own
  machine.refuses("DescribeLimits", kEmpty, "LimitExceededException",
                  "Rate exceeded for account 000000000000.");
  machine.world.run_for(kNsPerS);
  machine.call("DescribeLimits", kEmpty);
  for (int i = 0; i < 5; ++i) machine.call("ListStreams", kEmpty);
  EXPECT_EQ(machine.post("ListStreams", kEmpty).type(), "LimitExceededException");
}

TEST(KinesisRates, TheStreamIsNamedWhereOneWasAskedFor) {
  KinesisMachine machine({}, aws_limits());
  machine.create("s", 1);
  const std::string message = "Rate exceeded for stream s under account 000000000000.";
  for (int i = 0; i < 10; ++i) machine.call("DescribeStream", {{"StreamName", "s"}});
  machine.refuses("DescribeStream", {{"StreamName", "s"}}, "LimitExceededException", message);
  machine.refuses("DescribeStream", {{"StreamARN", "arn:aws:kinesis:us-east-1:000000000000:stream/s"}},
                  "LimitExceededException", message);
  // A request that is wrong says so first.
  EXPECT_EQ(machine.post("DescribeStream", {{"StreamName", "s"}, {"Limit", 0}}).type(),
            "ValidationException");
}

TEST(KinesisRates, AShardGivesFiveIteratorsAndFiveReadsASecond) {
  KinesisMachine machine({}, aws_limits());
  machine.create("s", 2);
  const Json request{{"StreamName", "s"}, {"ShardId", "0"}, {"ShardIteratorType", "LATEST"}};
  Json iterator;
  for (int i = 0; i < 5; ++i) iterator = machine.call("GetShardIterator", request);
  const std::string message = "Rate exceeded for Shard - 000000000000/s/shardId-000000000000";
  machine.refuses("GetShardIterator", request, "ProvisionedThroughputExceededException", message);
  machine.iterator("s", 1);
  for (int i = 0; i < 5; ++i) machine.call("GetRecords", iterator);
  machine.refuses("GetRecords", iterator, "ProvisionedThroughputExceededException", message);
  machine.world.run_for(kNsPerS);
  machine.call("GetShardIterator", request);
  machine.call("GetRecords", iterator);
}

TEST(KinesisRates, AStreamIsTriedDryOnceASecond) {
  KinesisMachine machine({}, aws_limits());
  machine.create("s", 1);
  Json put = record("k", "x");
  put["StreamName"] = "s";
  put["DryRun"] = true;
  EXPECT_EQ(machine.post("PutRecord", put).type(), "DryRunOperationException");
  EXPECT_EQ(machine.post("PutRecord", put).type(), "ThrottlingException");
  machine.world.run_for(kNsPerS);
  EXPECT_EQ(machine.post("PutRecord", put).type(), "DryRunOperationException");
}

TEST(KinesisRates, AModeChangesTwiceADay) {
  KinesisMachine machine({}, aws_limits());
  machine.create("s", 1);
  const auto change = [&](const char* mode) {
    machine.wait_active("s");
    const Answer answer =
        machine.post("UpdateStreamMode", {{"StreamARN", "arn:aws:kinesis:us-east-1:000000000000:stream/s"},
                                          {"StreamModeDetails", {{"StreamMode", mode}}}});
    return answer.status == 200 ? std::string("changed") : answer.type();
  };
  EXPECT_EQ(change("ON_DEMAND"), "changed");
  EXPECT_EQ(change("PROVISIONED"), "changed");
  EXPECT_EQ(change("ON_DEMAND"), "LimitExceededException");
}

TEST(KinesisRates, FiveStreamsBeginAtOnce) {
  broker::BrokerOptions options = aws_limits();
  options.transition_ms = 60'000;
  KinesisMachine machine({}, options);
  for (int i = 0; i < 5; ++i)
    machine.call("CreateStream", {{"StreamName", "t" + std::to_string(i)}, {"ShardCount", 1}});
  machine.world.run_for(kNsPerS);
  machine.refuses("CreateStream", {{"StreamName", "u"}, {"ShardCount", 1}}, "LimitExceededException",
                  "Account 000000000000 already has 5 streams in CREATING state, the limit.");
}

TEST(KinesisRates, NothingOfItHoldsWithoutTheServicesLimits) {
  KinesisMachine machine;
  machine.create("s", 1);
  for (int i = 0; i < 50; ++i) {
    machine.call("ListStreams", kEmpty);
    machine.call("DescribeLimits", kEmpty);
    machine.iterator("s", 0);
  }
}

}  // namespace
}  // namespace millrace::kinesis
