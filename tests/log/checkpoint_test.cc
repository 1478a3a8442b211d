// What a backup copies: every record that was durable when it began, in segments that stay while it reads
// them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "log/segment.h"
#include "log/segment_copy.h"
#include "log_world.h"

namespace millrace::log::testing {
namespace {

Checkpoint take(LogWorld& log) {
  auto taken = log.world.await(log.world.loop(0), log.log->checkpoint());
  EXPECT_TRUE(taken.has_value() && taken->ok());
  return std::move(**taken);
}

// The values that a copy of the checkpoint has.
std::vector<std::string> restored(LogWorld& from, const Checkpoint& checkpoint, std::uint64_t shard) {
  LogWorld copy(from.loops_used, 99);
  copy.shards = from.shards;
  const auto manifest = decode_manifest(checkpoint.manifest.view(), 1);
  EXPECT_TRUE(manifest.ok());
  EXPECT_TRUE(copy.disk.make_folder("log/segments").ok());
  const std::atomic<std::uint64_t> no_journal{0};
  WritePace pace(from.world.clock(), 0, no_journal);
  for (const SegmentEntry& segment : manifest->segments) {
    const auto copied = copy_segment(from.disk, segment, {}, copy.disk, pace, [] { return Result<void>{}; });
    EXPECT_TRUE(copied.ok()) << copied.error().text;
  }
  EXPECT_TRUE(begin_log(copy.disk, *manifest, pace, copy.world.random()).ok());
  copy.open();
  return copy.values(shard);
}

TEST(Checkpoint, HoldsWhatWasDurableWhenItBeganOnEveryLoop) {
  LogWorld log(2);
  log.add_shards(2);
  log.open();
  log.append_many(1, "one", 5);
  log.append_many(2, "two", 7);
  const Checkpoint checkpoint = take(log);
  EXPECT_EQ(restored(log, checkpoint, 1), numbered("one", 5));
  EXPECT_EQ(restored(log, checkpoint, 2), numbered("two", 7));
  log.close();
}

TEST(Checkpoint, OfAnEmptyLogIsEmpty) {
  LogWorld log;
  log.add_shards(1);
  log.open();
  const Checkpoint checkpoint = take(log);
  EXPECT_TRUE(restored(log, checkpoint, 1).empty());
  log.close();
}

TEST(Checkpoint, ItsSegmentsStayUntilItIsLetGo) {
  LogWorld log;
  log.add_shards(1);
  log.open();
  log.append_many(1, "a", 3);
  auto held = std::make_unique<Checkpoint>(take(log));
  log.world.on(log.world.loop(0), [&] { log.log->remove_shard(ShardKey{1}); });
  log.run_for_minutes(1);
  EXPECT_EQ(restored(log, *held, 1), numbered("a", 3));
  held.reset();
  log.run_for_minutes(1);
  EXPECT_TRUE(log.paths_ending(".mrs").empty());
  log.close();
}

TEST(Checkpoint, FailsWhereSettlingDoesAndWorksOnceItDoes) {
  LogWorld log;
  log.add_shards(1);
  log.open();
  log.append_many(1, "a", 3);
  log.disk.fail_next(sim::Operation::kCreate);
  auto refused = log.world.await(log.world.loop(0), log.log->checkpoint());
  ASSERT_TRUE(refused.has_value());
  ASSERT_FALSE(refused->ok());
  EXPECT_EQ(refused->error().kind, ErrorKind::kUnavailable);
  log.run_for_minutes(1);
  EXPECT_EQ(restored(log, take(log), 1), numbered("a", 3));
  log.close();
}

TEST(SegmentCopy, SaysWhatIsDamagedInTheOriginalAndCopiesIt) {
  LogWorld log;
  log.add_shards(1);
  log.open();
  log.append_many(1, "a", 3);
  const Checkpoint checkpoint = take(log);
  log.disk.flip_bit(log.paths_ending(".mrs").at(0), (kSegmentHeaderBytes + 5) * 8);
  const auto manifest = decode_manifest(checkpoint.manifest.view(), 1);
  LogWorld copy;
  ASSERT_TRUE(copy.disk.make_folder("log/segments").ok());
  const std::atomic<std::uint64_t> no_journal{0};
  WritePace pace(log.world.clock(), 0, no_journal);
  const auto copied =
      copy_segment(log.disk, manifest->segments.at(0), {}, copy.disk, pace, [] { return Result<void>{}; });
  ASSERT_TRUE(copied.ok()) << copied.error().text;
  ASSERT_EQ(copied->size(), 1u);
  EXPECT_THAT(copied->front(), ::testing::HasSubstr("records 0 to 2"));
  log.close();
}

TEST(SegmentCopy, RefusesASegmentThatWasCutMeanwhile) {
  LogWorld log;
  log.add_shards(1);
  log.open();
  log.append_many(1, "a", 3);
  const Checkpoint checkpoint = take(log);
  log.disk.cut(log.paths_ending(".mrs").at(0), 40);
  const auto manifest = decode_manifest(checkpoint.manifest.view(), 1);
  LogWorld copy;
  ASSERT_TRUE(copy.disk.make_folder("log/segments").ok());
  const std::atomic<std::uint64_t> no_journal{0};
  WritePace pace(log.world.clock(), 0, no_journal);
  const auto copied =
      copy_segment(log.disk, manifest->segments.at(0), {}, copy.disk, pace, [] { return Result<void>{}; });
  ASSERT_FALSE(copied.ok());
  EXPECT_EQ(copied.error().kind, ErrorKind::kUnavailable);
  log.close();
}

}  // namespace
}  // namespace millrace::log::testing
