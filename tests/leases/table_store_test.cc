// The tables on a simulated machine: commands, power losses at any operation of the disk, and failing writes.
#include "leases/dynamodb/table_store.h"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include <map>
#include <set>

#include "leases/attribute_text.h"
#include "leases/dynamodb/change_codec.h"
#include "leases/dynamodb/operations.h"
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
    auto made = TableStore::open(std::move(*opened), world.loop(0), world.clock(), options);
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
  sim::SimDisk disk;
  TableStoreOptions options;
  std::unique_ptr<store::ObjectStore> objects;
  std::shared_ptr<TableStore> tables;
};

std::string item(std::string_view key, std::string_view value) {
  return fmt::format(R"({{"Item":{{"k":{{"S":"{}"}},"v":{{"S":"{}"}}}}}})", key, value);
}

TEST(TableStore, ATableIsCreatingThenActiveAndItsItemsOutliveARestart) {
  Machine machine;
  machine.start();
  const Answer created = machine.call(
      "CreateTable",
      R"({"TableName":"leases","AttributeDefinitions":[{"AttributeName":"k","AttributeType":"S"}],)"
      R"("KeySchema":[{"AttributeName":"k","KeyType":"HASH"}],"BillingMode":"PAY_PER_REQUEST"})");
  EXPECT_NE(created.body.find(R"("TableStatus":"CREATING")"), std::string::npos) << created.body;
  EXPECT_EQ(machine.put("a", "1").error, "ResourceNotFoundException");
  machine.world.run_for(2'000'000'000);
  EXPECT_EQ(machine.put("a", "1").error, "");
  machine.crash();
  machine.start();
  EXPECT_EQ(machine.get("a"), item("a", "1"));
  EXPECT_NE(machine.call("DescribeTable", R"({"TableName":"leases"})").body.find(R"("TableStatus":"ACTIVE")"),
            std::string::npos);
}

TEST(TableStore, ATransitionThatAStopInterruptedGoesOn) {
  Machine machine;
  machine.start();
  machine.call("CreateTable",
               R"({"TableName":"leases","AttributeDefinitions":[{"AttributeName":"k","AttributeType":"S"}],)"
               R"("KeySchema":[{"AttributeName":"k","KeyType":"HASH"}],"BillingMode":"PAY_PER_REQUEST"})");
  machine.crash();
  machine.start();
  machine.world.run_for(2'000'000'000);
  EXPECT_EQ(machine.put("a", "1").error, "");
  EXPECT_EQ(machine.call("DeleteTable", R"({"TableName":"leases"})").error, "");
  machine.crash();
  machine.start();
  machine.world.run_for(2'000'000'000);
  EXPECT_EQ(machine.call("DescribeTable", R"({"TableName":"leases"})").error, "ResourceNotFoundException");
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
  EXPECT_LT(machine.objects->list("leases/")->size(), 300u);
  machine.crash();
  machine.start();
  for (int i = 593; i < 600; ++i)
    EXPECT_EQ(machine.get(fmt::format("k{}", i % 7)), item(fmt::format("k{}", i % 7), fmt::format("{}", i)));
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

TEST(TableStore, MemoryIsBounded) {
  Machine machine;
  machine.options.memory_bytes_max = 100'000;
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

TEST(TableStore, AClosedOneRefuses) {
  Machine machine;
  machine.start();
  machine.create();
  bool closed = false;
  machine.world.on(machine.world.loop(0), [&] { spawn(machine.tables->close(), [&] { closed = true; }); });
  machine.world.run_until([&] { return closed; });
  EXPECT_EQ(machine.put("a", "1").error, "InternalServerError");
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
  ASSERT_TRUE(replay(encode(tables), again).ok());
  EXPECT_EQ(encode(again), encode(tables));
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
