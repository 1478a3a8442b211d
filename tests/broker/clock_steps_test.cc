// Closed shards and the time that passed.
#include <gtest/gtest.h>

#include "broker/encrypting_machine.h"

namespace millrace::broker {
namespace {

constexpr std::int64_t kHourNs = 3'600'000'000'000;

// A stream with an hour of retention, whose first shard is closed.
struct ReshardedStream : EncryptingMachine {
  ReshardedStream() {
    EXPECT_TRUE(start().ok());
    create();
    EXPECT_TRUE(command(broker->set_retention("s", 1)).ok());
    EXPECT_TRUE(command(broker->merge_shards("s", 0, 1)).ok());
    EXPECT_TRUE(settles());
  }
  bool has_closed_shards() { return !stream()->shards.front().open(); }
};

TEST(ClockSteps, DoNotTakeAClosedShardBeforeItsRetentionHasPassed) {
  for (const std::int64_t by_ms : {400 * kMsPerDay, -400 * kMsPerDay}) {
    ReshardedStream machine;
    ASSERT_TRUE(machine.has_closed_shards());
    machine.world.shift_wall_clock(by_ms);
    machine.world.run_for(kHourNs - 60'000'000'000);
    EXPECT_TRUE(machine.has_closed_shards()) << by_ms;
    machine.world.run_for(kHourNs + 120'000'000'000);  // half speed after a step back
    EXPECT_FALSE(machine.has_closed_shards()) << by_ms;
  }
}

TEST(ClockSteps, BetweenTwoRunsDoNotTakeAClosedShard) {
  ReshardedStream machine;
  machine.world.shift_wall_clock(3 * kMsPerDay);
  machine.crash_and_start();
  machine.world.run_for(kHourNs / 2);
  EXPECT_TRUE(machine.has_closed_shards());
  machine.world.run_for(kHourNs);
  EXPECT_FALSE(machine.has_closed_shards());
}

}  // namespace
}  // namespace millrace::broker
