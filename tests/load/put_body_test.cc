#include "load/put_body.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/base64.h"

namespace millrace::load {
namespace {

std::string decode(const std::string& text) {
  const std::string padded = text + std::string(64, ' ');
  std::vector<std::uint8_t> out(*base64_decoded_size(text) + 64);
  EXPECT_TRUE(base64_decode({padded.data(), text.size()}, out.data()));
  return {out.begin(), out.end() - 64};
}

PutBody three_records() {
  PutBody body("s");
  for (std::uint64_t i = 0; i < 3; ++i) body.add({i, 5, 77}, "u-" + std::to_string(i), R"("type":"click"})");
  return body;
}

TEST(PutBodyTest, IsTheJsonOfPutRecords) {
  PutBody body = three_records();
  body.finish();
  const auto json = nlohmann::json::parse(body.json());
  EXPECT_EQ(json["StreamName"], "s");
  ASSERT_EQ(json["Records"].size(), 3u);
  EXPECT_EQ(json["Records"][1]["PartitionKey"], "u-1");
  const auto payload = nlohmann::json::parse(decode(json["Records"][1]["Data"]));
  EXPECT_EQ(payload, nlohmann::json::parse(R"({"n":1,"p":5,"t":77,"type":"click"})"));
}

TEST(PutBodyTest, RefusedRecordsAreTakenOverAsTheyAre) {
  PutBody body = three_records();
  body.finish();
  PutBody again("s");
  again.add_from(body, 0);
  again.add_from(body, 2);
  again.finish();
  const auto json = nlohmann::json::parse(body.json());
  const auto json_again = nlohmann::json::parse(again.json());
  ASSERT_EQ(json_again["Records"].size(), 2u);
  EXPECT_EQ(json_again["Records"][0], json["Records"][0]);
  EXPECT_EQ(json_again["Records"][1], json["Records"][2]);
}

TEST(FailedRecordsTest, NamesThePositionsThatHaveAnErrorCode) {
  EXPECT_EQ(failed_records(
                R"({"FailedRecordCount":2,"Records":[{"ErrorCode":"InternalFailure","ErrorMessage":"no"},)"
                R"({"SequenceNumber":"1","ShardId":"s"},{"ErrorCode":"InternalFailure"}]})"),
            (std::vector<std::size_t>{0, 2}));
  EXPECT_TRUE(
      failed_records(R"({"FailedRecordCount":0,"Records":[{"SequenceNumber":"1","ShardId":"s"}]})").empty());
}

}  // namespace
}  // namespace millrace::load
