#include "cluster/ledger.h"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include "sim/sim_disk.h"
#include "sim/sim_world.h"

namespace millrace::cluster {
namespace {

struct LedgerMachine {
  explicit LedgerMachine(std::uint64_t seed) : world(sim::Seed{seed}), disk(sim::Seed{seed}, &world) {
    world.add_loop();
  }
  ~LedgerMachine() { stop(); }

  void start() {
    store = std::move(*store::open_directory_store(disk, "objects"));
    auto opened = Ledger::open(*store, "keys/", world.loop(0), world.start_worker("keys"));
    ASSERT_TRUE(opened.ok()) << opened.error().text;
    ledger = opened->ledger;
    snapshot = opened->snapshot;
    entries = opened->entries;
  }
  void stop() {
    world.drop_events();
    ledger.reset();
    world.drop_events();
  }
  void crash() {
    if (!disk.crashed()) disk.crash(sim::Crash::kPowerLoss);
    stop();
    disk.restart();
  }

  sim::SimWorld world;
  sim::SimDisk disk;
  std::unique_ptr<store::ObjectStore> store;
  std::shared_ptr<Ledger> ledger;
  std::optional<std::string> snapshot;
  std::vector<std::string> entries;
};

Task<Result<void>> append(std::shared_ptr<Ledger> ledger, std::string entry) {
  const auto turn = co_await ledger->turn();
  auto appended = co_await ledger->append(std::move(entry));
  co_return appended;
}

// Reads a number that others change, and appends the next one: right only when nobody comes between.
Task<Result<void>> count_up(std::shared_ptr<Ledger> ledger, int* count) {
  const auto turn = co_await ledger->turn();
  const int next = *count + 1;
  auto appended = co_await ledger->append(std::to_string(next));
  if (appended.ok()) *count = next;
  co_return appended;
}

TEST(Ledger, WhatWasAppendedOutlivesAPowerLoss) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    LedgerMachine machine{seed};
    machine.start();
    std::vector<std::string> acknowledged;
    machine.disk.crash_at_operation(machine.disk.operations() + 1 + seed, sim::Crash::kPowerLoss);
    for (int i = 0; i < 20; ++i) {
      const std::string entry = fmt::format("entry {}", i);
      const auto appended = machine.world.await(machine.world.loop(0), append(machine.ledger, entry));
      ASSERT_TRUE(appended.has_value());
      if (!appended->ok()) break;
      acknowledged.push_back(entry);
    }
    machine.crash();
    machine.start();
    ASSERT_GE(machine.entries.size(), acknowledged.size());
    machine.entries.resize(acknowledged.size());
    EXPECT_EQ(machine.entries, acknowledged) << "seed " << seed;
  }
}

TEST(Ledger, TurnsAreTakenOneAtATimeAndInOrder) {
  LedgerMachine machine{1};
  machine.start();
  int count = 0;
  int done = 0;
  machine.world.on(machine.world.loop(0), [&] {
    for (int i = 0; i < 10; ++i) spawn(count_up(machine.ledger, &count), [&](Result<void>) { ++done; });
  });
  ASSERT_TRUE(machine.world.run_until([&] { return done == 10; }));
  EXPECT_EQ(count, 10);
  machine.stop();
  machine.start();
  ASSERT_EQ(machine.entries.size(), 10u);
  EXPECT_EQ(machine.entries.back(), "10");
}

TEST(Ledger, ASnapshotReplacesTheEntries) {
  LedgerMachine machine{1};
  machine.start();
  sim::SimLoop& loop = machine.world.loop(0);
  ASSERT_TRUE(machine.world.await(loop, append(machine.ledger, "a"))->ok());
  ASSERT_TRUE(machine.world.await(loop, machine.ledger->snapshot("state a"))->ok());
  EXPECT_EQ(machine.ledger->since_snapshot(), 0u);
  ASSERT_TRUE(machine.world.await(loop, append(machine.ledger, "b"))->ok());
  machine.crash();
  machine.start();
  EXPECT_EQ(machine.snapshot, "state a");
  EXPECT_EQ(machine.entries, std::vector<std::string>{"b"});
}

TEST(Ledger, AfterAWriteInDoubtNothingIsTaken) {
  LedgerMachine machine{1};
  machine.start();
  auto other =
      Ledger::open(*machine.store, "keys/", machine.world.loop(0), machine.world.start_worker("other"));
  ASSERT_TRUE(other.ok());
  sim::SimLoop& loop = machine.world.loop(0);
  ASSERT_TRUE(machine.world.await(loop, append(other->ledger, "theirs"))->ok());
  const auto refused = machine.world.await(loop, append(machine.ledger, "ours"));
  EXPECT_EQ(refused->error().kind, ErrorKind::kConflict);
  const auto again = machine.world.await(loop, append(machine.ledger, "ours"));
  EXPECT_EQ(again->error().kind, ErrorKind::kUnavailable);
  other->ledger.reset();
}

}  // namespace
}  // namespace millrace::cluster
