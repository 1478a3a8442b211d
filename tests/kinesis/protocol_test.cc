// Before an operation: methods, content types, targets, bodies, CORS. As the service was recorded to answer.

#include <algorithm>
#include <regex>

#include "kinesis/kinesis_machine.h"
#include "kinesis/operation.h"

namespace millrace::kinesis {
namespace {

constexpr const char* kJson = "application/x-amz-json-1.1";
constexpr const char* kList = "Kinesis_20131202.ListStreams";

struct Expected {
  int status;
  std::string content_type;
  std::string body;
};

void expect(const Answer& answer, const Expected& expected, std::string_view what) {
  EXPECT_EQ(answer.status, expected.status) << what;
  EXPECT_EQ(answer.header("Content-Type"), expected.content_type) << what;
  EXPECT_EQ(answer.body, expected.body) << what;
  const std::regex id("[a-f0-9]{8}-[a-f0-9]{4}-4[a-f0-9]{3}-[89ab][a-f0-9]{3}-[a-f0-9]{12}");
  EXPECT_TRUE(std::regex_match(answer.header("x-amzn-RequestId"), id)) << answer.header("x-amzn-RequestId");
  EXPECT_EQ(answer.header("x-amz-id-2").size(), 96u) << what;
}

// {"__type": type} in CBOR, of indefinite length.
std::string cbor_error(std::string_view type) {
  const std::string head = type.size() < 24 ? "" : "\x78";
  const auto size = static_cast<char>(type.size() < 24 ? 0x60 + type.size() : type.size());
  return "\xbf\x66__type" + head + size + std::string(type) + "\xff";
}

const std::string kNoService =
    "<AccessDeniedException>\n  <Message>Unable to determine service/operation name to be "
    "authorized</Message>\n"
    "</AccessDeniedException>\n";
constexpr const char* kUnknown = R"({"__type":"UnknownOperationException"})";
constexpr const char* kNotSerial = R"({"__type":"SerializationException"})";

TEST(KinesisProtocol, AnswersWhatIsNoOperationAsTheServiceDoes) {
  KinesisMachine machine;
  const std::string cbor = "application/x-amz-cbor-1.1";
  const struct {
    const char* what;
    const char* method;
    Headers headers;
    std::string body;
    Expected expected;
  } rows[] = {
      {"GET", "GET", {}, "", {403, "", kNoService}},
      {"PUT with a body", "PUT", {{"content-type", kJson}}, "{}", {403, "", kNoService}},
      {"nothing", "POST", {}, "", {400, cbor, cbor_error("UnknownOperationException")}},
      {"no body", "POST", {{"content-type", kJson}, {"x-amz-target", kList}}, "", {400, kJson, kNotSerial}},
      {"no body, no type",
       "POST",
       {{"x-amz-target", kList}},
       "",
       {400, cbor, cbor_error("SerializationException")}},
      {"no type", "POST", {}, "{}", {403, "", kNoService}},
      {"wrong type",
       "POST",
       {{"content-type", "text/plain"}, {"x-amz-target", kList}},
       "{}",
       {404, "", "<UnknownOperationException/>\n"}},
      {"no target", "POST", {{"content-type", kJson}}, "{}", {400, kJson, kUnknown}},
      {"other service",
       "POST",
       {{"content-type", kJson}, {"x-amz-target", "Other.ListStreams"}},
       "{}",
       {400, kJson, kUnknown}},
      {"unknown operation",
       "POST",
       {{"content-type", kJson}, {"x-amz-target", "Kinesis_20131202.Nothing"}},
       "{}",
       {400, kJson, kUnknown}},
      {"broken body before unknown operation",
       "POST",
       {{"content-type", kJson}, {"x-amz-target", "Kinesis_20131202.Nothing"}},
       "{",
       {400, kJson, kNotSerial}},
      {"no object",
       "POST",
       {{"content-type", kJson}, {"x-amz-target", kList}},
       "true",
       {400, kJson, kNotSerial}},
      {"deprecated",
       "POST",
       {{"content-type", " application/json ; a=b"}, {"x-amz-target", kList}},
       "{}",
       {404, "application/json",
        R"({"Output":{"__type":"com.amazon.coral.service#UnknownOperationException"},"Version":"1.0"})"}},
      {"deprecated and broken",
       "POST",
       {{"content-type", "application/json"}, {"x-amz-target", kList}},
       "hello",
       {400, "application/json",
        R"({"Output":{"__type":"com.amazon.coral.service#SerializationException"},"Version":"1.0"})"}},
  };
  for (const auto& row : rows)
    expect(machine.exchange(row.method, row.headers, row.body), row.expected, row.what);
}

TEST(KinesisProtocol, ContentTypeMayHaveParametersAndHeadersAnyCase) {
  KinesisMachine machine;
  const Answer answer = machine.exchange(
      "POST", {{"CONTENT-type", "  application/x-amz-json-1.1 ;charset=utf-8"}, {"X-AMZ-TARGET", kList}},
      "{}");
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.header("Content-Type"), kJson);
}

TEST(KinesisProtocol, SignaturesAreAskedForAfterTheBodysForm) {
  const std::map<std::string, identity::Secret> secrets = {{"AKID", {"secret", ""}}};
  KinesisMachine machine({}, {}, std::make_unique<identity::Verifier>(secrets, "us-east-1", false));
  const Headers unsigned_headers = {{"content-type", kJson}, {"x-amz-target", kList}};
  const Answer missing = machine.exchange("POST", unsigned_headers, "{}");
  EXPECT_EQ(missing.json(), (Json{{"__type", "MissingAuthenticationTokenException"},
                                  {"message", "Missing Authentication Token"}}));
  EXPECT_EQ(machine.exchange("POST", unsigned_headers, "{]").body, kNotSerial);
  // A large body that nobody has signed is not looked at.
  EXPECT_EQ(machine.exchange("POST", unsigned_headers, "{]" + std::string(100'000, ' ')).json()["__type"],
            "MissingAuthenticationTokenException");
}

TEST(KinesisProtocol, HostileBodiesAreRefusedInForm) {
  KinesisMachine machine;
  std::string deep_list = R"({"X":)";
  std::string deep_map = R"({"X":)";
  for (int i = 0; i < 100'000; ++i) {
    deep_list += '[';
    deep_map += R"({"a":)";
  }
  const std::string bodies[] = {"{",
                                "{]",
                                "hello",
                                "\"text\"",
                                "17",
                                "null",
                                std::string("\0", 1),
                                "{\"StreamName\":\"\xff\"}",
                                "{\"StreamName\":\"\xed\xa0\x80\"}",  // a lone surrogate
                                "{\"Streams\":\"\xc0\x80\"}",         // overlong
                                R"({"StreamName":"a" "b"})",
                                R"({"StreamName":"a",})",
                                R"({"StreamName":"a"} {})",
                                R"({"StreamName":"\u12"})",
                                "{\"StreamName\":\"a\nb\"}",
                                R"({"StreamName":"\ud800"})",
                                R"({"Limit":1e999})",
                                R"({"Limit":--1})",
                                R"({"Limit":01})",
                                deep_list,
                                deep_map,
                                R"({"Records":[{"Data":"YQ==","PartitionKey":"k"}],"StreamName":"s")",
                                R"({"Records":[{"Data":"YQ==","PartitionKey":"k"},"StreamName":"s"})",
                                R"({"StreamName":"s","Records":[{"Data":"YQ==","PartitionKey":"k"}]]})",
                                R"({"StreamName":"s","Records":[{"Data":"YQ==","PartitionKey":"k"}]},{})"};
  for (const std::string& body : bodies) {
    for (const Operation* operation : all_operations()) {
      const Answer answer = machine.post_text(operation->name, body);
      EXPECT_EQ(answer.status, 400) << operation->name << " " << body.substr(0, 80);
      EXPECT_EQ(answer.body, kNotSerial) << operation->name << " " << body.substr(0, 80);
    }
  }
}

TEST(KinesisProtocol, OddButWellFormedBodiesAreUnderstood) {
  KinesisMachine machine;
  machine.create("s", 1);
  const char* describe[] = {
      R"({"StreamName":"other","StreamName":"s"})",  // the last of two counts
      R"(  { "StreamName" : "\u0073" , "Unknown" : [ { "a" : [ 1.5e3 , null , "\ud83d\ude00" ] } ] }  )",
      R"({"StreamName":"s","Limit":null,"ExclusiveStartShardId":null})",
      R"({"StreamName":"s","Limit":2.9})",  // rounded down
  };
  for (const char* body : describe) {
    const Answer answer = machine.post_text("DescribeStream", body);
    EXPECT_EQ(answer.status, 200) << body << ": " << answer.body;
  }
  const Answer list = machine.post_text("DescribeStream", "[]");
  EXPECT_EQ(list.json(), (Json{{"__type", "SerializationException"},
                               {"Message", "Start of list found where not expected"}}));
}

TEST(KinesisProtocol, ABodyOverTheLimitIsRefused) {
  FrontDoorOptions options;
  options.request_bytes_max = 1'000;
  KinesisMachine machine(options);
  const Answer answer = machine.post("ListStreams", {{"X", std::string(1'000, 'x')}});
  EXPECT_EQ(answer.status, 413);
  EXPECT_EQ(answer.type(), "RequestEntityTooLargeException");
}

TEST(KinesisProtocol, EachOperationIsFoundByItsNameAndByNoOther) {
  for (std::size_t i = 0; i < all_operations().size(); ++i) {
    const std::string name(all_operations()[i]->name);
    EXPECT_EQ(find_operation(name), i);
    EXPECT_EQ(find_operation(name + "x"), std::nullopt);
    EXPECT_EQ(find_operation(name.substr(1)), std::nullopt);
  }
  EXPECT_EQ(find_operation(""), std::nullopt);
  EXPECT_EQ(find_operation(std::string(100'000, 'x')), std::nullopt);
}

TEST(KinesisProtocol, RequestsAndErrorsAreCountedByOperation) {
  KinesisMachine machine;
  machine.call("ListStreams", Json::object());
  machine.post("ListStreams", {{"Limit", 0}});
  machine.post("Nothing", Json::object());
  std::size_t seen = 0;
  for (const OperationStats& stats : machine.door->stats()) {
    if (stats.name == "ListStreams") {
      EXPECT_EQ(stats.requests, 2u);
      const auto* invalid = std::find(kErrorTypes.begin(), kErrorTypes.end(), "ValidationException");
      EXPECT_EQ(stats.errors.at(static_cast<std::size_t>(invalid - kErrorTypes.begin())), 1u);
      std::uint64_t timed = 0;
      for (const std::uint64_t count : stats.latency.counts) timed += count;
      EXPECT_EQ(timed, 2u);
      ++seen;
    } else if (stats.name == "Unknown") {
      EXPECT_EQ(stats.requests, 1u);
      EXPECT_EQ(stats.errors.back(), 1u);  // UnknownOperationException is among the others
      ++seen;
    } else {
      EXPECT_EQ(stats.requests, 0u) << stats.name;
    }
  }
  EXPECT_EQ(seen, 2u);
}

}  // namespace
}  // namespace millrace::kinesis
