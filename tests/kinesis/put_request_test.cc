// The two ways to read a put: where the body lies, and by the description.

#include "kinesis/put_request_reader.h"
#include "kinesis/record_requests.h"

namespace millrace::kinesis {
namespace {

TEST(KinesisPuts, WrongBase64AndHashKeysAreNamed) {
  KinesisMachine machine;
  machine.create("s", 1);
  const auto refuses_blob = [&](const std::string& data, const std::string& why) {
    const std::string message = "'" + data + "' can not be converted to a Blob: " + why;
    for (const char* stream : {"s", "none"}) {  // types come before what exists
      for (const auto& [operation, request] :
           {std::pair<const char*, Json>{"PutRecord",
                                         {{"StreamName", stream}, {"PartitionKey", "k"}, {"Data", data}}},
            {"PutRecords",
             {{"StreamName", stream},
              {"Records", {record("k", ""), {{"PartitionKey", "k"}, {"Data", data}}}}}}}) {
        EXPECT_EQ(machine.post(operation, request).json(),
                  (Json{{"__type", "SerializationException"}, {"Message", message}}));
      }
    }
  };
  refuses_blob("abcde", "Base64 encoded length is expected a multiple of 4 bytes but found: 5");
  refuses_blob("ab*d", "Invalid Base64 character: '*'");
  refuses_blob("a=bc", "Invalid Base64 character: '='");
  refuses_blob("\u00fc\u00fc", "Base64 encoded length is expected a multiple of 4 bytes but found: 2");
  refuses_blob("\u00fc===", "Invalid Base64 character: '\u00fc'");
  refuses_blob("ab\u00fcd", "Invalid Base64 character: '\u00fc'");
  refuses_blob("abc/de==", "Invalid last non-pad Base64 character dectected");
  const Json page = machine.call("GetRecords", {{"ShardIterator", machine.iterator("s", 0)}});
  EXPECT_EQ(page["Records"], Json::array());  // of a refused request nothing is written

  const std::string big = "340282366920938463463374607431768211456";
  Json request = {{"StreamName", "s"}, {"PartitionKey", "k"}, {"Data", ""}, {"ExplicitHashKey", big}};
  machine.refuses(
      "PutRecord", request, "InvalidArgumentException",
      "Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value was " +
          big);
}

// Each body is read by the short way and by the description; where the short way takes it, both must agree.
TEST(KinesisPuts, BothWaysOfReadingPutsAgree) {
  KinesisMachine machine;
  machine.create("s", 1);
  const std::string entry = R"({"Data":"YWJj","PartitionKey":"k"})";
  const struct {
    std::string body;
    bool taken;  // by the short way
    int status;
    std::vector<std::string> data;
  } rows[] = {
      {R"({"StreamName":"s","Records":[)" + entry + "]}", true, 200, {"YWJj"}},
      {R"({"Records":[)" + entry + "," + entry + R"(],"StreamName":"s"})", true, 200, {"YWJj", "YWJj"}},
      {" {\n\"Records\" :\t[ " + entry + " , " + entry + " ] , \"StreamName\" : \"s\" }\r\n",
       true,
       200,
       {"YWJj", "YWJj"}},
      {R"({"StreamARN":"arn:aws:kinesis:us-east-1:000000000000:stream/s","Records":[)" + entry + "]}",
       true,
       200,
       {"YWJj"}},
      {R"({"StreamName":"s","Records":[{"PartitionKey":"k","Data":"","ExplicitHashKey":"0"}]})",
       true,
       200,
       {""}},
      {R"({"StreamName":"s","Records":[{"PartitionKey":"k","Data":"YWI\/","ExplicitHashKey":null}]})",
       false,
       200,
       {"YWI/"}},
      {R"({"StreamName":"s","Records":[{"PartitionKey":"k","Data":"YW\/\/\/\/Jj"}]})",
       true,
       200,
       {"YW////Jj"}},
      {R"({"StreamName":"s","Records":[{"PartitionKey":"\u006b","Data":"YWJj"}]})", false, 200, {"YWJj"}},
      {R"({"StreamName":"s","More":[1],"Records":[)" + entry + "]}", false, 200, {"YWJj"}},
      {R"({"StreamName":"s","Records":[{"Data":"YWJj","PartitionKey":"k","Data":"ZGVm"}]})",
       false,
       200,
       {"ZGVm"}},
      {R"({"StreamName":"s","Records":[],"Records":[)" + entry + "]}", false, 200, {"YWJj"}},
      {R"({"StreamName":"t","StreamName":"s","Records":[)" + entry + "]}", false, 200, {"YWJj"}},
      {R"({"StreamName":"s","Records":[)" + entry + "]}}", false, 400, {}},
      {R"({"StreamName":"s","Records":[)" + entry + "]},{}", false, 400, {}},
      {R"({"StreamName":"s","Records":[)" + entry + "}", false, 400, {}},
      {R"({"StreamName":"s","Records":[)" + entry + " " + entry + "]}", false, 400, {}},
      {R"({"StreamName":"s","Records":[{"PartitionKey":"k"}]})", false, 400, {}},
      {R"({"StreamName":"s","Records":[{"Data":"YWJj"}]})", true, 400, {}},  // for some streams
      {R"({"StreamName":"s","Records":[{"Data":"YWJj","PartitionKey":""}]})", false, 400, {}},
      {R"({"StreamName":"s","Records":[{"Data":"YWJ","PartitionKey":"k"}]})", false, 400, {}},
      {R"({"StreamName":"s","Records":[{"Data":"YW=j","PartitionKey":"k"}]})", true, 400, {}},
      {R"({"StreamName":"s","Records":[{"Data":"YWJj","PartitionKey":"k","ExplicitHashKey":"00"}]})",
       false,
       400,
       {}},
      {R"({"StreamName":"s s","Records":[)" + entry + "]}", false, 400, {}},
      {R"({"StreamName":"s","Records":[[)" + entry + "]]}", false, 400, {}},
      {R"({"StreamName":"s","Records":)" + entry + "}", false, 400, {}},
      {R"({"Records":[)" + entry + "]}", false, 400, {}},
      {"{\"StreamName\":\"s\",\"Records\":[{\"Data\":\"YWJj\",\"PartitionKey\":\"\xff\"}]}", false, 400, {}},
      {"{\"StreamName\":\"s\",\"Records\":[{\"Data\":\"YWJj\",\"PartitionKey\":\"a\tb\"}]}", false, 400, {}},
  };
  std::string iterator = machine.iterator("s", 0, "LATEST");
  PutRequestReader reader;
  for (const auto& row : rows) {
    PutTarget target;
    std::vector<broker::PutEntry> entries;
    EXPECT_EQ(reader.read_records(Bytes(row.body), 1'000, target, entries), row.taken) << row.body;
    EXPECT_EQ(machine.post_text("PutRecords", row.body).status, row.status) << row.body;
    const Json page = machine.call("GetRecords", {{"ShardIterator", iterator}});
    EXPECT_EQ(data_of(page), row.data) << row.body;
    iterator = page["NextShardIterator"];
  }
}

TEST(KinesisPuts, TheShortWayTakesOneRecordToo) {
  PutRequestReader reader;
  const auto takes = [&](const char* text) {
    const Bytes body{std::string_view(text)};
    PutTarget target;
    broker::PutEntry entry;
    return reader.read_record(body, 3, target, entry) && entry.partition_key == "k" && entry.data == "YWJj" &&
           entry.base64 && target.stream_name == "s";
  };
  EXPECT_TRUE(takes(R"({"StreamName":"s","PartitionKey":"k","Data":"YWJj"})"));
  EXPECT_TRUE(takes(R"({"Data":"YWJj","PartitionKey":"k","ExplicitHashKey":"9","StreamName":"s"})"));
  EXPECT_FALSE(takes(R"({"StreamName":"s","PartitionKey":"k","Data":"YWJjZA=="})"));  // over the limit
  EXPECT_FALSE(
      takes(R"({"StreamName":"s","PartitionKey":"k","Data":"YWJj","SequenceNumberForOrdering":"0"})"));
  EXPECT_FALSE(takes(R"({"PartitionKey":"k","Data":"YWJj"})"));
}

}  // namespace
}  // namespace millrace::kinesis
