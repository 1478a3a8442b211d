// SubscribeToShard: where it begins, what it brings, who may have it, and how it ends.

#include <algorithm>
#include <functional>

#include "base/base64.h"
#include "kinesis/kinesis_machine.h"

namespace millrace::kinesis {
namespace {

const Json kLatest = {{"Type", "LATEST"}};
const Json kHorizon = {{"Type", "TRIM_HORIZON"}};
using FanOutClient = std::shared_ptr<StreamClient>;
using Texts = std::vector<std::string>;

// The machine's connections are on loop 1, its odd shards' records, too; even shards' are on loop 0.
class FanOutMachine : public KinesisMachine {
 public:
  explicit FanOutMachine(int shards = 2, broker::BrokerOptions options = {}) : KinesisMachine({}, options) {
    create("s", shards);
  }

  std::string consumer(const std::string& name) {
    const std::string arn = call("RegisterStreamConsumer",
                                 {{"StreamARN", kArnOfS}, {"ConsumerName", name}})["Consumer"]["ConsumerARN"];
    world.run_for(kNsPerS);
    return arn;
  }
  static Json request(const std::string& arn, int shard, const Json& position) {
    return {{"ConsumerARN", arn},
            {"ShardId", "shardId-00000000000" + std::to_string(shard)},
            {"StartingPosition", position}};
  }
  FanOutClient subscribe(const std::string& arn, int shard, const Json& position = kLatest) {
    const Answer answer = post("SubscribeToShard", request(arn, shard, position));
    EXPECT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(answer.header("Content-Type"), "application/vnd.amazon.eventstream");
    EXPECT_NE(answer.header("x-amzn-RequestId"), "");
    EXPECT_NE(answer.stream, nullptr);
    if (answer.stream == nullptr) return std::make_shared<StreamClient>(world.loop(1));
    world.run_for(1'000'000);
    return answer.stream;
  }
  // Returns the record's number.
  std::string put(int shard, const std::string& text) {
    // Stream s has two shards, or one.
    const Json answer = call("PutRecord", {{"StreamName", "s"},
                                           {"PartitionKey", "k"},
                                           {"ExplicitHashKey", shard == 0 ? "0" : kLast},
                                           {"Data", encode(text)}});
    world.run_for(1'000'000);
    return answer["SequenceNumber"];
  }
  void on_connection(std::function<void()> act) {
    world.on(world.loop(1), [&] { act(); });
    world.run_for(1'000'000);
  }

  static std::string encode(const std::string& text) {
    std::string coded((text.size() + 2) / 3 * 4 + 64, ' ');
    base64_encode(as_bytes(text), coded.data());
    coded.resize((text.size() + 2) / 3 * 4);
    return coded;
  }
  static constexpr const char* kLast = "340282366920938463463374607431768211455";
};

Texts texts(const FanOutClient& client) {
  Texts all;
  for (const Json& record : client->records()) {
    const auto coded = record["Data"].get<std::string>();
    Bytes text(coded);
    std::string plain(coded.size() / 4 * 3 + 64, ' ');
    EXPECT_TRUE(base64_decode(text.text(), reinterpret_cast<std::uint8_t*>(plain.data())));
    const std::size_t padding = coded.ends_with("==") ? 2 : coded.ends_with("=") ? 1 : 0;
    all.push_back(plain.substr(0, coded.size() / 4 * 3 - padding));
  }
  return all;
}

TEST(KinesisFanOut, BringsWhatIsPutWithoutBeingAsked) {
  FanOutMachine machine;
  const std::string arn = machine.consumer("c");
  for (const int shard : {0, 1}) {  // of another loop, and of the connection's own
    machine.put(shard, "before");
    const FanOutClient client = machine.subscribe(arn, shard);
    auto messages = client->messages();
    ASSERT_EQ(messages.size(), 2u);
    EXPECT_EQ(messages[0].type, "initial-response");
    EXPECT_EQ(messages[0].content, Json::object());
    EXPECT_EQ(messages[1].type, "SubscribeToShardEvent");
    EXPECT_EQ(messages[1].content["Records"], Json::array());
    EXPECT_EQ(messages[1].content["MillisBehindLatest"], 0);
    const std::string number = machine.put(shard, "now");
    messages = client->messages();
    ASSERT_EQ(messages.size(), 3u);
    EXPECT_EQ(messages[2].kind, "event");
    EXPECT_EQ(messages[2].encoding, "application/json");
    const Json& event = messages[2].content;
    ASSERT_EQ(event["Records"].size(), 1u);
    EXPECT_EQ(event["Records"][0]["SequenceNumber"], number);
    EXPECT_EQ(event["Records"][0]["PartitionKey"], "k");
    EXPECT_TRUE(event["Records"][0].contains("ApproximateArrivalTimestamp"));
    EXPECT_EQ(event["MillisBehindLatest"], 0);
    EXPECT_GT(event["ContinuationSequenceNumber"].get<std::string>(), number);
    EXPECT_FALSE(event.contains("ChildShards"));
    machine.put(1 - shard, "of the other shard");
    EXPECT_EQ(texts(client), Texts{"now"});
    EXPECT_FALSE(client->ended);
  }
}

TEST(KinesisFanOut, BeginsWhereItIsTold) {
  FanOutMachine machine(1);
  const std::string first = machine.put(0, "a");
  const std::string second = machine.put(0, "b");
  machine.world.run_for(10 * kNsPerS);
  const double between_s = static_cast<double>(machine.world.clock().wall_ms()) / 1'000;
  machine.world.run_for(10 * kNsPerS);
  machine.put(0, "c");
  int consumers = 0;
  const auto got = [&](const Json& position) {
    const FanOutClient client =
        machine.subscribe(machine.consumer("c" + std::to_string(consumers++)), 0, position);
    machine.world.run_for(kNsPerS);
    return texts(client);
  };
  const auto at = [](const char* type, const std::string& number) {
    return Json{{"Type", type}, {"SequenceNumber", number}};
  };
  EXPECT_EQ(got(kHorizon), (Texts{"a", "b", "c"}));
  EXPECT_EQ(got(at("AT_SEQUENCE_NUMBER", second)), (Texts{"b", "c"}));
  EXPECT_EQ(got(at("AFTER_SEQUENCE_NUMBER", first)), (Texts{"b", "c"}));
  EXPECT_EQ(got({{"Type", "AT_TIMESTAMP"}, {"Timestamp", between_s}}), Texts{"c"});
  EXPECT_EQ(got({{"Type", "AT_TIMESTAMP"}, {"Timestamp", 1}}), (Texts{"a", "b", "c"}));
  EXPECT_EQ(got(kLatest), Texts{});
}

TEST(KinesisFanOut, GoesOnAtAndAfterTheContinuationNumberAlike) {
  FanOutMachine machine(1);
  const FanOutClient first = machine.subscribe(machine.consumer("c"), 0);
  const Json before_any = first->last()["ContinuationSequenceNumber"];
  machine.put(0, "a");
  const Json after_a = first->last()["ContinuationSequenceNumber"];
  machine.put(0, "b");
  int consumers = 0;
  for (const char* type : {"AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"}) {
    const auto got = [&](const Json& number) {
      const FanOutClient client = machine.subscribe(machine.consumer("d" + std::to_string(consumers++)), 0,
                                                    {{"Type", type}, {"SequenceNumber", number}});
      machine.world.run_for(kNsPerS);
      return texts(client);
    };
    EXPECT_EQ(got(before_any), (Texts{"a", "b"})) << type;
    EXPECT_EQ(got(after_a), Texts{"b"}) << type;
    const Json iterator = machine.call("GetShardIterator", {{"StreamName", "s"},
                                                            {"ShardId", "0"},
                                                            {"ShardIteratorType", type},
                                                            {"StartingSequenceNumber", after_a}});
    EXPECT_EQ(machine.call("GetRecords", iterator)["Records"].size(), 1u);
  }
}

TEST(KinesisFanOut, SpeaksTheEncodingOfTheRequest) {
  FanOutMachine machine(1);
  const std::string arn = machine.consumer("c");
  const auto request = Json::to_cbor(FanOutMachine::request(arn, 0, kLatest));
  const Answer answer =
      machine.exchange("POST",
                       {{"Content-Type", "application/x-amz-cbor-1.1"},
                        {"X-Amz-Target", "Kinesis_20131202.SubscribeToShard"},
                        {"Authorization",
                         "AWS4-HMAC-SHA256 Credential=AKID/20261125/us-east-1/kinesis/aws4_request, "
                         "SignedHeaders=host, Signature=00"},
                        {"X-Amz-Date", "20261125T000000Z"}},
                       std::string(request.begin(), request.end()));
  ASSERT_NE(answer.stream, nullptr) << answer.body;
  machine.put(0, "now");
  const auto messages = answer.stream->messages();
  ASSERT_EQ(messages.size(), 3u);
  EXPECT_EQ(messages[2].encoding, "application/x-amz-cbor-1.1");
  const Json& record = messages[2].content["Records"][0];
  EXPECT_EQ(record["Data"], Json::binary({'n', 'o', 'w'}));
  EXPECT_TRUE(record["ApproximateArrivalTimestamp"].is_number_integer());
}

TEST(KinesisFanOut, AConsumerHasAShardOnceAndTheLaterOneTakesItAfterFiveSeconds) {
  FanOutMachine machine;
  const std::string arn = machine.consumer("c");
  const std::string other = machine.consumer("d");
  const FanOutClient first = machine.subscribe(arn, 0);
  machine.subscribe(arn, 1);
  machine.subscribe(other, 0);
  const std::string message =
      "Another active subscription exists for this consumer: 000000000000:s:shardId-000000000000:c";
  machine.world.run_for(4 * kNsPerS);
  machine.refuses("SubscribeToShard", FanOutMachine::request(arn, 0, kLatest), "ResourceInUseException",
                  message);
  EXPECT_FALSE(first->ended);
  machine.world.run_for(kNsPerS);
  const FanOutClient second = machine.subscribe(arn, 0);
  EXPECT_TRUE(first->ended);
  EXPECT_EQ(first->messages().back().kind, "exception");
  EXPECT_EQ(first->messages().back().type, "ResourceInUseException");
  EXPECT_EQ(first->last(), (Json{{"message", message}}));
  machine.put(0, "for the second");
  EXPECT_EQ(texts(second), Texts{"for the second"});
  EXPECT_EQ(texts(first), Texts{});
}

TEST(KinesisFanOut, AClientThatWentAwayHoldsItsPlaceForFiveSecondsAndNoLonger) {
  FanOutMachine machine(1);
  const std::string arn = machine.consumer("c");
  const FanOutClient gone = machine.subscribe(arn, 0);
  machine.on_connection([&] { gone->go_away(); });
  EXPECT_EQ(machine.door->open_subscriptions(), 0u);
  EXPECT_EQ(machine.post("SubscribeToShard", FanOutMachine::request(arn, 0, kLatest)).type(),
            "ResourceInUseException");
  machine.world.run_for(5 * kNsPerS);
  const FanOutClient next = machine.subscribe(arn, 0);
  machine.put(0, "now");
  EXPECT_EQ(texts(next), Texts{"now"});
  EXPECT_EQ(machine.door->open_subscriptions(), 1u);
}

TEST(KinesisFanOut, LivesFiveMinutesWithAnEventEveryFiveSecondsAtLeast) {
  FanOutMachine machine(1);
  const FanOutClient client = machine.subscribe(machine.consumer("c"), 0);
  std::size_t before = client->chunks.size();
  for (int i = 0; i < 59; ++i) {
    machine.world.run_for(5 * kNsPerS);
    EXPECT_GT(client->chunks.size(), before);
    EXPECT_FALSE(client->ended);
    before = client->chunks.size();
  }
  EXPECT_EQ(client->last()["MillisBehindLatest"], 0);
  machine.world.run_for(5 * kNsPerS);
  EXPECT_TRUE(client->ended);
  EXPECT_EQ(client->messages().back().kind, "event");
}

TEST(KinesisFanOut, TwentyConsumersShareTheBytesOfOneEvent) {
  FanOutMachine machine;
  for (const int shard : {0, 1}) {
    std::vector<FanOutClient> clients;
    for (int i = 0; i < 10; ++i)
      clients.push_back(machine.subscribe(machine.consumer("c" + std::to_string(10 * shard + i)), shard));
    machine.put(shard, "a");
    machine.put(shard, "b");
    for (const FanOutClient& client : clients) {
      EXPECT_EQ(texts(client), (Texts{"a", "b"}));
      EXPECT_EQ(client->chunks.back(), clients[0]->chunks.back()) << "a copy of its own";
    }
  }
}

TEST(KinesisFanOut, WhoJoinsInTheMiddleSharesFromTheNextEventOn) {
  FanOutMachine machine(1);
  const FanOutClient old = machine.subscribe(machine.consumer("c"), 0);
  machine.put(0, "a");
  const FanOutClient behind = machine.subscribe(machine.consumer("d"), 0, kHorizon);
  machine.put(0, "b");
  EXPECT_EQ(texts(behind), (Texts{"a", "b"}));
  EXPECT_EQ(behind->chunks.back(), old->chunks.back());
}

TEST(KinesisFanOut, ASlowClientIsBoundedAndGetsEverythingInOrderAndSlowsNobody) {
  FanOutMachine machine(1);
  const FanOutClient slow = machine.subscribe(machine.consumer("c"), 0);
  const FanOutClient fast = machine.subscribe(machine.consumer("d"), 0);
  slow->stop_taking();
  Texts all;
  for (int i = 0; i < 80; ++i) {
    all.push_back(std::to_string(i) + std::string(100'000, 'x'));
    machine.put(0, all.back());
  }
  EXPECT_EQ(texts(fast), all);
  EXPECT_LT(texts(slow).size(), 20u);
  EXPECT_LT(slow->most_queued, 3u * 1'024 * 1'024);
  for (int i = 0; i < 20; ++i) {
    machine.on_connection([&] { slow->take_all(); });
    machine.on_connection([&] { slow->stop_taking(); });
  }
  EXPECT_EQ(texts(slow), all);
  EXPECT_LT(slow->most_queued, 3u * 1'024 * 1'024);
  machine.on_connection([&] { slow->take_all(); });
  machine.put(0, "at the tip again");
  EXPECT_EQ(slow->chunks.back(), fast->chunks.back());
}

TEST(KinesisFanOut, ABacklogComesInEventsOfBoundedSize) {
  FanOutMachine machine(1);
  Texts all;
  for (int i = 0; i < 50; ++i) {
    all.push_back(std::to_string(i) + std::string(200'000, 'x'));
    machine.put(0, all.back());
  }
  const FanOutClient client = machine.subscribe(machine.consumer("c"), 0, kHorizon);
  machine.world.run_for(kNsPerS);
  EXPECT_EQ(texts(client), all);
  EXPECT_GT(client->messages()[1].content["MillisBehindLatest"], 0);
  EXPECT_EQ(client->last()["MillisBehindLatest"], 0);
  for (const SharedBytes& chunk : client->chunks) EXPECT_LT(chunk->size(), 2u * 1'024 * 1'024);
}

TEST(KinesisFanOut, TheEndOfAShardTellsItsChildren) {
  FanOutMachine machine(1);
  const FanOutClient client = machine.subscribe(machine.consumer("c"), 0);
  machine.put(0, "last");
  machine.call("SplitShard", {{"StreamName", "s"}, {"ShardToSplit", "0"}, {"NewStartingHashKey", "1000"}});
  machine.wait_active("s");
  machine.world.run_for(kNsPerS);
  EXPECT_EQ(texts(client), Texts{"last"});
  EXPECT_TRUE(client->ended);
  const auto children = [](const Json& event) {
    Texts ids;
    for (const Json& child : event["ChildShards"]) {
      EXPECT_EQ(child["ParentShards"], Json::array({"shardId-000000000000"}));
      EXPECT_TRUE(child.contains("HashKeyRange"));
      ids.push_back(child["ShardId"].get<std::string>().substr(18));
    }
    return ids;
  };
  const Json end = client->last();
  EXPECT_EQ(children(end), (Texts{"01", "02"}));
  EXPECT_EQ(end["Records"], Json::array());
  EXPECT_LT(end["MillisBehindLatest"], 500);  // it has only just ended
  EXPECT_FALSE(end.contains("ContinuationSequenceNumber"));

  // Who comes later is told the same, behind the records that he asked for.
  const FanOutClient late = machine.subscribe(machine.consumer("d"), 0, kHorizon);
  machine.world.run_for(kNsPerS);
  EXPECT_EQ(texts(late), Texts{"last"});
  EXPECT_EQ(children(late->last()), (Texts{"01", "02"}));
  EXPECT_GE(late->last()["MillisBehindLatest"], 500);  // the age of the end

  // Behind the end there is nothing to subscribe to.
  const Json shards = machine.call("ListShards", {{"StreamName", "s"}})["Shards"];
  const std::string arn = machine.consumer("e");
  const Json behind = {{"Type", "AFTER_SEQUENCE_NUMBER"},
                       {"SequenceNumber", shards[0]["SequenceNumberRange"]["EndingSequenceNumber"]}};
  machine.refuses(
      "SubscribeToShard", FanOutMachine::request(arn, 0, behind), "InvalidArgumentException",
      "Invalid SequenceNumber for ShardIteratorType AFTER_SEQUENCE_NUMBER, SequenceNumber has reached max "
      "possible value for the shard.");
}

TEST(KinesisFanOut, EndsWithAnErrorWhenConsumerOrStreamGo) {
  FanOutMachine machine(1);
  const std::string arn = machine.consumer("c");
  const FanOutClient of_consumer = machine.subscribe(arn, 0);
  const FanOutClient of_stream = machine.subscribe(machine.consumer("d"), 0);
  machine.call("DeregisterStreamConsumer", {{"ConsumerARN", arn}});
  machine.world.run_for(kNsPerS);
  EXPECT_TRUE(of_consumer->ended);
  EXPECT_EQ(of_consumer->messages().back().type, "ResourceNotFoundException");
  EXPECT_FALSE(of_stream->ended);
  machine.call("DeleteStream", {{"StreamName", "s"}, {"EnforceConsumerDeletion", true}});
  machine.world.run_for(kNsPerS);
  EXPECT_TRUE(of_stream->ended);
  EXPECT_EQ(of_stream->messages().back().type, "ResourceNotFoundException");
  EXPECT_EQ(of_stream->last(), (Json{{"message", "Stream s under account 000000000000 not found."}}));
  EXPECT_EQ(machine.door->open_subscriptions(), 0u);
}

TEST(KinesisFanOut, UnderTheServicesLimitsAConsumerGetsTwoMegabytesASecond) {
  broker::BrokerOptions options;
  options.aws_limits = true;
  FanOutMachine machine(1, options);
  for (int i = 0; i < 12; ++i) {
    machine.put(0, std::string(900'000, 'x'));
    machine.world.run_for(kNsPerS);
  }
  const FanOutClient client = machine.subscribe(machine.consumer("c"), 0, kHorizon);
  const auto megabytes = [&] { return static_cast<double>(client->records().size()) * 0.9; };
  EXPECT_LE(megabytes(), 4.0);  // what it may have saved up, and one event more
  machine.world.run_for(kNsPerS);
  EXPECT_LE(megabytes(), 6.0);
  machine.world.run_for(5 * kNsPerS);
  EXPECT_EQ(client->records().size(), 12u);
}

TEST(KinesisFanOut, AServerThatLeavesEndsThemInOrderAndTakesNoNewOnes) {
  FanOutMachine machine(1);
  const std::string arn = machine.consumer("c");
  const FanOutClient client = machine.subscribe(machine.consumer("d"), 0);
  machine.put(0, "a");
  machine.door->leave();
  machine.world.run_for(1'000'000);
  EXPECT_TRUE(client->ended);
  EXPECT_EQ(client->messages().back().kind, "event");
  EXPECT_EQ(texts(client), Texts{"a"});
  const Answer refused = machine.post("SubscribeToShard", FanOutMachine::request(arn, 0, kLatest));
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.type(), "ServiceUnavailable");
}

TEST(KinesisFanOut, RefusesWhatIsNotThere) {
  FanOutMachine machine(1);
  const std::string arn = machine.call(
      "RegisterStreamConsumer", {{"StreamARN", kArnOfS}, {"ConsumerName", "c"}})["Consumer"]["ConsumerARN"];
  machine.refuses("SubscribeToShard", FanOutMachine::request(arn, 0, kLatest), "ResourceInUseException",
                  "Consumer c with creation timestamp " + arn.substr(arn.rfind(':') + 1) +
                      " under stream s and account 000000000000 is not in ACTIVE status.");
  machine.world.run_for(kNsPerS);
  machine.refuses("SubscribeToShard", FanOutMachine::request(arn, 7, kLatest), "ResourceNotFoundException",
                  "Shard shardId-000000000007 in stream s under account 000000000000 does not exist");
  EXPECT_EQ(machine.post("SubscribeToShard", FanOutMachine::request(arn + "1", 0, kLatest)).type(),
            "ResourceNotFoundException");
  for (const Json& position : {Json{{"Type", "AT_SEQUENCE_NUMBER"}}, Json{{"Type", "AT_TIMESTAMP"}},
                               Json{{"Type", "AT_TIMESTAMP"}, {"Timestamp", 1'796'064'172'123'456'789}},
                               Json{{"Type", "AT_TIMESTAMP"}, {"Timestamp", 1e300}},
                               Json{{"Type", "AFTER_SEQUENCE_NUMBER"}, {"SequenceNumber", "123"}}})
    EXPECT_EQ(machine.post("SubscribeToShard", FanOutMachine::request(arn, 0, position)).type(),
              "InvalidArgumentException")
        << position.dump();
  Json dry = FanOutMachine::request(arn, 0, kLatest);
  dry["DryRun"] = true;
  EXPECT_EQ(machine.post("SubscribeToShard", dry).type(), "DryRunOperationException");
  machine.subscribe(arn, 0);  // nothing of these holds it
}

}  // namespace
}  // namespace millrace::kinesis
