// What is counted of streams for CloudWatch: names, values, and that nothing is kept of who does nothing.

#include <algorithm>
#include <map>

#include "kinesis/kinesis_machine.h"
#include "kinesis/stream_meter.h"

namespace millrace::kinesis {
namespace {

// By metric, with "shardId-…/" or the consumer's name before it where it is of one. Of all loops together.
using Figures = std::map<std::string, Figure>;

class MeteredMachine : public KinesisMachine {
 public:
  // With the stream "s".
  explicit MeteredMachine(int shards, broker::BrokerOptions options = {})
      : KinesisMachine({}, std::move(options)) {
    create("s", shards);
  }

  MeterTake take_all() {
    auto taken = world.await(world.loop(0), door->take_meters(world.loop(0)));
    EXPECT_TRUE(taken.has_value());
    return std::move(taken).value_or(MeterTake{});
  }
  std::vector<MeterReading> take() { return take_all().readings; }
  Figures figures() {
    Figures all;
    for (const MeterReading& reading : take()) {
      EXPECT_EQ(reading.stream, "s");
      EXPECT_EQ(reading.labels.size(), reading.figures.size());
      std::string prefix = reading.consumer.empty() ? "" : reading.consumer + "/";
      if (reading.shard.has_value()) prefix = std::to_string(*reading.shard) + "/";
      for (std::size_t i = 0; i < reading.figures.size(); ++i) {
        const Figure& one = reading.figures[i];
        if (one.count == 0) continue;
        Figure& sum = all[prefix + std::string(reading.labels[i].name)];
        sum.count += one.count;
        sum.sum += one.sum;
        sum.min = std::min(sum.min, one.min);
        sum.max = std::max(sum.max, one.max);
      }
    }
    return all;
  }

  // 4 bytes a record, of key and data. One record for each half of the keys.
  void put_two() {
    call("PutRecords", {{"StreamName", "s"},
                        {"Records",
                         {{{"Data", "YWJj"}, {"PartitionKey", "k"}, {"ExplicitHashKey", "0"}},
                          {{"Data", "YWJj"},
                           {"PartitionKey", "k"},
                           {"ExplicitHashKey", "340282366920938463463374607431768211455"}}}}});
  }
  void put_one(const std::string& data) {
    call("PutRecord", {{"StreamName", "s"}, {"PartitionKey", "k"}, {"ExplicitHashKey", "0"}, {"Data", data}});
  }
  void enable(const Json& metrics) {
    call("EnableEnhancedMonitoring", {{"StreamName", "s"}, {"ShardLevelMetrics", metrics}});
  }
};

void expect(const Figures& figures, const std::string& name, const Figure& wanted) {
  const auto found = figures.find(name);
  ASSERT_NE(found, figures.end()) << name;
  EXPECT_EQ(found->second.count, wanted.count) << name;
  EXPECT_EQ(found->second.sum, wanted.sum) << name;
  EXPECT_EQ(found->second.min, wanted.min) << name;
  EXPECT_EQ(found->second.max, wanted.max) << name;
}

bool any_of_shards(const Figures& figures) {
  return std::any_of(figures.begin(), figures.end(),
                     [](const auto& one) { return one.first.find('/') != std::string::npos; });
}

TEST(StreamMeter, CountsPutsByOperationAndTogether) {
  MeteredMachine machine(2);
  machine.put_two();
  machine.put_one("YWJjZGU=");
  const Figures figures = machine.figures();
  expect(figures, "IncomingBytes", {2, 14, 6, 8});
  expect(figures, "IncomingRecords", {2, 3, 1, 2});
  expect(figures, "PutRecord.Bytes", {1, 6, 6, 6});
  expect(figures, "PutRecord.Success", {1, 1, 1, 1});
  EXPECT_EQ(figures.at("PutRecord.Latency").count, 1u);
  expect(figures, "PutRecords.Bytes", {1, 8, 8, 8});
  expect(figures, "PutRecords.Success", {1, 1, 1, 1});
  expect(figures, "PutRecords.Records", {1, 2, 2, 2});
  expect(figures, "PutRecords.TotalRecords", {1, 2, 2, 2});
  expect(figures, "PutRecords.SuccessfulRecords", {1, 2, 2, 2});
  expect(figures, "PutRecords.FailedRecords", {1, 0, 0, 0});
  expect(figures, "PutRecords.ThrottledRecords", {1, 0, 0, 0});
  EXPECT_GT(figures.at("PutRecords.Latency").sum, 0u);  // it waits for the disk
  expect(figures, "WriteProvisionedThroughputExceeded", {2, 0, 0, 0});
  EXPECT_FALSE(figures.contains("GetRecords.Success"));
  EXPECT_FALSE(any_of_shards(figures));
}

TEST(StreamMeter, CountsReadsAndHowOldTheirRecordsAre) {
  MeteredMachine machine(1);
  machine.put_two();
  std::string next = machine.iterator("s", 0);
  machine.world.run_for(2'000'000'000);
  machine.figures();
  for (int i = 0; i < 2; ++i)  // the second finds nothing
    next = machine.call("GetRecords", {{"ShardIterator", next}})["NextShardIterator"];
  const Figures figures = machine.figures();
  expect(figures, "GetRecords.Bytes", {2, 8, 0, 8});
  expect(figures, "GetRecords.Records", {2, 2, 0, 2});
  expect(figures, "GetRecords.Success", {2, 2, 1, 1});
  EXPECT_EQ(figures.at("GetRecords.Latency").count, 2u);
  EXPECT_EQ(figures.at("GetRecords.IteratorAgeMilliseconds").min, 0u);
  EXPECT_GE(figures.at("GetRecords.IteratorAgeMilliseconds").max, 2'000u);
  expect(figures, "ReadProvisionedThroughputExceeded", {2, 0, 0, 0});
}

TEST(StreamMeter, NotesWhereEachAccessKeyReadsOn) {
  MeteredMachine machine(1);
  machine.put_two();
  const std::string first = machine.iterator("s", 0);
  machine.call("GetRecords", {{"ShardIterator", first}, {"Limit", 1}});
  const auto positions = machine.take_all().positions;
  ASSERT_EQ(positions.size(), 1u);
  EXPECT_EQ(positions[0].reader, "AKID");
  EXPECT_EQ(positions[0].kind, ReaderKind::kAccessKey);
  EXPECT_EQ(positions[0].shard, 0u);
  EXPECT_EQ(positions[0].offset, 1u);
  EXPECT_TRUE(machine.take_all().positions.empty());
  machine.call("GetRecords", {{"ShardIterator", first}});
  EXPECT_EQ(machine.take_all().positions.at(0).offset, 2u);
}

TEST(StreamMeter, TellsWhatWasThrottled) {
  broker::BrokerOptions options;
  options.aws_limits = true;
  MeteredMachine machine(1, options);
  Json records = Json::array();
  for (int i = 0; i < 500; ++i) records.push_back({{"Data", "YWJj"}, {"PartitionKey", "k"}});
  for (int i = 0; i < 3; ++i) machine.post("PutRecords", {{"StreamName", "s"}, {"Records", records}});
  const std::string first = machine.iterator("s", 0);
  for (int i = 0; i < 6; ++i) machine.post("GetRecords", {{"ShardIterator", first}, {"Limit", 1}});
  const Figures figures = machine.figures();
  const Figure& throttled = figures.at("PutRecords.ThrottledRecords");
  EXPECT_GT(throttled.max, 0u);
  EXPECT_EQ(throttled.sum, figures.at("WriteProvisionedThroughputExceeded").sum);
  EXPECT_EQ(throttled.sum + figures.at("PutRecords.SuccessfulRecords").sum, 1'500u);
  EXPECT_EQ(figures.at("PutRecords.FailedRecords").sum, 0u);
  expect(figures, "ReadProvisionedThroughputExceeded", {6, 1, 0, 1});
  expect(figures, "GetRecords.Success", {6, 5, 0, 1});
}

TEST(StreamMeter, CountsShardsWhereTheirMetricsAreEnabledAValueAPut) {
  MeteredMachine machine(2);
  machine.enable({"IncomingBytes"});
  machine.put_two();
  machine.put_one("YWJj");
  machine.call("GetRecords", {{"ShardIterator", machine.iterator("s", 0)}});
  const Figures figures = machine.figures();
  expect(figures, "0/IncomingBytes", {2, 8, 4, 4});
  expect(figures, "0/IncomingRecords", {2, 2, 1, 1});
  expect(figures, "1/IncomingBytes", {1, 4, 4, 4});
  expect(figures, "0/OutgoingBytes", {1, 8, 8, 8});
  expect(figures, "0/OutgoingRecords", {1, 2, 2, 2});
  expect(figures, "0/WriteProvisionedThroughputExceeded", {2, 0, 0, 0});
  EXPECT_TRUE(figures.contains("0/IteratorAgeMilliseconds"));
  EXPECT_FALSE(figures.contains("1/OutgoingBytes"));
  machine.call("DisableEnhancedMonitoring", {{"StreamName", "s"}, {"ShardLevelMetrics", {"ALL"}}});
  machine.put_two();
  EXPECT_FALSE(any_of_shards(machine.figures()));
}

TEST(StreamMeter, CountsConsumersAndTheirEvents) {
  MeteredMachine machine(1);
  machine.enable({"ALL"});
  const std::string arn = machine.call("RegisterStreamConsumer",
                                       {{"StreamARN", "arn:aws:kinesis:us-east-1:000000000000:stream/s"},
                                        {"ConsumerName", "c"}})["Consumer"]["ConsumerARN"];
  machine.world.run_for(1'000'000'000);
  machine.put_two();
  const Json request = {{"ConsumerARN", arn},
                        {"ShardId", "shardId-000000000000"},
                        {"StartingPosition", {{"Type", "TRIM_HORIZON"}}}};
  EXPECT_EQ(machine.post("SubscribeToShard", request).status, 200);
  machine.world.run_for(1'000'000);
  EXPECT_EQ(machine.post("SubscribeToShard", request).status, 400);  // so soon after the other
  machine.put_one("YWJj");
  machine.world.run_for(1'000'000);
  const Figures figures = machine.figures();
  expect(figures, "c/SubscribeToShard.Success", {2, 1, 0, 1});
  expect(figures, "c/SubscribeToShard.RateExceeded", {1, 1, 1, 1});
  EXPECT_EQ(figures.at("c/SubscribeToShardEvent.Bytes").sum, 12u);
  EXPECT_EQ(figures.at("c/SubscribeToShardEvent.Records").sum, 3u);
  EXPECT_TRUE(figures.contains("c/SubscribeToShardEvent.MillisBehindLatest"));
  const Figure& events = figures.at("c/SubscribeToShardEvent.Success");
  EXPECT_GE(events.count, 2u);
  EXPECT_EQ(events.sum, events.count);
  EXPECT_EQ(figures.at("0/OutgoingBytes").sum, 12u);  // as by GetRecords
  EXPECT_EQ(figures.at("0/OutgoingRecords").sum, 3u);
}

TEST(StreamMeter, CountsAPutThatFailsAsAWhole) {
  StreamMeter meter;
  broker::Stream stream{};
  stream.id = 7;
  stream.name = "s";
  meter.failed_put(stream, StreamMeter::Put::kRecords, 3, 10);
  meter.failed_put(stream, StreamMeter::Put::kRecord, 1, 10);
  MeterTake taken;
  meter.take(taken);
  const std::vector<MeterReading>& readings = taken.readings;
  ASSERT_EQ(readings.size(), 1u);
  EXPECT_EQ(readings[0].stream_id, 7u);
  const auto figure = [&](StreamMetric metric) {
    return readings[0].figures[static_cast<std::size_t>(metric)];
  };
  EXPECT_EQ(figure(StreamMetric::kPutRecordsSuccess).count, 1u);
  EXPECT_EQ(figure(StreamMetric::kPutRecordsSuccess).sum, 0u);
  EXPECT_EQ(figure(StreamMetric::kPutRecordsFailed).sum, 3u);
  EXPECT_EQ(figure(StreamMetric::kPutRecordSuccess).count, 1u);
  EXPECT_EQ(figure(StreamMetric::kPutRecordSuccess).sum, 0u);
  EXPECT_EQ(figure(StreamMetric::kIncomingRecords).count, 0u);
}

TEST(StreamMeter, GivesWhatItCountedOnceAndKeepsNothingOfWhoDoesNothing) {
  MeteredMachine machine(2);
  machine.enable({"ALL"});
  machine.put_two();
  EXPECT_EQ(machine.take().size(), 3u);  // the stream's, and each shard's
  EXPECT_TRUE(machine.take().empty());
  machine.put_one("YWJj");
  expect(machine.figures(), "IncomingRecords", {1, 1, 1, 1});
}

}  // namespace
}  // namespace millrace::kinesis
