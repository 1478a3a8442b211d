// The tables on a simulated machine: commands, power losses at any operation of the disk, and failing writes.
#include "leases/dynamodb/table_store.h"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include <map>
#include <set>

#include "leases/attribute_text.h"
#include "leases/dynamodb/change_codec.h"
#include "leases/dynamodb/operations.h"
#include "leases/dynamodb/picture.h"
#include "leases/tables_text.h"
#include "sim/sim_disk.h"
#include "sim/sim_world.h"

namespace millrace::leases::dynamodb {
namespace {

struct Answer {
  std::string error;  // its type; empty: it went well
  std::string body;   // or the error's message
};

// Owns its command, so that nothing of it hangs in a machine that is dead.
Task<Answer> run_command(std::shared_ptr<TableStore> store, std::unique_ptr<Command> command) {
  Bytes reply;
  auto running = store->run(*command, reply);
  Outcome outcome = co_await std::move(running);
  if (outcome.has_value())
    co_return Answer{outcome->type.substr(outcome->type.find('#') + 1), outcome->message};
  co_return Answer{"", std::string(reply.text())};
}

struct Machine {
  explicit Machine(std::uint64_t seed = 1) : world(sim::Seed{seed}), disk(sim::Seed{seed}, &world) {
    world.add_loop();
    options.expiry_every_ms = 5'000;
  }
  ~Machine() { stop(); }

  void start() {
    objects = std::move(*store::open_directory_store(disk, "objects"));
    auto opened = cluster::Ledger::open(*objects, "leases/", world.loop(0), world.start_worker("leases"));
    ASSERT_TRUE(opened.ok()) << opened.error().text;
    auto made = TableStore::open(std::move(*opened), world.loop(0), *clock, options);
    ASSERT_TRUE(made.ok()) << made.error().text;
    tables = *made;
    world.on(world.loop(0), [this] { tables->start(); });
  }
  void stop() {
    world.drop_events();
    tables.reset();
    world.drop_events();
  }
  void crash() {
    if (!disk.crashed()) disk.crash(sim::Crash::kPowerLoss);
    stop();
    disk.restart();
  }

  std::unique_ptr<Command> read(std::string_view operation, std::string_view request,
                                Answer* wrong = nullptr) {
    static const std::string kAccount = "000000000000";
    static const std::string kRegion = "us-east-1";
    const Scope scope{kAccount, kRegion, world.clock(), "uuid", "localhost"};
    std::unique_ptr<Command> command;
    const Outcome refused = find_operation(operation)->read(json_of(request), scope, &command);
    if (refused.has_value() && wrong != nullptr)
      *wrong = {refused->type.substr(refused->type.find('#') + 1), refused->message};
    return refused.has_value() ? nullptr : std::move(command);
  }
  Answer call(std::string_view operation, std::string_view request) {
    Answer wrong;
    auto command = read(operation, request, &wrong);
    if (command == nullptr) return wrong;
    auto answer = world.await(world.loop(0), run_command(tables, std::move(command)));
    return answer.value_or(Answer{"no answer", ""});
  }
  void create(std::string_view table = "leases") {
    const Answer answer = call(
        "CreateTable",
        fmt::format(
            R"({{"TableName":"{}","AttributeDefinitions":[{{"AttributeName":"k","AttributeType":"S"}}],)"
            R"("KeySchema":[{{"AttributeName":"k","KeyType":"HASH"}}],"BillingMode":"PAY_PER_REQUEST"}})",
            table));
    ASSERT_EQ(answer.error, "") << answer.body;
    world.run_for(2'000'000'000);
  }
  Answer put(std::string_view key, std::string_view value) {
    return call(
        "PutItem",
        fmt::format(R"({{"TableName":"leases","Item":{{"k":{{"S":"{}"}},"v":{{"S":"{}"}}}}}})", key, value));
  }
  std::string get(std::string_view key) {
    return call("GetItem", fmt::format(R"({{"TableName":"leases","Key":{{"k":{{"S":"{}"}}}}}})", key)).body;
  }

  sim::SimWorld world;
  const Clock* clock = &world.clock();
  sim::SimDisk disk;
  TableStoreOptions options;
  std::unique_ptr<store::ObjectStore> objects;
  std::shared_ptr<TableStore> tables;
};

std::string item(std::string_view key, std::string_view value) {
  return fmt::format(R"({{"Item":{{"k":{{"S":"{}"}},"v":{{"S":"{}"}}}}}})", key, value);
}

TEST(TableStore, ATableIsActiveAtOnceAndItsItemsOutliveARestart) {
  Machine machine;
  machine.start();
  const Answer created = machine.call(
      "CreateTable",
      R"({"TableName":"leases","AttributeDefinitions":[{"AttributeName":"k","AttributeType":"S"}],)"
      R"("KeySchema":[{"AttributeName":"k","KeyType":"HASH"}],"BillingMode":"PAY_PER_REQUEST"})");
  EXPECT_NE(created.body.find(R"("TableStatus":"ACTIVE")"), std::string::npos) << created.body;
  EXPECT_EQ(machine.put("a", "1").error, "");
  machine.crash();
  machine.start();
  EXPECT_EQ(machine.get("a"), item("a", "1"));
  EXPECT_NE(machine.call("DescribeTable", R"({"TableName":"leases"})").body.find(R"("TableStatus":"ACTIVE")"),
            std::string::npos);
}

TEST(TableStore, AnIndexIsActiveAtOnceAndADeletedTableGone) {
  Machine machine;
  machine.start();
  machine.create();
  const Answer updated = machine.call(
      "UpdateTable",
      R"({"TableName":"leases","AttributeDefinitions":[{"AttributeName":"v","AttributeType":"S"}],)"
      R"("GlobalSecondaryIndexUpdates":[{"Create":{"IndexName":"by-v","KeySchema":)"
      R"([{"AttributeName":"v","KeyType":"HASH"}],"Projection":{"ProjectionType":"ALL"}}}]})");
  EXPECT_NE(updated.body.find(R"("IndexStatus":"ACTIVE")"), std::string::npos) << updated.body;
  EXPECT_NE(updated.body.find(R"("TableStatus":"ACTIVE")"), std::string::npos) << updated.body;
  ASSERT_EQ(machine.put("a", "1").error, "");
  const Answer deleted = machine.call("DeleteTable", R"({"TableName":"leases"})");
  EXPECT_NE(deleted.body.find(R"("TableStatus":"DELETING")"), std::string::npos) << deleted.body;
  EXPECT_EQ(machine.put("a", "1").error, "ResourceNotFoundException");
  machine.create();  // the name is free
  EXPECT_EQ(machine.get("a"), "{}");
  machine.crash();
  machine.start();
  EXPECT_EQ(machine.get("a"), "{}");
}

// Earlier versions let them pass through CREATING, UPDATING and DELETING.
TEST(TableStore, WhatAnEarlierVersionLeftOnItsWayGetsThere) {
  Machine machine;
  machine.objects = std::move(*store::open_directory_store(machine.disk, "objects"));
  {
    auto opened = cluster::Ledger::open(*machine.objects, "leases/", machine.world.loop(0),
                                        machine.world.start_worker("earlier"));
    ASSERT_TRUE(opened.ok());
    std::string entry;
    for (const char* table :
         {R"("one","status":"CREATING")", R"("two","status":"UPDATING")", R"("three","status":"DELETING")"})
      entry += fmt::format(R"({{"table":{{"name":{},"key_types":{{"k":"S"}},"hash":"k"}}}})", table) + "\n";
    ASSERT_TRUE(machine.world.await(machine.world.loop(0), opened->ledger->append(std::move(entry)))->ok());
  }
  machine.start();
  machine.world.run_for(100'000'000);
  for (const char* table : {"one", "two"})
    EXPECT_NE(machine.call("DescribeTable", fmt::format(R"({{"TableName":"{}"}})", table))
                  .body.find(R"("TableStatus":"ACTIVE")"),
              std::string::npos)
        << table;
  EXPECT_EQ(machine.call("ListTables", "{}").body, R"({"TableNames":["one","two"]})");
}

TEST(TableStore, TagKeysOfTheServicesOwnAreRefused) {
  Machine machine;
  machine.start();
  machine.create();
  constexpr std::string_view kArn = "arn:aws:dynamodb:us-east-1:000000000000:table/leases";
  const std::string reserved =
      "One or more parameter values were invalid: Tag keys that begin with aws: are reserved: aws:x";
  const Answer set = machine.call(
      "TagResource", fmt::format(R"({{"ResourceArn":"{}","Tags":[{{"Key":"aws:x","Value":"1"}}]}})", kArn));
  EXPECT_EQ(set.error, "ValidationException");
  EXPECT_EQ(set.body, reserved);
  EXPECT_EQ(
      machine.call("UntagResource", fmt::format(R"({{"ResourceArn":"{}","TagKeys":["aws:x"]}})", kArn)).body,
      reserved);
}

TEST(TableStore, ATableIsNamedByAnArnOfDynamoDbOnly) {
  Machine machine;
  machine.start();
  machine.create();
  const auto describe = [&](std::string_view arn) {
    return machine.call("DescribeTable", fmt::format(R"({{"TableName":"{}"}})", arn)).error;
  };
  EXPECT_EQ(describe("arn:aws:dynamodb:us-east-1:000000000000:table/leases"), "");
  EXPECT_EQ(describe("arn:awsX:dynamodb:us-east-1:000000000000:table/leases"), "ValidationException");
  EXPECT_EQ(describe("arn:aws:kinesis:us-east-1:000000000000:table/leases"), "ValidationException");
}

// What a client was told is there after a power loss; what it was not told of is there as a whole or not at
// all.
TEST(TableStore, AcknowledgedWritesOutliveAPowerLossAtAnyOperation) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    Machine machine(seed);
    machine.start();
    machine.create();
    const std::uint64_t base = machine.disk.operations();
    machine.disk.crash_at_operation(base + 1 + seed * 7, sim::Crash::kPowerLoss);
    std::map<std::string, std::string> acknowledged;
    std::map<std::string, std::set<std::string>> attempted;
    int under_way = 0;
    machine.world.on(machine.world.loop(0), [&] {
      for (int i = 0; i < 300; ++i) {
        const std::string key = fmt::format("k{}", i % 10);
        const std::string value = fmt::format("v{}", i);
        attempted[key].insert(value);
        auto command = machine.read(
            "PutItem", fmt::format(R"({{"TableName":"leases","Item":{{"k":{{"S":"{}"}},"v":{{"S":"{}"}}}}}})",
                                   key, value));
        ++under_way;
        machine.world.loop(0).post_after(
            i * 200'000,
            [&, command = std::make_shared<std::unique_ptr<Command>>(std::move(command)), key, value] {
              spawn(run_command(machine.tables, std::move(*command)), [&, key, value](Answer answer) {
                --under_way;
                if (answer.error.empty()) acknowledged[key] = value;
              });
            });
      }
    });
    machine.world.run_until([&] { return under_way == 0; });
    machine.crash();
    machine.start();
    for (const auto& [key, value] : acknowledged) {
      const std::string found = machine.get(key);
      bool later = false;  // one that was not answered may have come behind it
      for (const std::string& other : attempted[key])
        later |= found == item(key, other) && std::stoi(other.substr(1)) >= std::stoi(value.substr(1));
      EXPECT_TRUE(later) << "seed " << seed << ": " << key << " was " << value << ", is " << found;
    }
  }
}

TEST(TableStore, ReadersSeeOnlyWhatIsDurable) {
  Machine machine;
  machine.start();
  machine.create();
  ASSERT_EQ(machine.put("a", "1").error, "");
  std::vector<std::string> seen;
  machine.world.on(machine.world.loop(0), [&] {
    spawn(run_command(
              machine.tables,
              machine.read("PutItem", R"({"TableName":"leases","Item":{"k":{"S":"a"},"v":{"S":"2"}}})")),
          [&](Answer answer) { seen.push_back("put " + answer.error); });
    spawn(run_command(machine.tables,
                      machine.read("GetItem", R"({"TableName":"leases","Key":{"k":{"S":"a"}}})")),
          [&](Answer answer) { seen.push_back(answer.body); });
  });
  EXPECT_TRUE(seen.empty()) << "nothing is answered before the write is durable";
  machine.world.run_until([&] { return seen.size() == 2; });
  EXPECT_EQ(seen, (std::vector<std::string>{"put ", item("a", "2")}));
}

TEST(TableStore, WhatCouldNotBeWrittenIsTakenBack) {
  Machine machine;
  machine.start();
  machine.create();
  ASSERT_EQ(machine.put("a", "1").error, "");
  machine.disk.fail_next(sim::Operation::kCreate);
  const Answer failed = machine.put("a", "2");
  EXPECT_EQ(failed.error, "InternalServerError") << failed.body;
  EXPECT_EQ(machine.get("a"), item("a", "1"));
  EXPECT_EQ(machine.put("a", "3").error, "");
  EXPECT_EQ(machine.get("a"), item("a", "3"));
}

TEST(TableStore, OfManyWhoExpectTheSameOneWins) {
  Machine machine;
  machine.start();
  machine.create();
  int won = 0;
  int lost = 0;
  machine.world.on(machine.world.loop(0), [&] {
    for (int i = 0; i < 20; ++i)
      spawn(run_command(machine.tables,
                        machine.read("PutItem", R"({"TableName":"leases","Item":{"k":{"S":"lock"}},)"
                                                R"-("ConditionExpression":"attribute_not_exists(k)"})-")),
            [&](Answer answer) { ++(answer.error.empty() ? won : lost); });
  });
  machine.world.run_until([&] { return won + lost == 20; });
  EXPECT_EQ(won, 1);
  EXPECT_EQ(lost, 19);
}

TEST(TableStore, SnapshotsBoundTheLedger) {
  Machine machine;
  machine.start();
  machine.create();
  for (int i = 0; i < 600; ++i)
    ASSERT_EQ(machine.put(fmt::format("k{}", i % 7), fmt::format("{}", i)).error, "");
  machine.world.run_for(1'000'000'000);
  EXPECT_LT(machine.objects->list("leases/")->size(), 300u);
  machine.crash();
  machine.start();
  for (int i = 593; i < 600; ++i)
    EXPECT_EQ(machine.get(fmt::format("k{}", i % 7)), item(fmt::format("k{}", i % 7), fmt::format("{}", i)));
}

// While a snapshot of large tables is being written, commands go on, and a power loss at any time, in the
// middle of it too, loses nothing that was acknowledged.
TEST(TableStore, CommandsGoOnBesideASnapshotAndAPowerLossAnywhereLosesNothing) {
  int cut_short = 0;
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    Machine machine(seed);
    machine.start();
    machine.create();
    const std::string large(300'000, 'x');
    std::map<std::string, std::string> acknowledged;
    std::pair<std::string, std::string> attempted;
    const auto put = [&](const std::string& key, const std::string& value) {
      attempted = {key, value};
      const std::int64_t begin_ns = machine.world.clock().monotonic_ns();
      const Answer answer = machine.put(key, value);
      if (!answer.error.empty()) return false;
      acknowledged[key] = value;
      EXPECT_LT(machine.world.clock().monotonic_ns() - begin_ns, 150'000'000);
      return true;
    };
    for (int i = 0; i < 18; ++i)
      ASSERT_TRUE(put(fmt::format("large{}", i), large));  // 5 MB: a snapshot is due
    machine.disk.crash_at_operation(machine.disk.operations() + 1 + seed * 9, sim::Crash::kPowerLoss);
    for (int i = 0; i < 40; ++i) {
      if (!put(fmt::format("k{}", i % 5), fmt::format("{}", i))) break;
      if (i % 8 == 7 && !put(fmt::format("large{}", i / 8), fmt::format("{}", i))) break;
      machine.world.run_for(1'000'000);
    }
    if (machine.disk.crashed()) ++cut_short;
    machine.crash();
    machine.start();
    for (const auto& [key, value] : acknowledged) {
      const std::string found = machine.get(key);
      // The one that was under way was not answered, and may be there.
      EXPECT_TRUE(found == item(key, value) ||
                  (key == attempted.first && found == item(key, attempted.second)))
          << "seed " << seed << ": " << key;
    }
  }
  EXPECT_GT(cut_short, 5);
}

TEST(TableStore, ItemsWhoseTimeIsOverGo) {
  Machine machine;
  machine.start();
  machine.create();
  ASSERT_EQ(machine
                .call("UpdateTimeToLive", R"({"TableName":"leases","TimeToLiveSpecification":)"
                                          R"({"Enabled":true,"AttributeName":"until"}})")
                .error,
            "");
  const auto put_until = [&](std::string_view key, std::int64_t seconds_from_now) {
    return machine
        .call("PutItem",
              fmt::format(R"({{"TableName":"leases","Item":{{"k":{{"S":"{}"}},"until":{{"N":"{}"}}}}}})", key,
                          machine.world.clock().wall_ms() / 1'000 + seconds_from_now))
        .error;
  };
  ASSERT_EQ(put_until("soon", 3), "");
  ASSERT_EQ(put_until("late", 3'600), "");
  machine.world.run_for(20'000'000'000);
  EXPECT_EQ(machine.get("soon"), "{}");
  EXPECT_NE(machine.get("late"), "{}");
}

TEST(TableStore, ManyItemsWhoseTimeIsOverGoSomeAtATime) {
  Machine machine;
  machine.options.expiry_every_ms = 600'000;
  machine.start();
  for (const char* table : {"leases", "others"}) {
    machine.create(table);
    ASSERT_EQ(machine
                  .call("UpdateTimeToLive", fmt::format(R"({{"TableName":"{}","TimeToLiveSpecification":)"
                                                        R"({{"Enabled":true,"AttributeName":"until"}}}})",
                                                        table))
                  .error,
              "");
    for (int batch = 0; batch < 100; ++batch) {
      std::string requests;
      for (int i = 0; i < 25; ++i)
        requests +=
            fmt::format(R"({}{{"PutRequest":{{"Item":{{"k":{{"S":"{}-{}"}},"until":{{"N":"{}"}}}}}}}})",
                        i == 0 ? "" : ",", batch, i,
                        machine.world.clock().wall_ms() / 1'000 + (i % 5 == 0 ? 86'400 : 60));
      ASSERT_EQ(
          machine.call("BatchWriteItem", fmt::format(R"({{"RequestItems":{{"{}":[{}]}}}})", table, requests))
              .error,
          "");
    }
  }
  machine.world.run_for(700'000'000'000);
  for (const char* table : {"leases", "others"})
    EXPECT_NE(machine.call("Scan", fmt::format(R"({{"TableName":"{}","Select":"COUNT"}})", table))
                  .body.find(R"("Count":500,)"),
              std::string::npos);
}

TEST(TableStore, ItemsStayWhileAStepOfTheClockIsNotTakenAsTrue) {
  Machine machine;
  FolderClock& clock = machine.world.folder_clock();
  machine.clock = &clock;
  clock.begin({}, 0, {});
  machine.start();
  machine.create();
  ASSERT_EQ(machine
                .call("UpdateTimeToLive", R"({"TableName":"leases","TimeToLiveSpecification":)"
                                          R"({"Enabled":true,"AttributeName":"until"}})")
                .error,
            "");
  ASSERT_EQ(
      machine
          .call("PutItem",
                fmt::format(R"({{"TableName":"leases","Item":{{"k":{{"S":"a"}},"until":{{"N":"{}"}}}}}})",
                            machine.world.clock().wall_ms() / 1'000 + 3'600))
          .error,
      "");
  const auto run = [&](std::int64_t seconds) {
    for (std::int64_t second = 0; second < seconds; ++second) {
      machine.world.run_for(1'000'000'000);
      if (clock.observe()) clock.accept();
    }
  };
  run(400);
  machine.world.shift_wall_clock(2 * kMsPerDay);
  run(20);
  EXPECT_NE(machine.get("a"), "{}");
  machine.world.shift_wall_clock(-2 * kMsPerDay);
  run(400);
  EXPECT_NE(machine.get("a"), "{}");
  machine.world.shift_wall_clock(2 * kMsPerDay);
  run(400);
  EXPECT_EQ(machine.get("a"), "{}");
}

TEST(TableStore, MemoryIsBounded) {
  Machine machine;
  machine.options.memory = std::make_shared<MemoryShare>("tables", 100'000);
  machine.start();
  machine.create();
  const std::string large(40'000, 'x');
  EXPECT_EQ(machine.put("a", large).error, "");
  EXPECT_EQ(machine.put("b", large).error, "");
  EXPECT_EQ(machine.put("c", large).error, "RequestLimitExceeded");
  EXPECT_EQ(machine.get("c"), "{}");
  EXPECT_EQ(machine.call("DeleteItem", R"({"TableName":"leases","Key":{"k":{"S":"a"}}})").error, "");
  EXPECT_EQ(machine.put("c", large).error, "");
}

TEST(TableStore, AnIndexThatComesAndGoesIsCountedAndFreesWhatItTook) {
  Machine machine;
  machine.start();
  machine.create();
  const auto used = [&] { return machine.options.memory->used(); };
  const auto remove = [&](std::string_view key) {
    return machine.call("DeleteItem",
                        fmt::format(R"({{"TableName":"leases","Key":{{"k":{{"S":"{}"}}}}}})", key));
  };
  const std::uint64_t empty = used();
  const std::string long_value(1'000, 'v');
  for (int i = 0; i < 20; ++i) machine.put(fmt::format("k{}", i), long_value);
  const std::uint64_t without_index = used();
  EXPECT_GT(without_index, empty + 20 * 1'000);
  const Answer added = machine.call(
      "UpdateTable",
      R"({"TableName":"leases","AttributeDefinitions":[{"AttributeName":"k","AttributeType":"S"},)"
      R"({"AttributeName":"v","AttributeType":"S"}],"GlobalSecondaryIndexUpdates":[{"Create":{"IndexName":)"
      R"("by-v","KeySchema":[{"AttributeName":"v","KeyType":"HASH"}],"Projection":{"ProjectionType":"ALL"}}}]})");
  ASSERT_EQ(added.error, "") << added.body;
  machine.world.run_for(5'000'000'000);
  EXPECT_GT(used(), without_index + 20 * 1'000);  // an index holds its keys once more
  for (int i = 0; i < 10; ++i) EXPECT_EQ(remove(fmt::format("k{}", i)).error, "");
  EXPECT_LT(used(), without_index + 20 * 1'000);
  const Answer dropped = machine.call(
      "UpdateTable",
      R"({"TableName":"leases","GlobalSecondaryIndexUpdates":[{"Delete":{"IndexName":"by-v"}}]})");
  ASSERT_EQ(dropped.error, "") << dropped.body;
  machine.world.run_for(5'000'000'000);
  for (int i = 10; i < 20; ++i) EXPECT_EQ(remove(fmt::format("k{}", i)).error, "");
  EXPECT_LT(used(), empty + 512);
}

TEST(TableStore, AClosedOneRefuses) {
  Machine machine;
  machine.start();
  machine.create();
  bool closed = false;
  machine.world.on(machine.world.loop(0), [&] { spawn(machine.tables->close(), [&] { closed = true; }); });
  machine.world.run_until([&] { return closed; });
  EXPECT_EQ(machine.put("a", "1").error, "InternalServerError");
}

TableInfo info_of(std::string name) {
  return {.name = std::move(name),
          .status = Status::kActive,
          .key_types = {{"k", AttributeType::kString}},
          .key = {"k"}};
}

Item item_of(std::size_t key, std::string value) {
  Attributes item;
  item.emplace("k", AttributeValue::string(fmt::format("{}", key)));
  item.emplace("v", AttributeValue::string(std::move(value)));
  return std::make_shared<const Attributes>(std::move(item));
}

// Items, tables and what is said of them change at random between its parts, and take their changes back.
TEST(Picture, IsOfTheMomentWhenItWasTakenWhateverChangesMeanwhile) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    sim::SeededRandom random{sim::Seed{seed}};
    Tables tables;
    std::uint64_t values = 0;
    const auto change = [&](Transaction& transaction) {
      const std::string table = fmt::format("t{}", random.between(0, 2));
      const std::uint64_t what = random.between(0, 99);
      const Table* there = tables.find(table);
      const std::size_t key = random.between(0, 1'500);
      if (there == nullptr) {
        transaction.make(TableSet{info_of(table)});
      } else if (what == 0) {
        transaction.make(TableDropped{table});
      } else if (what == 1) {
        TableInfo info = there->info();
        info.tags["tag"] = fmt::format("{}", ++values);
        transaction.make(TableSet{std::move(info)});
      } else if (what < 70) {
        transaction.make(ItemPut{table, item_of(key, fmt::format("{}", ++values))});
      } else {
        transaction.make(ItemDeleted{table, {{"k", AttributeValue::string(fmt::format("{}", key))}}});
      }
    };
    const auto change_some = [&](std::uint64_t most) {
      Transaction transaction(tables);
      for (std::uint64_t left = random.between(0, most); left > 0; --left) change(transaction);
      if (random.chance(0.7)) transaction.keep();
    };
    for (int i = 0; i < 20; ++i) change_some(500);
    const std::string expected = lines_of(tables);
    std::string seen;
    Picture picture(tables);
    while (auto part = picture.next()) {
      change_some(300);
      seen += part();
    }
    ASSERT_EQ(seen, expected) << "seed " << seed;
    EXPECT_EQ(picture.bytes(), 0u);
  }
}

TEST(Picture, APartIsSmallHoweverLargeTheTablesAre) {
  Tables tables;
  tables.apply(TableSet{info_of("small")});
  for (std::size_t i = 0; i < 2'000; ++i) tables.apply(ItemPut{"small", item_of(i, "v")});
  tables.apply(TableSet{info_of("large")});
  for (std::size_t i = 0; i < 20; ++i)
    tables.apply(ItemPut{"large", item_of(i, std::string(395 * 1'024, 'v'))});
  Picture picture(tables);
  std::size_t parts = 0;
  for (; auto part = picture.next(); ++parts) EXPECT_LT(part().size(), 512u << 10);
  EXPECT_GE(parts, 2 + 20 + 2'000 / 256);
}

TEST(Picture, WhatIsKeptOnlyForItIsCounted) {
  Tables tables;
  tables.apply(TableSet{info_of("t")});
  for (std::size_t i = 0; i < 10; ++i) tables.apply(ItemPut{"t", item_of(i, std::string(10'000, 'a'))});
  Picture picture(tables);
  for (int round = 0; round < 3; ++round)
    for (std::size_t i = 0; i < 10; ++i) tables.apply(ItemPut{"t", item_of(i, std::string(10'000, 'b'))});
  EXPECT_GT(picture.bytes(), 100'000u);
  EXPECT_LT(picture.bytes(), 110'000u);
}

TEST(ChangeCodec, WhatIsWrittenIsReadBackAndADamagedLineIsNamed) {
  Machine machine;
  machine.start();
  machine.create();
  machine.put("a", "1");
  Tables tables;
  const std::string lines = R"({"table":{"name":"t1","key_types":{"k":"N"},"hash":"k","status":"ACTIVE"}})"
                            "\n"
                            R"({"put":"t1","item":{"k":{"N":"1"},"b":{"B":"AQI="}}})"
                            "\n"
                            R"({"put":"t1","item":{"k":{"N":"2"}}})"
                            "\n"
                            R"({"delete":"t1","key":{"k":{"N":"2"}}})"
                            "\n";
  ASSERT_TRUE(replay(lines, tables).ok());
  ASSERT_EQ(tables.find("t1")->rows().size(), 1u);
  Tables again;
  ASSERT_TRUE(replay(lines_of(tables), again).ok());
  EXPECT_EQ(lines_of(again), lines_of(tables));
  for (const std::string_view wrong :
       {"x", "{}", R"({"put":"t2","item":{"k":{"N":"1"}}})", R"({"put":"t1","item":{"v":{"N":"1"}}})",
        R"({"put":"t1","item":{"k":{"S":"1"}}})", R"({"delete":"t1","key":{"k":{"S":"1"}}})",
        R"({"table":{"name":"t3"}})", R"({"table":{"name":"t3","hash":"k"}})",
        R"({"table":{"name":"t3","key_types":{"k":"N"},"hash":"k","created_ms":1e300}})",
        R"({"table":{"name":"t3","key_types":{"k":"N"},"hash":"k","indexes":[{"name":"i","hash":"o"}]}})",
        // Of a table that has other keys by now.
        R"({"table":{"name":"t1","key_types":{"o":"N"},"hash":"o"}})",
        R"({"table":{"name":"t1","key_types":{"k":"S"},"hash":"k"}})"}) {
    Tables broken;
    const auto replayed = replay(lines + std::string(wrong) + "\n", broken);
    ASSERT_FALSE(replayed.ok()) << wrong;
    EXPECT_EQ(replayed.error().kind, ErrorKind::kCorrupt);
    EXPECT_NE(replayed.error().text.find("line 5"), std::string::npos) << replayed.error().text;
  }
}

}  // namespace
}  // namespace millrace::leases::dynamodb
