// Records in and out: puts, iterators, reads.

#include <fmt/format.h>

#include "kinesis/record_requests.h"
#include "kinesis/shard_iterator.h"

namespace millrace::kinesis {
namespace {

Json put(KinesisMachine& machine, std::string_view key, std::string_view data) {
  Json request = record(key, data);
  request["StreamName"] = "s";
  return machine.call("PutRecord", request);
}

Json at_number(std::string_view type, const Json& number, const char* shard = "0") {
  return {{"StreamName", "s"},
          {"ShardId", shard},
          {"ShardIteratorType", type},
          {"StartingSequenceNumber", number}};
}

TEST(KinesisRecords, WhatIsPutIsReadWithItsNumberKeyAndTime) {
  KinesisMachine machine;
  machine.create("s", 1);
  const Json one = put(machine, "k\"\\\n\u00fc", "first");
  EXPECT_EQ(one.size(), 2u);
  EXPECT_EQ(one["ShardId"], "shardId-000000000000");
  EXPECT_EQ(one["SequenceNumber"].get<std::string>().size(), 56u);
  const Json two = put(machine, "k", "");

  Json page = machine.call("GetRecords", {{"ShardIterator", machine.iterator("s", 0)}, {"Limit", 1}});
  ASSERT_EQ(page["Records"].size(), 1u);
  const Json read = page["Records"][0];
  EXPECT_EQ(read["SequenceNumber"], one["SequenceNumber"]);
  EXPECT_EQ(read["PartitionKey"], "k\"\\\n\u00fc");
  EXPECT_EQ(read["Data"], b64("first"));
  EXPECT_NEAR(read["ApproximateArrivalTimestamp"].get<double>(),
              static_cast<double>(machine.world.clock().wall_ms()) / 1'000, 5);
  EXPECT_GE(page["MillisBehindLatest"], 1);
  page = machine.call("GetRecords", {{"ShardIterator", page["NextShardIterator"]}});
  EXPECT_EQ(page["Records"][0]["SequenceNumber"], two["SequenceNumber"]);
  EXPECT_EQ(page["Records"][0]["Data"], "");
  EXPECT_EQ(page["MillisBehindLatest"], 0);
  page = machine.call("GetRecords", {{"ShardIterator", page["NextShardIterator"]}});
  EXPECT_EQ(page["Records"], Json::array());
  EXPECT_TRUE(page.contains("NextShardIterator"));
}

TEST(KinesisRecords, EachIteratorTypeBeginsWhereItSays) {
  KinesisMachine machine;
  machine.create("s", 1);
  const Json a = put(machine, "k", "a");
  machine.world.run_for(2'000'000'000);
  const double between_s = static_cast<double>(machine.world.clock().wall_ms()) / 1'000;
  machine.world.run_for(2'000'000'000);
  const Json b = put(machine, "k", "b");
  const auto read = [&](const Json& request) {
    const Json iterator = machine.call("GetShardIterator", request);
    return data_of(machine.call("GetRecords", iterator));
  };
  const auto by_type = [](const char* type) {
    return Json{{"StreamName", "s"}, {"ShardId", "shardId-0"}, {"ShardIteratorType", type}};
  };
  EXPECT_EQ(read(by_type("TRIM_HORIZON")), (Data{b64("a"), b64("b")}));
  EXPECT_EQ(read(by_type("LATEST")), Data{});
  EXPECT_EQ(read(at_number("AT_SEQUENCE_NUMBER", b["SequenceNumber"])), Data{b64("b")});
  EXPECT_EQ(read(at_number("AFTER_SEQUENCE_NUMBER", a["SequenceNumber"])), Data{b64("b")});
  EXPECT_EQ(read(at_number("AFTER_SEQUENCE_NUMBER", b["SequenceNumber"])), Data{});
  Json timed = by_type("AT_TIMESTAMP");
  timed["Timestamp"] = between_s;
  EXPECT_EQ(read(timed), Data{b64("b")});
  timed["Timestamp"] = 1;
  EXPECT_EQ(read(timed), (Data{b64("a"), b64("b")}));
  const Json start = machine.call("DescribeStream", {{"StreamName", "s"}})["StreamDescription"]["Shards"][0];
  EXPECT_EQ(
      read(at_number("AT_SEQUENCE_NUMBER", start["SequenceNumberRange"]["StartingSequenceNumber"])).size(),
      2u);
  Json quoted = machine.call("GetShardIterator", by_type("TRIM_HORIZON"));
  quoted["ShardIterator"] = '"' + quoted["ShardIterator"].get<std::string>() + '"';
  EXPECT_EQ(data_of(machine.call("GetRecords", quoted)).size(), 2u);
}

TEST(KinesisRecords, IteratorsThatMakeNoSenseAreRefused) {
  KinesisMachine machine;
  machine.create("s", 2);
  const auto refuses = [&](const Json& request, const std::string& message) {
    machine.refuses("GetShardIterator", request, "InvalidArgumentException", message);
  };
  const std::string wants =
      "Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and StartingSequenceNumber or (2) "
      "TRIM_HORIZON or LATEST and no StartingSequenceNumber. Request specified ";
  refuses(at_number("AT_SEQUENCE_NUMBER", nullptr),
          wants + "AT_SEQUENCE_NUMBER and no StartingSequenceNumber.");
  refuses(at_number("LATEST", "5"), wants + "LATEST and also a StartingSequenceNumber.");
  refuses(at_number("AT_TIMESTAMP", nullptr),
          "Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP. Current request has "
          "no timestamp "
          "parameter.");
  refuses(at_number("AT_SEQUENCE_NUMBER", "5"),
          "Invalid StartingSequenceNumber. It encodes shardId-000000000005, while it was used in a call to a "
          "shard with "
          "shardId-000000000000");
  // 0x2000…800000002: the shard's index is above 2^31.
  refuses(at_number("AT_SEQUENCE_NUMBER", "49039857307708443467467104868809893875799651944235008002"),
          "Invalid StartingSequenceNumber. It encodes shardId--02147483648, while it was used in a call to a "
          "shard with "
          "shardId-000000000000");
  const std::string used = " used in GetShardIterator on shard shardId-000000000000" + kHere + " is invalid";
  refuses(at_number("AT_SEQUENCE_NUMBER", "26227199374822427428162556223570313216"),
          "StartingSequenceNumber 26227199374822427428162556223570313216" + used + ".");
  const Answer old = machine.post("GetShardIterator", at_number("AT_SEQUENCE_NUMBER", "0"));
  EXPECT_EQ(old.status, 500);
  EXPECT_EQ(old.body, R"({"__type":"InternalFailure"})");

  // Of the same shard's place in another stream; and of a record that is not there.
  machine.world.run_for(2'000'000'000);
  machine.call("CreateStream", {{"StreamName", "t"}, {"ShardCount", 1}});
  machine.wait_active("t");
  const Json other =
      machine.call("PutRecord", {{"StreamName", "t"}, {"PartitionKey", "k"}, {"Data", ""}})["SequenceNumber"];
  refuses(at_number("AT_SEQUENCE_NUMBER", other), "StartingSequenceNumber " + other.get<std::string>() +
                                                      used + " because it did not come from this stream.");
  machine.call("DeleteStream", {{"StreamName", "t"}});

  const Answer future =
      machine.post("GetShardIterator",
                   {{"StreamName", "s"},
                    {"ShardId", "0"},
                    {"ShardIteratorType", "AT_TIMESTAMP"},
                    {"Timestamp", static_cast<double>(machine.world.clock().wall_ms() + 5'000) / 1'000}});
  EXPECT_EQ(
      future.message(),
      fmt::format("The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. "
                  "timestampInMillis: {}, currentTimestampInMillis: {}",
                  machine.world.clock().wall_ms() + 5'000, machine.world.clock().wall_ms()));
}

TEST(KinesisRecords, IteratorsEndAfterFiveMinutesAndWithTheirStream) {
  KinesisMachine machine;
  machine.create("s", 1);
  std::string iterator = machine.iterator("s", 0);
  const std::int64_t made_ms = machine.world.clock().wall_ms();
  machine.world.shift_wall_clock(300'000);
  machine.call("GetRecords", {{"ShardIterator", iterator}});
  machine.world.shift_wall_clock(60'000);
  const Answer expired = machine.post("GetRecords", {{"ShardIterator", iterator}});
  EXPECT_EQ(expired.type(), "ExpiredIteratorException");
  EXPECT_EQ(
      expired.message(),
      fmt::format("Iterator expired. The iterator was created at time {} while right now it is {} which is "
                  "further in the future than the tolerated delay of 300000 milliseconds.",
                  utc_text(made_ms), utc_text(machine.world.clock().wall_ms())));

  iterator = machine.iterator("s", 0);
  machine.call("DeleteStream", {{"StreamName", "s"}});
  machine.world.run_for(1'000'000'000);
  const std::string absent = "Shard shardId-000000000000" + kHere + " does not exist";
  machine.refuses("GetRecords", {{"ShardIterator", iterator}}, "ResourceNotFoundException", absent);
  machine.create("s", 1);  // another stream of the name
  machine.refuses("GetRecords", {{"ShardIterator", iterator}}, "ResourceNotFoundException", absent);
}

TEST(KinesisRecords, AClosedShardEndsWithItsChildren) {
  KinesisMachine machine;
  machine.create("s", 2);
  machine.call("PutRecords", {{"StreamName", "s"}, {"Records", {record("a", "1"), record("b", "2")}}});
  machine.call("MergeShards", {{"StreamName", "s"}, {"ShardToMerge", "0"}, {"AdjacentShardToMerge", "1"}});
  machine.wait_active("s");
  const std::int64_t closed_ms = machine.world.clock().wall_ms();
  machine.world.run_for(7'000'000'000);
  std::size_t records = 0;
  for (int shard = 0; shard < 2; ++shard) {
    Json page = machine.call("GetRecords", {{"ShardIterator", machine.iterator("s", shard)}});
    if (!page["Records"].empty()) {
      records += page["Records"].size();
      EXPECT_FALSE(page.contains("ChildShards"));
      page = machine.call("GetRecords", {{"ShardIterator", page["NextShardIterator"]}});
    }
    EXPECT_EQ(page["Records"], Json::array());
    EXPECT_FALSE(page.contains("NextShardIterator"));
    // The age of the shard's end, which was some milliseconds before the stream was seen to be ACTIVE.
    EXPECT_NEAR(page["MillisBehindLatest"].get<double>(),
                static_cast<double>(machine.world.clock().wall_ms() - closed_ms), 200);
    EXPECT_EQ(page["ChildShards"], Json::parse(R"([{"ShardId":"shardId-000000000002",
                               "ParentShards":["shardId-000000000000","shardId-000000000001"],
                               "HashKeyRange":{"StartingHashKey":"0",
                                               "EndingHashKey":"340282366920938463463374607431768211455"}}])"));
  }
  EXPECT_EQ(records, 2u);
  const Json shards = machine.call("ListShards", {{"StreamName", "s"}})["Shards"];
  const Json end = shards[0]["SequenceNumberRange"]["EndingSequenceNumber"];
  const Json iterator = machine.call("GetShardIterator", at_number("AT_SEQUENCE_NUMBER", end));
  EXPECT_FALSE(machine.call("GetRecords", iterator).contains("NextShardIterator"));
  machine.refuses("GetShardIterator", at_number("AFTER_SEQUENCE_NUMBER", end), "InvalidArgumentException",
                  "Invalid SequenceNumber for ShardIteratorType AFTER_SEQUENCE_NUMBER, SequenceNumber has "
                  "reached max possible value for the shard.");
}

TEST(KinesisRecords, TimesOfAnySizeAreInThePastOrRefused) {
  KinesisMachine machine;
  machine.create("s", 1);
  put(machine, "k", "a");
  const auto at = [&](std::string_view time) {
    return machine.post_text(
        "GetShardIterator",
        fmt::format(R"({{"StreamName":"s","ShardId":"0","ShardIteratorType":"AT_TIMESTAMP","Timestamp":{}}})",
                    time));
  };
  // In nanoseconds by mistake, as large as 64 bits are, and larger than any integer.
  for (const char* future : {"1796064172123456789", "9223372036854775807", "18446744073709551615", "1e300",
                             "1.7976931348623157e308"}) {
    const Answer answer = at(future);
    EXPECT_EQ(answer.status, 400) << future;
    EXPECT_EQ(
        answer.message(),
        fmt::format("The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. "
                    "timestampInMillis: 9223372036854775807, currentTimestampInMillis: {}",
                    machine.world.clock().wall_ms()))
        << future;
  }
  EXPECT_EQ(at("1e999").type(), "SerializationException");
  for (const char* past : {"0", "-1", "-0.5", "-1796064172123456789", "-9223372036854775808", "-1e300"}) {
    const Answer answer = at(past);
    ASSERT_EQ(answer.status, 200) << past << ": " << answer.body;
    EXPECT_EQ(data_of(machine.call("GetRecords", answer.json())), Data{b64("a")}) << past;
  }
}

TEST(KinesisRecords, AnAnswerHasAtMostTenMebibytes) {
  KinesisMachine machine;
  machine.create("s", 1);
  const std::string data(3 << 20, 'x');
  for (int i = 0; i < 4; ++i) put(machine, "k", data);
  Json page = machine.call("GetRecords", {{"ShardIterator", machine.iterator("s", 0)}});
  EXPECT_EQ(page["Records"].size(), 3u);
  EXPECT_EQ(page["Records"][2]["Data"], b64(data));
  page = machine.call("GetRecords", {{"ShardIterator", page["NextShardIterator"]}});
  EXPECT_EQ(page["Records"].size(), 1u);
}

TEST(KinesisRecords, PutRecordsAnswersForEachRecordInOrder) {
  KinesisMachine machine;
  machine.create("s", 3);
  Json hashed = record("a", "2");
  hashed["ExplicitHashKey"] = "340282366920938463463374607431768211455";
  const Json answer = machine.call(
      "PutRecords",
      {{"StreamName", "s"}, {"Records", {record("a", "0"), record("b", "1"), hashed, record("b", "3")}}});
  EXPECT_EQ(answer["FailedRecordCount"], 0);
  Data shards;
  for (const Json& entry : answer["Records"]) {
    EXPECT_EQ(entry.size(), 2u);
    EXPECT_EQ(entry["SequenceNumber"].get<std::string>().size(), 56u);
    shards.push_back(entry["ShardId"].get<std::string>().substr(19));
  }
  EXPECT_EQ(shards, (Data{"0", "1", "2", "1"}));
  const Json page = machine.call("GetRecords", {{"ShardIterator", machine.iterator("s", 1)}});
  EXPECT_EQ(data_of(page), (Data{b64("1"), b64("3")}));
  EXPECT_EQ(page["Records"][1]["SequenceNumber"], answer["Records"][3]["SequenceNumber"]);
}

TEST(KinesisRecords, RecordsOfAFullDiskFailOneByOne) {
  KinesisMachine machine;
  machine.create("s", 1);
  machine.disk.set_capacity(0);
  const Json request = {{"StreamName", "s"},
                        {"Records", {record("a", std::string(4 << 20, 'x')), record("b", "")}}};
  Answer answer = machine.post("PutRecords", request);
  // What the journal has already is still written to.
  for (int i = 0; i < 100 && answer.json()["FailedRecordCount"] == 0; ++i)
    answer = machine.post("PutRecords", request);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.json()["FailedRecordCount"], 2);
  const Json failed = answer.json()["Records"][1];
  EXPECT_EQ(failed["ErrorCode"], "InternalFailure");
  EXPECT_EQ(failed["ErrorMessage"].get<std::string>().rfind("Internal service failure.", 0), 0u)
      << failed.dump();
  EXPECT_EQ(failed.size(), 2u);
  const Answer one = machine.post("PutRecord", {{"StreamName", "s"}, {"PartitionKey", "a"}, {"Data", ""}});
  EXPECT_EQ(one.status, 500);
  EXPECT_EQ(one.type(), "InternalFailureException");
}

TEST(KinesisRecords, ThroughputOverAShardsLimitIsThrottled) {
  broker::BrokerOptions options;
  options.aws_limits = true;
  KinesisMachine machine({}, options);
  machine.create("s", 1);
  Json records = Json::array();
  for (int i = 0; i < 500; ++i) records.push_back(record("a", "x"));
  Json last;
  for (int i = 0; i < 3; ++i) last = machine.call("PutRecords", {{"StreamName", "s"}, {"Records", records}});
  EXPECT_EQ(last["FailedRecordCount"], 500);
  EXPECT_EQ(last["Records"][0],
            (Json{{"ErrorCode", "ProvisionedThroughputExceededException"},
                  {"ErrorMessage",
                   "Rate exceeded for shard shardId-000000000000 in stream s under account 000000000000."}}));
  machine.refuses("PutRecord", {{"StreamName", "s"}, {"PartitionKey", "a"}, {"Data", ""}},
                  "ProvisionedThroughputExceededException",
                  "Rate exceeded for shard shardId-000000000000 in stream s under account 000000000000.");
}

TEST(KinesisRecords, SizesAreHeld) {
  FrontDoorOptions options;
  options.max_record_bytes = 1'048'576;
  KinesisMachine machine(options);
  machine.create("s", 1);
  put(machine, "k", std::string(1'048'576, 'x'));
  machine.refuses(
      "PutRecord", {{"StreamName", "s"}, {"PartitionKey", "k"}, {"Data", b64(std::string(1'048'577, 'x'))}},
      "ValidationException",
      "1 validation error detected: Value 'java.nio.HeapByteBuffer[pos=0 lim=1048577 cap=1048577]' at "
      "'data' failed to satisfy constraint: Member must have length less than or equal to 1048576");
  Json records = Json::array();
  for (int i = 0; i < 10; ++i) records.push_back(record("k", std::string(1'048'576 - 1, 'x')));
  machine.call("PutRecords", {{"StreamName", "s"}, {"Records", records}});  // with the keys, exactly 10 MiB
  records[0]["PartitionKey"] = "kk";
  machine.refuses("PutRecords", {{"StreamName", "s"}, {"Records", records}}, "InvalidArgumentException",
                  "Records size exceeds 10 MB limit");
}

TEST(KinesisRecords, TenMebibytesInOneRecord) {
  KinesisMachine machine;
  machine.create("s", 1);
  const std::string data(10 << 20, 'x');
  put(machine, "k", data);
  const Json page = machine.call("GetRecords", {{"ShardIterator", machine.iterator("s", 0)}});
  ASSERT_EQ(page["Records"].size(), 1u);
  EXPECT_EQ(page["Records"][0]["Data"], b64(data));
}

TEST(KinesisRecords, NumbersForOrderingMustBeNumbersOfThePast) {
  KinesisMachine machine;
  machine.create("s", 1);
  Json request = record("k", "a");
  request["StreamName"] = "s";
  request["SequenceNumberForOrdering"] = put(machine, "k", "b")["SequenceNumber"];
  const Json next = machine.call("PutRecord", request);
  EXPECT_GT(next["SequenceNumber"], request["SequenceNumberForOrdering"]);
  for (const char* number :
       {"49039857307708443467467104868809893875799651875550494720", "9999999999999999999999999999"}) {
    request["SequenceNumberForOrdering"] = std::string(number) + "0000000000000000000000000000";
    EXPECT_EQ(machine.post("PutRecord", request).message(),
              "ExclusiveMinimumSequenceNumber " + request["SequenceNumberForOrdering"].get<std::string>() +
                  " used in PutRecord on stream s under account 000000000000 is invalid.");
  }
}

}  // namespace
}  // namespace millrace::kinesis
