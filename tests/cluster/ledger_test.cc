#include "cluster/ledger.h"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include <algorithm>

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
  machine.world.on(loop,
                   [&] { machine.ledger->snapshot(whole_state([] { return std::string("state a"); })); });
  machine.world.run_until_idle();
  ASSERT_TRUE(machine.world.await(loop, append(machine.ledger, "b"))->ok());
  machine.crash();
  machine.start();
  EXPECT_EQ(machine.snapshot, "state a");
  EXPECT_EQ(machine.entries, std::vector<std::string>{"b"});
}

TEST(Ledger, AFailureOfAMomentIsNotSeen) {
  LedgerMachine machine{1};
  machine.start();
  sim::SimLoop& loop = machine.world.loop(0);
  ASSERT_TRUE(machine.world.await(loop, append(machine.ledger, "a"))->ok());
  for (const auto operation : {sim::Operation::kRename, sim::Operation::kSyncFolder}) {
    machine.disk.fail_next(operation);
    ASSERT_TRUE(machine.world.await(loop, append(machine.ledger, "b"))->ok());
  }
  machine.crash();
  machine.start();
  EXPECT_EQ(machine.entries, (std::vector<std::string>{"a", "b", "b"}));
}

// While folders cannot be synced nothing newer is taken; then what was in doubt holds, once, and all goes on.
TEST(Ledger, WhatIsInDoubtHoldsInTheEndAndNothingIsTakenBeforeIt) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    LedgerMachine machine{seed};
    machine.start();
    sim::SimLoop& loop = machine.world.loop(0);
    std::vector<std::string> state;
    machine.world.on(loop, [&] {
      machine.ledger->when_held([&state](std::string entry) {
        return [](std::vector<std::string>& held, std::string text) -> Task<void> {
          held.push_back(std::move(text));
          co_return;
        }(state, std::move(entry));
      });
    });
    const auto try_to = [&](std::string entry) {
      auto appended = machine.world.await(loop, append(machine.ledger, entry));
      if (appended->ok()) state.push_back(std::move(entry));
      return *appended;
    };
    ASSERT_TRUE(try_to("a").ok());
    if (seed % 2 == 0)
      machine.disk.set_faults({.folder_syncs = 1});
    else
      machine.disk.set_faults({.names = 0.9});
    bool in_doubt = false;
    for (int i = 0; i < 20; ++i) {
      const auto appended = try_to(fmt::format("entry {}", i));
      if (in_doubt) {
        ASSERT_FALSE(appended.ok());
        EXPECT_EQ(appended.error().kind, ErrorKind::kUnavailable);
      }
      in_doubt = seed % 2 == 0 && machine.ledger->in_doubt();  // and stays so
      machine.world.run_for(50'000'000);
    }
    machine.disk.set_faults({});
    ASSERT_TRUE(machine.world.run_until([&] { return !machine.ledger->in_doubt(); }));
    ASSERT_TRUE(try_to("z").ok());
    machine.crash();
    machine.start();
    EXPECT_EQ(machine.entries, state);
  }
}

TEST(Ledger, AfterAnothersWriteNothingIsTakenUntilARestart) {
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

// A large state of many parts, each its number.
class Parts final : public SnapshotSource {
 public:
  Parts(int parts, std::size_t bytes) : left_(parts), bytes_(bytes) {}
  Function<std::string()> next() override {
    if (left_ == 0) return {};
    --left_;
    return [bytes = bytes_] { return std::string(bytes, 'p'); };
  }

 private:
  int left_;
  std::size_t bytes_;
};

TEST(Ledger, AppendsGoOnWhileASnapshotIsWritten) {
  LedgerMachine machine{1};
  machine.start();
  sim::SimLoop& loop = machine.world.loop(0);
  ASSERT_TRUE(machine.world.await(loop, append(machine.ledger, "before"))->ok());
  machine.world.on(loop, [&] { machine.ledger->snapshot(std::make_shared<Parts>(40, 1u << 20)); });
  int appended = 0;
  std::int64_t slowest_ns = 0;
  // 160 pieces with 8 ms between them: it takes longer than all of these.
  for (; appended < 100; ++appended) {
    const std::int64_t begin_ns = machine.world.clock().monotonic_ns();
    ASSERT_TRUE(machine.world.await(loop, append(machine.ledger, fmt::format("{}", appended)))->ok());
    slowest_ns = std::max(slowest_ns, machine.world.clock().monotonic_ns() - begin_ns);
    EXPECT_FALSE(machine.ledger->snapshot_due());
    machine.world.run_for(1'000'000);
  }
  EXPECT_TRUE(machine.store->list("keys/snapshot/")->empty());
  EXPECT_LT(slowest_ns, 50'000'000);  // of a disk that takes 40 MiB at once for longer
  machine.world.run_until_idle();
  EXPECT_EQ(machine.store->list("keys/snapshot/")->size(), 1u);
  EXPECT_EQ(machine.store->list("keys/log/")->size(), 100u);
  machine.crash();
  machine.start();
  EXPECT_EQ(machine.snapshot->size(), 40u << 20);
  EXPECT_EQ(machine.entries.size(), 100u);
}

TEST(Ledger, ASnapshotThatIsGivenUpLeavesNothing) {
  LedgerMachine machine{1};
  machine.start();
  sim::SimLoop& loop = machine.world.loop(0);
  ASSERT_TRUE(machine.world.await(loop, append(machine.ledger, "a"))->ok());
  machine.world.on(loop, [&] { machine.ledger->snapshot(std::make_shared<Parts>(40, 1u << 20)); });
  machine.world.run_for(50'000'000);
  bool ended = false;
  machine.world.on(loop, [&] { spawn(machine.ledger->end_snapshot(), [&] { ended = true; }); });
  machine.world.run_until_idle();
  EXPECT_TRUE(ended);
  EXPECT_EQ(machine.disk.list("objects/keys/snapshot").value(), std::vector<std::string>{});
  ASSERT_TRUE(machine.world.await(loop, append(machine.ledger, "b"))->ok());
  machine.crash();
  machine.start();
  EXPECT_EQ(machine.entries, (std::vector<std::string>{"a", "b"}));
}

}  // namespace
}  // namespace millrace::cluster
