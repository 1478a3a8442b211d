// What the service lets happen to a stream so often a day is counted in the catalog: a crash forgets nothing
// of it.
#include <functional>
#include <vector>

#include "broker/encrypting_machine.h"

namespace millrace::broker {
namespace {

BrokerOptions limited() {
  BrokerOptions options;
  options.aws_limits = true;
  return options;
}

// Things that may happen to a stream, each as often as it can be done again and again.
struct Thing {
  const char* name;
  std::size_t times;
  std::function<Result<void>(EncryptingMachine&)> happen;
};
Result<void> set_mode(EncryptingMachine& machine) {
  StreamSettings settings;
  settings.on_demand = !machine.stream()->on_demand;
  return machine.command(machine.broker->configure_stream("s", settings));
}
Result<void> set_shards(EncryptingMachine& machine) {
  const std::uint32_t other = machine.stream()->open_shards.size() == 2 ? 1 : 2;
  return machine.command(machine.broker->update_shard_count("s", other));
}
Result<void> begin(EncryptingMachine& machine) {
  return machine.command(machine.broker->start_encryption("s", "alias/aws/kinesis", anybody));
}
Result<void> end(EncryptingMachine& machine) { return machine.command(machine.broker->stop_encryption("s")); }

const std::vector<Thing> kThings = {{"mode", 2, set_mode},
                                    {"shard count", 10, set_shards},
                                    {"encryption begins", 25, begin},
                                    {"encryption ends", 25, end}};

TEST(DailyLimits, HoldOverACrashForADayAndEachByItself) {
  EncryptingMachine machine(1, limited());
  ASSERT_TRUE(machine.start().ok());
  machine.create();
  for (const Thing& thing : kThings) {
    SCOPED_TRACE(thing.name);
    for (std::size_t i = 0; i < thing.times; ++i) {
      if (i == 1) machine.crash_and_start();
      ASSERT_TRUE(thing.happen(machine).ok()) << i;
      ASSERT_TRUE(machine.settles());
    }
    EXPECT_EQ(thing.happen(machine).error().kind, ErrorKind::kThrottled);
  }
  machine.crash_and_start();
  for (const Thing& thing : kThings)
    EXPECT_EQ(thing.happen(machine).error().kind, ErrorKind::kThrottled) << thing.name;
  machine.world.run_for(kMsPerDay * kNsPerMs);
  for (const Thing& thing : kThings) {
    EXPECT_TRUE(thing.happen(machine).ok()) << thing.name;
    ASSERT_TRUE(machine.settles());
  }
}

TEST(DailyLimits, AreRolling) {
  EncryptingMachine machine(1, limited());
  ASSERT_TRUE(machine.start().ok());
  machine.create();
  const auto update = [&] {
    const auto done = set_mode(machine);
    EXPECT_TRUE(machine.settles());
    return done.ok();
  };
  EXPECT_TRUE(update());
  machine.world.run_for(kMsPerDay / 2 * kNsPerMs);
  EXPECT_TRUE(update());
  EXPECT_FALSE(update());
  machine.world.run_for(kMsPerDay / 2 * kNsPerMs);
  EXPECT_TRUE(update());  // the first is a day ago
  EXPECT_FALSE(update());
  machine.world.run_for(kMsPerDay / 2 * kNsPerMs);
  EXPECT_TRUE(update());
  EXPECT_FALSE(update());
}

TEST(DailyLimits, AreOfAStreamAndOfTheServicesLimitsOnly) {
  EncryptingMachine machine;
  ASSERT_TRUE(machine.start().ok());
  machine.create();
  for (int i = 0; i < 30; ++i)
    for (const Thing& thing : kThings) {
      ASSERT_TRUE(thing.happen(machine).ok()) << thing.name;
      ASSERT_TRUE(machine.settles());
    }
  // What is counted is no more than its limit asks for.
  for (std::size_t what = 0; what < kDailyLimits.size(); ++what)
    EXPECT_EQ(machine.stream()->counted_ms[what].size(), kDailyLimits[what].times);
  // Another of its name has done nothing yet.
  machine.options.aws_limits = true;
  machine.crash_and_start();
  EXPECT_EQ(set_mode(machine).error().kind, ErrorKind::kThrottled);
  ASSERT_TRUE(machine.command(machine.broker->delete_stream("s", false)).ok());
  ASSERT_TRUE(machine.world.run_until([&] { return machine.stream() == nullptr; }));
  machine.create();
  EXPECT_TRUE(set_mode(machine).ok());
}

// Wherever it crashes: no more is acknowledged than the limit, and nothing is refused that may still happen.
TEST(DailyLimits, ACrashAnywhereNeitherGivesNorTakes) {
  int refused = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    EncryptingMachine machine(seed, limited());
    sim::SeededRandom dice{sim::Seed{seed}};
    ASSERT_TRUE(machine.start().ok());
    machine.create();
    std::size_t done = 0, maybe = 0;
    for (int life = 0; life < 6; ++life) {
      machine.disk.crash_at_operation(machine.disk.operations() + dice.between(1, 60),
                                      dice.chance(0.5) ? sim::Crash::kPowerLoss : sim::Crash::kProcessKilled);
      for (int i = 0; i < 5 && !machine.disk.crashed(); ++i) {
        const auto outcome = set_shards(machine);
        if (outcome.ok()) {
          ++done;
        } else if (outcome.error().kind == ErrorKind::kThrottled) {
          ++refused;
          EXPECT_GE(done + maybe, 10u);
        } else if (outcome.error().kind == ErrorKind::kUnknown) {
          ++maybe;
        }
        static_cast<void>(machine.world.run_until(
            [&] { return machine.disk.crashed() || machine.stream()->status == StreamStatus::kActive; }));
      }
      machine.crash_and_start();
      ASSERT_TRUE(machine.settles());
    }
    EXPECT_LE(done, 10u);
    EXPECT_LE(machine.stream()->counted_ms[1].size(), done + maybe);
    EXPECT_GE(machine.stream()->counted_ms[1].size(), std::min<std::size_t>(done, 10));
  }
  EXPECT_GT(refused, 0);
}

TEST(ConsumerTags, OutliveACrash) {
  EncryptingMachine machine;
  ASSERT_TRUE(machine.start().ok());
  machine.create();
  ASSERT_TRUE(machine.command(machine.broker->register_consumer({"s", "c", {{"a", "1"}, {"b", "2"}}})).ok());
  const std::uint64_t id = machine.stream()->find_consumer("c")->id;
  const std::map<std::string, std::string> more{{"b", "3"}, {"c", "4"}};
  ASSERT_TRUE(machine.command(machine.broker->add_tags("s", id, more)).ok());
  ASSERT_TRUE(machine.command(machine.broker->remove_tags("s", id, {"a"})).ok());
  EXPECT_EQ(machine.command(machine.broker->add_tags("s", id + 1, more)).error().kind, ErrorKind::kNotFound);
  machine.crash_and_start();
  EXPECT_EQ(machine.stream()->find_consumer("c")->tags, more);
  EXPECT_TRUE(machine.stream()->tags.empty());
}

}  // namespace
}  // namespace millrace::broker
