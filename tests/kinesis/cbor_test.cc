// The API in CBOR, as the SDKs for Java speak it: same operations, same errors, other bytes.

#include "api/document.h"
#include "kinesis/cbor_answer.h"
#include "kinesis/operation.h"
#include "sim/seeded_random.h"

namespace millrace::kinesis {
namespace {

using namespace std::string_literals;

constexpr const char* kCbor = "application/x-amz-cbor-1.1";

std::string encoded(const Json& value) {
  std::string bytes;
  Json::to_cbor(value, bytes);
  return bytes;
}

Answer post(KinesisMachine& machine, const std::string& operation, const std::string& body) {
  Answer answer = machine.exchange(
      "POST", {{"Content-Type", kCbor}, {"X-Amz-Target", "Kinesis_20131202." + operation}}, body);
  EXPECT_EQ(answer.header("Content-Type"), kCbor);
  return answer;
}

Json call(KinesisMachine& machine, const std::string& operation, const Json& request) {
  const Answer answer = post(machine, operation, encoded(request));
  const Json json = answer.body.empty() ? Json::object() : cbor_decoded(answer.body);
  EXPECT_EQ(answer.status, 200) << operation << ": " << json.dump();
  return json;
}

Json blob(std::string_view bytes) {
  return Json::binary(std::vector<std::uint8_t>(bytes.begin(), bytes.end()));
}

std::optional<Value> read(const std::string& bytes, std::string_view operation) {
  return read_document(Encoding::kCbor, as_bytes(bytes),
                       all_operations()[find_operation(operation).value()]->fields);
}

TEST(KinesisCbor, StreamsAndRecordsAsInJson) {
  KinesisMachine machine;
  call(machine, "CreateStream", {{"StreamName", "s"}, {"ShardCount", 2}});
  machine.wait_active("s");
  const Json put =
      call(machine, "PutRecord", {{"StreamName", "s"}, {"PartitionKey", "a"}, {"Data", blob("x\0y"s)}});
  EXPECT_EQ(put["ShardId"], "shardId-000000000000");
  const Json puts =
      call(machine, "PutRecords",
           {{"StreamName", "s"},
            {"Records",
             {{{"PartitionKey", "a"}, {"Data", blob("1")}}, {{"PartitionKey", "b"}, {"Data", blob("")}}}}});
  EXPECT_EQ(puts["FailedRecordCount"], 0);
  EXPECT_EQ(puts["Records"][1]["ShardId"], "shardId-000000000001");

  const Json iterator = call(machine, "GetShardIterator",
                             {{"StreamName", "s"}, {"ShardId", "0"}, {"ShardIteratorType", "TRIM_HORIZON"}});
  const Json page = call(machine, "GetRecords", iterator);
  ASSERT_EQ(page["Records"].size(), 2u);
  EXPECT_EQ(page["Records"][0]["Data"], blob("x\0y"s));
  EXPECT_EQ(page["Records"][0]["SequenceNumber"], put["SequenceNumber"]);
  EXPECT_NEAR(page["Records"][0]["ApproximateArrivalTimestamp"].get<double>(),
              static_cast<double>(machine.world.clock().wall_ms()), 5'000);

  // The same stream in both encodings; times in milliseconds here, in seconds there.
  Json description = call(machine, "DescribeStream", {{"StreamName", "s"}})["StreamDescription"];
  const Json in_json = machine.call("DescribeStream", {{"StreamName", "s"}})["StreamDescription"];
  description["StreamCreationTimestamp"] = description["StreamCreationTimestamp"].get<double>() / 1'000;
  EXPECT_EQ(description, in_json);
}

TEST(KinesisCbor, ErrorsHaveTheSameWords) {
  KinesisMachine machine;
  const Answer missing = post(machine, "DescribeStream", encoded({{"StreamName", "none"}}));
  EXPECT_EQ(missing.status, 400);
  EXPECT_EQ(Json::from_cbor(missing.body),
            (Json{{"__type", "ResourceNotFoundException"},
                  {"message", "Stream none under account 000000000000 not found."}}));
  const Answer wrong = post(machine, "DescribeStream", encoded({{"StreamName", 5}}));
  EXPECT_EQ(
      Json::from_cbor(wrong.body)["Message"],
      "class com.amazon.coral.value.json.numbers.TruncatingBigNumber can not be converted to an String");
}

TEST(KinesisCbor, TimesAreWrittenAsIntegerMillisecondsWithTheTagOfTimes) {
  Writer writer(Encoding::kCbor);
  writer.timestamp(1'700'000'000'123);
  EXPECT_EQ(writer.bytes().text(), "\xc1\x1b\0\0\x01\x8b\xcf\xe5\x68\x7b"s);
}

TEST(KinesisCbor, IntegerTimesAreMillisecondsTaggedOrNot) {
  // {"Timestamp": 1500}, with and without tag 1; {"Timestamp": 1.5}
  for (const std::string& time : {"\x19\x05\xdc"s, "\xc1\x19\x05\xdc"s, "\xfb\x3f\xf8\0\0\0\0\0\0"s}) {
    const auto value = read("\xa1\x69Timestamp"s + time, "GetShardIterator");
    ASSERT_TRUE(value.has_value());
    EXPECT_EQ(value->items[4].number, 1.5);
  }
}

TEST(KinesisCbor, TimesThatNoClockShowsAreRefused) {
  KinesisMachine machine;
  machine.create("s", 1);
  const std::string request =
      "\xa4\x6aStreamName\x61s\x67ShardId\x61"
      "0\x71ShardIteratorType\x6c"
      "AT_TIMESTAMP\x69Timestamp"s;
  const auto type = [&](const std::string& time) {
    const Answer answer = post(machine, "GetShardIterator", request + time);
    return answer.status == 200 ? "" : Json::from_cbor(answer.body).value("__type", "");
  };
  EXPECT_EQ(type("\x01"s), "");
  for (const std::string& future :
       {"\x1b\x7f\xff\xff\xff\xff\xff\xff\xff"s, "\x1b\xff\xff\xff\xff\xff\xff\xff\xff"s,
        "\xfb\x7f\xef\xff\xff\xff\xff\xff\xff"s,
        "\xfb\x7f\xf0\0\0\0\0\0\0"s,  // the greatest double; infinity
        "\xf9\x7c\0"s})
    EXPECT_EQ(type(future), "InvalidArgumentException");
  for (const std::string& past : {"\x3b\xff\xff\xff\xff\xff\xff\xff\xff"s, "\xfb\xff\xf0\0\0\0\0\0\0"s})
    EXPECT_EQ(type(past), "");
  EXPECT_EQ(type("\xf9\x7e\0"s), "SerializationException");  // not a number
  // Of integers too.
  const Answer limit =
      post(machine, "DescribeStream", "\xa2\x6aStreamName\x61s\x65Limit\xfb\x7f\xf8\0\0\0\0\0\0"s);
  EXPECT_EQ(Json::from_cbor(limit.body).value("__type", ""), "SerializationException");
  const Answer huge =
      post(machine, "DescribeStream", "\xa2\x6aStreamName\x61s\x65Limit\xfb\x7f\xf0\0\0\0\0\0\0"s);
  EXPECT_EQ(Json::from_cbor(huge.body).value("__type", ""), "ValidationException");
}

TEST(KinesisCbor, AllFormsOfTheEncodingAreRead) {
  const Json expected = {{"StreamName", "ab"}, {"Limit", 3}};
  const std::string forms[] = {
      encoded(expected),
      "\xbf\x6aStreamName\x62"s + "ab" + "\x65Limit\x03\xff"s,                         // indefinite map
      "\xa2\x6aStreamName\x7f\x61"s + "a" + "\x61"s + "b" + "\xff\x65Limit\x18\x03"s,  // text in parts
      "\xa3\x6aStreamName\x62"s + "ab" + "\x65Limit\xf9\x42\x00\x61x\x9f\x80\xa0\xf6\xf7\xf5\x20\x40\xff"s,
      "\xa2\x7f\x66Stream\x64Name\xff\x62"s + "ab" + "\x65Limit\x03"s,  // a key in parts
  };
  for (const std::string& form : forms) {
    const auto value = read(form, "DescribeStream");
    ASSERT_TRUE(value.has_value()) << form;
    EXPECT_EQ(value->items[0].integer, 3);
    EXPECT_EQ(value->items[2].text, "ab");
  }
}

TEST(KinesisCbor, HostileBytesAreRefused) {
  const std::string whole =
      encoded({{"StreamName", "s"}, {"Records", {{{"PartitionKey", "a"}, {"Data", blob("1")}}}}});
  ASSERT_TRUE(read(whole, "PutRecords").has_value());
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(read(whole.substr(0, size), "PutRecords").has_value()) << size;
  const std::string bodies[] = {whole + "\xf6",
                                "\xff"s,
                                "\xa1\xff"s,
                                "\xbf\x61"s + "a\xff",          // a key without a value
                                "\xa1\x01\x02"s,                // a key that is no text
                                "\xa1\x41"s + "a\x02",          // … but bytes
                                "\x9f\x7f\x41"s + "a\xff\xff",  // bytes inside a text
                                "\x7f\x7f\xff\xff"s,            // a text in parts, inside another
                                "\xa1\x61\xff\x01"s,            // not UTF-8
                                "\xbb\xff\xff\xff\xff\xff\xff\xff\xff"s,
                                "\x5b\x7f\xff\xff\xff\xff\xff\xff\xff"s,
                                std::string(1'000'000, '\x9f'),
                                std::string(1'000'000, '\x81'),
                                std::string(1'000'000, '\xc1')};
  for (const std::string& body : bodies)
    EXPECT_FALSE(read(body, "PutRecords").has_value()) << body.substr(0, 20);

  sim::SeededRandom dice{sim::Seed{5}};
  for (int i = 0; i < 20'000; ++i) {  // nothing crashes: the sanitizers watch
    std::string changed = whole;
    for (int j = 0; j < 3; ++j)
      changed[dice.next_u64() % changed.size()] = static_cast<char>(dice.next_u64());
    read(changed, "PutRecords");
  }
}

}  // namespace
}  // namespace millrace::kinesis
