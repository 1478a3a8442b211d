// What quotas of callers and streams let through, by the simulated clock.

#include "identity/identities.h"
#include "identity/quota_meter.h"
#include "kinesis/record_requests.h"
#include "kinesis/signed_client.h"

namespace millrace::kinesis {
namespace {

using enum identity::Quantity;
using identity::Quota;

const std::string kExceeded = "ProvisionedThroughputExceededException";

// What the administrator has set.
class QuotaGround {
 protected:
  QuotaGround() {
    for (const char* name : {"u", "v"}) change(identity::UserAdded{name, std::string("AIDA") + name, 1});
  }
  FrontDoorOptions with_quotas() const {
    FrontDoorOptions options;
    options.quotas = &quotas;
    return options;
  }

 public:
  void change(const identity::IdentityChange& entry) {
    auto changed = identity::apply_change(state, entry);
    ASSERT_TRUE(changed.ok()) << changed.error().text;
    state = std::move(*changed);
    quotas.publish(identity::QuotaTable::make(state, quotas.here().get()));
  }
  void set(const std::string& owner, identity::Quantity quantity, std::uint64_t a_second) {
    Quota quota;
    quota[quantity] = a_second;
    change(identity::QuotaPut{owner, quota});
  }

  identity::Identities state;
  Published<identity::QuotaTable> quotas{identity::QuotaTable::make({}, nullptr)};
};

class QuotaMachine : public QuotaGround, public SignedMachine {
 public:
  QuotaMachine()
      : SignedMachine({{"u", one_statement("Allow", "*", "*")}, {"v", one_statement("Allow", "*", "*")}},
                      with_quotas()) {
    call_as_root("CreateStream", {{"StreamName", "s"}, {"ShardCount", 2}});
    wait_active("s");
  }

  Json call_as(const std::string& user, const std::string& operation, const Json& request) {
    const Answer answer = post_as(by(user), operation, request);
    EXPECT_EQ(answer.status, 200) << operation << ": " << answer.body;
    return answer.status == 200 && !answer.body.empty() ? answer.json() : Json::object();
  }
  Answer put_records(const std::string& user, int records, std::size_t bytes_each = 10) {
    Json all = Json::array();
    for (int i = 0; i < records; ++i)
      all.push_back(
          {{"PartitionKey", std::to_string(i % 10)}, {"Data", b64(std::string(bytes_each - 1, 'x'))}});
    return post_as(by(user), "PutRecords", {{"StreamName", "s"}, {"Records", all}});
  }
  // How many of them passed; the others must say why.
  int passed(const std::string& user, int records, const std::string& why, std::size_t bytes_each = 10) {
    const Answer answer = put_records(user, records, bytes_each);
    EXPECT_EQ(answer.status, 200) << answer.body;
    const Json json = answer.json();
    EXPECT_EQ(json["Records"].size(), static_cast<std::size_t>(records));
    int failed = 0;
    for (const Json& one : json["Records"]) {
      if (!one.contains("ErrorCode")) continue;
      ++failed;
      EXPECT_EQ(one, (Json{{"ErrorCode", kExceeded}, {"ErrorMessage", why}}));
    }
    EXPECT_EQ(json["FailedRecordCount"], failed);
    return records - failed;
  }
  Json put_one(std::size_t bytes = 10) {
    return {{"StreamName", "s"}, {"PartitionKey", "k"}, {"Data", b64(std::string(bytes - 1, 'x'))}};
  }
  void refuses_as(const std::string& user, const std::string& operation, const Json& request,
                  const std::string& message) {
    const Answer answer = post_as(by(user), operation, request);
    EXPECT_EQ(answer.status, 400) << answer.body;
    EXPECT_EQ(answer.json(), (Json{{"__type", kExceeded}, {"message", message}}));
  }
  std::size_t records_in_stream() {
    std::size_t count = 0;
    for (const char* shard : {"0", "1"}) {
      const Json iterator =
          call_as_root("GetShardIterator",
                       {{"StreamName", "s"}, {"ShardId", shard}, {"ShardIteratorType", "TRIM_HORIZON"}});
      count += call_as_root("GetRecords", iterator)["Records"].size();
    }
    return count;
  }
};

const std::string kTenRecords = "Rate exceeded: the quota of user u is 10 records/s in.";

TEST(KinesisQuotas, NoneIsSetAndNothingIsBounded) {
  QuotaMachine machine;
  for (int i = 0; i < 20; ++i) EXPECT_EQ(machine.passed("u", 500, ""), 500);
}

TEST(KinesisQuotas, ExactlySoManyRecordsPassASecondAndTheRestFailsOneByOne) {
  QuotaMachine machine;
  machine.set("user/u", kRecordsIn, 10);
  EXPECT_EQ(machine.passed("u", 4, kTenRecords), 4);
  EXPECT_EQ(machine.passed("u", 25, kTenRecords), 6);
  machine.refuses_as("u", "PutRecord", machine.put_one(), kTenRecords);
  EXPECT_EQ(machine.records_in_stream(), 10u);
  machine.world.run_for(kNsPerS / 2);
  EXPECT_EQ(machine.passed("u", 25, kTenRecords), 5);
  machine.world.run_for(60 * kNsPerS);
  EXPECT_EQ(machine.passed("u", 25, kTenRecords), 10) << "a burst is a second's";
  EXPECT_EQ(machine.passed("u", 3, kTenRecords), 0);
  EXPECT_EQ(machine.passed("v", 25, ""), 25) << "another one's is not touched";
  EXPECT_EQ(machine.records_in_stream(), 50u);
}

TEST(KinesisQuotas, PutRecordIsRefusedAsAWhole) {
  QuotaMachine machine;
  machine.set("user/u", kRecordsIn, 2);
  machine.call_as("u", "PutRecord", machine.put_one());
  machine.call_as("u", "PutRecord", machine.put_one());
  machine.refuses_as("u", "PutRecord", machine.put_one(),
                     "Rate exceeded: the quota of user u is 2 records/s in.");
}

TEST(KinesisQuotas, BytesAreThoseOfKeysAndData) {
  QuotaMachine machine;
  machine.set("stream/s", kBytesIn, 100);
  const std::string why = "Rate exceeded: the quota of stream s is 100 bytes/s in.";
  EXPECT_EQ(machine.passed("u", 12, why), 10) << "of 10 bytes each";
  machine.world.run_for(10 * kNsPerS);
  EXPECT_EQ(machine.passed("u", 3, why, 60), 1);
  machine.world.run_for(10 * kNsPerS);
  machine.call_as("v", "PutRecord", machine.put_one(250));
  machine.world.run_for(kNsPerS);
  machine.refuses_as("u", "PutRecord", machine.put_one(), why);
  machine.world.run_for(kNsPerS);
  machine.call_as("u", "PutRecord", machine.put_one());
}

TEST(KinesisQuotas, AStreamsHoldsForAllAndForRoot) {
  QuotaMachine machine;
  machine.set("stream/s", kRecordsIn, 10);
  const std::string why = "Rate exceeded: the quota of stream s is 10 records/s in.";
  EXPECT_EQ(machine.passed("u", 8, why), 8);
  EXPECT_EQ(machine.passed("v", 8, why), 2);
  machine.call_as_root("ListStreams", Json::object());
  const Answer answer = machine.post_as({}, "PutRecord", machine.put_one());
  EXPECT_EQ(answer.type(), kExceeded) << answer.body;
}

// A record that fits one meter and not the other is taken from neither.
TEST(KinesisQuotas, WhatTheStreamRefusesIsNotTakenFromTheCaller) {
  QuotaMachine machine;
  machine.set("user/u", kRecordsIn, 10);
  machine.set("stream/s", kRecordsIn, 4);
  const std::string why = "Rate exceeded: the quota of stream s is 4 records/s in.";
  EXPECT_EQ(machine.passed("u", 9, why), 4);
  machine.change(identity::QuotaRemoved{"stream/s"});
  EXPECT_EQ(machine.passed("u", 9, kTenRecords), 6);
}

TEST(KinesisQuotas, AChangeHoldsFromTheNextRequestOn) {
  QuotaMachine machine;
  machine.set("user/u", kRecordsIn, 10);
  EXPECT_EQ(machine.passed("u", 20, kTenRecords), 10);
  machine.set("user/u", kRecordsIn, 15);
  EXPECT_EQ(machine.passed("u", 20, "Rate exceeded: the quota of user u is 15 records/s in."), 15);
  machine.change(identity::QuotaRemoved{"user/u"});
  EXPECT_EQ(machine.passed("u", 20, ""), 20);
}

TEST(KinesisQuotas, LoopsShareOne) {
  QuotaMachine machine;
  machine.set("user/u", kRecordsIn, 10);
  machine.connections_on = 0;
  EXPECT_EQ(machine.passed("u", 7, kTenRecords), 7);
  machine.connections_on = 1;
  EXPECT_EQ(machine.passed("u", 7, kTenRecords), 3);
  machine.connections_on = 0;
  EXPECT_EQ(machine.passed("u", 7, kTenRecords), 0);
}

TEST(KinesisQuotas, TheDefaultIsEachOnesOwn) {
  QuotaMachine machine;
  machine.set("default", kRecordsIn, 10);
  EXPECT_EQ(machine.passed("u", 12,
                           "Rate exceeded: the quota of user u is 10 records/s in, the account's default."),
            10);
  EXPECT_EQ(machine.passed("v", 10, ""), 10);
}

TEST(KinesisQuotas, EveryOperationIsARequest) {
  QuotaMachine machine;
  machine.set("user/u", kRequests, 3);
  const std::string why = "Rate exceeded: the quota of user u is 3 requests/s.";
  machine.call_as("u", "ListStreams", Json::object());
  machine.call_as("u", "DescribeStreamSummary", {{"StreamName", "s"}});
  EXPECT_EQ(machine.passed("u", 500, ""), 500);
  machine.refuses_as("u", "ListStreams", Json::object(), why);
  EXPECT_EQ(machine.put_records("u", 1).type(), kExceeded);
  machine.world.run_for(kNsPerS);
  machine.set("stream/s", kRequests, 1);
  machine.call_as("v", "ListShards", {{"StreamName", "s"}});
  machine.refuses_as("u", "ListShards", {{"StreamName", "s"}},
                     "Rate exceeded: the quota of stream s is 1 requests/s.");
  machine.call_as("u", "ListStreams", Json::object());
}

TEST(KinesisQuotas, WhoMayNotCallUsesNothingUp) {
  QuotaMachine machine;
  machine.put_policy(kStreamArn, one_statement("Deny", "kinesis:PutRecord", kStreamArn, "v"));
  machine.set("stream/s", kRequests, 2);
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(machine.post_as(by("v"), "PutRecord", machine.put_one()).type(), "AccessDeniedException");
  machine.call_as("u", "PutRecord", machine.put_one());
}

TEST(KinesisQuotas, APutOfWhichNothingBecameIsNotCounted) {
  QuotaMachine machine;
  machine.set("user/u", kRecordsIn, 2);
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(
        machine.post_as(by("u"), "PutRecord", {{"StreamName", "s"}, {"PartitionKey", "k"}, {"Data", "?"}})
            .type(),
        "SerializationException");
  machine.call_as("u", "PutRecord", machine.put_one());
}

TEST(KinesisQuotas, ReadsAreHeldOffWhileWhatTheyGaveIsNotPaid) {
  QuotaMachine machine;
  machine.call_as_root("PutRecord", machine.put_one(250));
  machine.set("user/u", kBytesOut, 100);
  Json iterator;
  for (const char* shard : {"0", "1"}) {  // the record is in one of them
    iterator = machine.call_as_root(
        "GetShardIterator", {{"StreamName", "s"}, {"ShardId", shard}, {"ShardIteratorType", "TRIM_HORIZON"}});
    if (!machine.call_as_root("GetRecords", iterator)["Records"].empty()) break;
  }
  EXPECT_EQ(machine.call_as("u", "GetRecords", iterator)["Records"].size(), 1u);
  const std::string why = "Rate exceeded: the quota of user u is 100 bytes/s out.";
  machine.refuses_as("u", "GetRecords", iterator, why);
  EXPECT_EQ(machine.call_as("v", "GetRecords", iterator)["Records"].size(), 1u);
  machine.world.run_for(kNsPerS);
  machine.refuses_as("u", "GetRecords", iterator, why);
  machine.world.run_for(kNsPerS);
  machine.call_as("u", "GetRecords", iterator);
}

// An event stream of user u, from the stream's beginning on.
class QuotaSubscriber {
 public:
  explicit QuotaSubscriber(QuotaMachine& machine, const std::string& consumer, const std::string& shard) {
    const Json made = machine.call_as_root("RegisterStreamConsumer",
                                           {{"StreamARN", kStreamArn}, {"ConsumerName", consumer}});
    machine.world.run_for(kNsPerS);
    const Answer answer = machine.post_as(by("u"), "SubscribeToShard",
                                          {{"ConsumerARN", made["Consumer"]["ConsumerARN"]},
                                           {"ShardId", shard},
                                           {"StartingPosition", {{"Type", "TRIM_HORIZON"}}}});
    EXPECT_EQ(answer.status, 200) << answer.body;
    client = answer.stream;
  }
  ~QuotaSubscriber() { client->go_away(); }
  std::size_t records() const { return client->records().size(); }

  std::shared_ptr<StreamClient> client;
};

Json put_to_shard_0(std::size_t bytes) {
  return {{"StreamName", "s"},
          {"PartitionKey", "k"},
          {"ExplicitHashKey", "0"},
          {"Data", b64(std::string(bytes - 1, 'x'))}};
}

TEST(KinesisQuotas, AnEventStreamIsSlowedDownAndDoesNotFail) {
  QuotaMachine machine;
  machine.set("user/u", kBytesOut, 100);
  QuotaSubscriber subscriber(machine, "c", "shardId-000000000000");
  machine.world.run_for(1'000'000);
  for (int i = 0; i < 6; ++i) {
    machine.call_as_root("PutRecord", put_to_shard_0(100));
    machine.world.run_for(1'000'000);
  }
  EXPECT_EQ(subscriber.records(), 2u) << "what is there, and one more into debt";
  machine.world.run_for(kNsPerS / 2);
  EXPECT_EQ(subscriber.records(), 2u);
  machine.world.run_for(30 * kNsPerS);
  EXPECT_EQ(subscriber.records(), 6u);
  EXPECT_FALSE(subscriber.client->ended);
}

TEST(KinesisQuotas, AnEventStreamGoesOnWhenItsQuotaIsRaised) {
  QuotaMachine machine;
  machine.set("user/u", kBytesOut, 1);
  machine.call_as_root("PutRecord", put_to_shard_0(1'000));
  QuotaSubscriber subscriber(machine, "c", "shardId-000000000000");
  machine.world.run_for(1'000'000);
  machine.call_as_root("PutRecord", put_to_shard_0(1'000));
  machine.world.run_for(60 * kNsPerS);
  EXPECT_EQ(subscriber.records(), 1u);
  machine.change(identity::QuotaRemoved{"user/u"});
  machine.world.run_for(kNsPerS);
  EXPECT_EQ(subscriber.records(), 2u);
}

TEST(KinesisQuotas, EventStreamsOfOneQuotaShareItAndNobodyStarves) {
  QuotaMachine machine;
  machine.set("user/u", kBytesOut, 100);
  QuotaSubscriber first(machine, "c", "shardId-000000000000");
  QuotaSubscriber second(machine, "d", "shardId-000000000000");
  machine.world.run_for(1'000'000);
  for (int i = 0; i < 40; ++i) {
    machine.call_as_root("PutRecord", put_to_shard_0(100));
    machine.world.run_for(kNsPerS / 2);
  }
  const std::size_t sum = first.records() + second.records();
  EXPECT_GE(sum, 18u);
  EXPECT_LE(sum, 24u);
  EXPECT_GE(first.records(), 6u);
  EXPECT_GE(second.records(), 6u);
}

TEST(KinesisQuotas, WhatIsExceededShowsInTheMetrics) {
  QuotaMachine machine;
  machine.set("user/u", kRecordsIn, 10);
  EXPECT_EQ(machine.passed("u", 25, kTenRecords), 10);
  EXPECT_EQ(machine.quotas.here()->all().front()->exceeded(kRecordsIn), 15u);
  std::vector<MeterReading> readings;
  bool taken = false;
  machine.world.on(machine.world.loop(0), [&] {
    spawn(machine.door->take_meters(machine.world.loop(0)), [&](MeterTake all) {
      readings = std::move(all.readings);
      taken = true;
    });
  });
  EXPECT_TRUE(machine.world.run_until([&] { return taken; }));
  std::map<std::string, std::uint64_t> sums;
  for (const MeterReading& reading : readings)
    for (std::size_t i = 0; i < reading.labels.size(); ++i)
      sums[std::string(reading.labels[i].name)] += reading.figures[i].sum;
  EXPECT_EQ(sums["WriteProvisionedThroughputExceeded"], 15u);
  EXPECT_EQ(sums["PutRecords.ThrottledRecords"], 15u);
  EXPECT_EQ(sums["PutRecords.TotalRecords"], 25u);
  EXPECT_EQ(sums["PutRecords.FailedRecords"], 0u);
}

}  // namespace
}  // namespace millrace::kinesis
