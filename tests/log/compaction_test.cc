// What becomes of segments in the background: small ones are joined, those mostly gone are rewritten, and all
// others are left alone.
#include <gtest/gtest.h>

#include "log_world.h"

namespace millrace::log::testing {
namespace {

LogOptions settling_options() {
  LogOptions options = small_options();
  options.settle_after_ms = 10;
  return options;
}

// A segment of its own for each.
void settle_each(LogWorld& log, std::uint64_t shard, int count) {
  for (int i = 0; i < count; ++i) {
    log.append_many(shard, fmt::format("{}", i), 1);
    log.world.run_for(kNsPerS);
  }
}

TEST(Compaction, ASegmentSmallerThanItsIndexIsLeftAlone) {
  LogWorld log;
  log.options = settling_options();
  log.add_shards(1);
  log.open();
  settle_each(log, 1, 1);
  ASSERT_EQ(log.paths_ending(".mrs").size(), 1u);
  const std::uint64_t operations = log.disk.operations();
  log.world.run_for(60 * kNsPerS);
  EXPECT_EQ(log.disk.operations(), operations);
  log.close();
}

TEST(Compaction, SmallSegmentsAreJoined) {
  LogWorld log;
  log.options = settling_options();
  log.add_shards(1);
  log.open();
  settle_each(log, 1, 20);
  EXPECT_LE(log.paths_ending(".mrs").size(), 8u);
  std::vector<std::string> expected;
  for (int i = 0; i < 20; ++i) expected.push_back(fmt::format("{}-0", i));
  EXPECT_EQ(log.values(1), expected);
  log.close();
}

TEST(Compaction, ASegmentMostlyGoneIsRewritten) {
  LogWorld log;
  log.options = settling_options();
  log.add_shards(2);
  log.open();
  std::string large;
  for (int i = 0; large.size() < 20'000; ++i) large += fmt::format("{:x}", i * 2'654'435'761u);
  ASSERT_EQ(log.append({{1, large}, {2, "small"}})->runs.front().status, RunStatus::kDurable);
  log.world.run_for(kNsPerS);
  ASSERT_EQ(log.paths_ending(".mrs").size(), 1u);
  const std::size_t before = log.disk.file_bytes(log.paths_ending(".mrs").front()).size();
  log.world.on(log.world.loop(0), [&] { log.log->remove_shard(ShardKey{1}); });
  log.world.run_for(5 * kNsPerS);
  ASSERT_EQ(log.paths_ending(".mrs").size(), 1u);
  EXPECT_LT(log.disk.file_bytes(log.paths_ending(".mrs").front()).size(), before / 10);
  EXPECT_EQ(log.values(2), std::vector<std::string>{"small"});
  log.close();
}

}  // namespace
}  // namespace millrace::log::testing
