// Damaged blocks: told once, by whoever finds them; left where they are; and passed over once they are marked
// as lost.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "log/manifest_store.h"
#include "log/segment.h"
#include "log_world.h"

namespace millrace::log::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Records "a-0" to "a-2", "b-0" to "b-2" and "c-0" to "c-2" of shard 1, each three in a segment of their own.
class DamagedLog {
 public:
  DamagedLog() {
    world.options.settle_after_ms = 10;
    world.options.tail_cache_bytes = 0;
    world.options.scrub_ms = 0;
    world.add_shards(1);
  }

  void fill() {
    world.open();
    watch();
    for (const char* prefix : {"a", "b", "c"}) {
      world.append_many(1, prefix, 3);
      world.settle();
    }
    ASSERT_EQ(world.paths_ending(".mrs").size(), 3u);
  }
  void watch() {
    world.log->when_damaged([this](const DamagedBlock& block) { told.push_back(block); });
  }
  // A bit of the only block of the middle segment.
  void damage() {
    const std::string path = world.paths_ending(".mrs").at(1);
    world.disk.flip_bit(path, (kSegmentHeaderBytes + 5) * 8);
  }
  void open_again() {
    world.close();
    world.open();
    watch();
  }
  void mark_middle_as_lost() {
    world.close();
    auto manifests = ManifestStore::open(world.disk);
    ASSERT_TRUE(manifests.ok() && (*manifests)->begin({}, nullptr).ok());
    const std::uint64_t middle = (*manifests)->current().segments.at(1).number;
    ASSERT_TRUE(
        (*manifests)->edit([&](Manifest& manifest) { manifest.lost[middle] = {kSegmentHeaderBytes}; }).ok());
    world.open();
    watch();
  }

  LogWorld world;
  std::vector<DamagedBlock> told;
};

TEST(Damage, ADamagedBlockIsToldOnceHoweverOftenItIsRead) {
  DamagedLog log;
  log.fill();
  log.damage();
  log.open_again();
  for (int i = 0; i < 3; ++i) {
    const auto refused = log.world.read(1, 4);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind, ErrorKind::kCorrupt);
    EXPECT_THAT(refused.error().text, HasSubstr("records 3 to 5"));
    EXPECT_THAT(refused.error().text, Not(HasSubstr("/")));  // no file: that is the operator's
  }
  ASSERT_EQ(log.told.size(), 1u);
  EXPECT_EQ(log.told[0].shard, ShardKey{1});
  EXPECT_EQ(log.told[0].first_offset, 3u);
  EXPECT_EQ(log.told[0].end_offset, 6u);
  EXPECT_EQ(log.told[0].position, kSegmentHeaderBytes);
  EXPECT_THAT(log.told[0].file, HasSubstr(".mrs"));
  EXPECT_EQ(log.world.log->stats().damaged_blocks, 1u);
  EXPECT_EQ(log.world.values(1, 6), numbered("c", 3));
  log.world.close();
}

TEST(Damage, WhoAsksLateIsToldOfWhatIsKnown) {
  DamagedLog log;
  log.fill();
  log.damage();
  log.world.close();
  log.world.open();
  EXPECT_FALSE(log.world.read(1, 4).ok());
  log.watch();
  EXPECT_EQ(log.told.size(), 1u);
  log.world.close();
}

TEST(Damage, ARewriteLeavesADamagedSegmentWhereItIsAndGoesOnWithOthers) {
  DamagedLog log;
  log.fill();
  log.damage();
  log.open_again();
  for (int i = 0; i < 8; ++i) {
    log.world.append_many(1, fmt::format("d{}", i), 1);
    log.world.settle();
  }
  log.world.run_for_minutes(1);
  const auto segments = log.world.paths_ending(".mrs");
  EXPECT_LE(segments.size(), 6u);  // the sound ones were joined
  ASSERT_EQ(log.told.size(), 1u);  // the rewrite met it
  EXPECT_EQ(log.told[0].first_offset, 3u);
  EXPECT_EQ(log.world.read(1, 0)->records.size(), 3u);
  EXPECT_EQ(log.world.read(1, 3).error().kind, ErrorKind::kCorrupt);
  EXPECT_EQ(log.world.values(1, 6).size(), 3u + 8u);
  for (const std::string& warning : log.world.warnings) EXPECT_THAT(warning, Not(HasSubstr("rewriting")));
  log.world.close();
}

TEST(Damage, WithTheSegmentTheDamageGoesToo) {
  DamagedLog log;
  log.fill();
  log.damage();
  log.open_again();
  EXPECT_FALSE(log.world.read(1, 4).ok());
  log.world.world.on(log.world.world.loop(0), [&] { log.world.log->remove_shard(ShardKey{1}); });
  log.world.run_for_minutes(1);
  EXPECT_EQ(log.world.log->stats().damaged_blocks, 0u);
  EXPECT_TRUE(log.world.paths_ending(".mrs").empty());
  log.world.close();
}

TEST(Damage, ReadersPassOverABlockThatIsMarkedAsLost) {
  DamagedLog log;
  log.fill();
  log.damage();
  log.mark_middle_as_lost();
  std::vector<std::string> expected = numbered("a", 3);
  for (const std::string& value : numbered("c", 3)) expected.push_back(value);
  EXPECT_EQ(log.world.values(1), expected);
  EXPECT_EQ(log.world.values(1, 4), numbered("c", 3));  // an iterator into it goes on behind it
  const auto batch = log.world.read(1, 0);
  ASSERT_TRUE(batch.ok());
  EXPECT_EQ(batch->records.size(), 3u);  // no batch reaches over it
  EXPECT_TRUE(log.told.empty());
  EXPECT_EQ(log.world.log->stats().lost_blocks, 1u);
  EXPECT_EQ(log.world.log->stats().damaged_blocks, 0u);
  ASSERT_FALSE(log.world.warnings.empty());
  EXPECT_THAT(log.world.warnings.back(), HasSubstr("records 3 to 5 of shard 1 are marked as lost"));
  log.world.close();
}

TEST(Damage, ATimeInALostBlockIsThatOfTheRecordBehindIt) {
  DamagedLog log;
  log.fill();
  const std::int64_t in_middle_ms = log.world.read(1, 4)->records.front().arrival_ms;
  log.damage();
  log.mark_middle_as_lost();
  EXPECT_EQ(log.world.offset_at(1, in_middle_ms), 6u);
  log.world.close();
}

TEST(Damage, ALostBlockAtTheEndIsPassedOverAndAppendsGoOn) {
  DamagedLog log;
  log.world.open();
  log.world.append_many(1, "a", 3);
  log.world.settle();
  log.world.close();
  auto manifests = ManifestStore::open(log.world.disk);
  ASSERT_TRUE(manifests.ok() && (*manifests)->begin({}, nullptr).ok());
  const std::uint64_t number = (*manifests)->current().segments.at(0).number;
  ASSERT_TRUE(
      (*manifests)->edit([&](Manifest& manifest) { manifest.lost[number] = {kSegmentHeaderBytes}; }).ok());
  log.world.open();
  const auto batch = log.world.read(1, 0);
  ASSERT_TRUE(batch.ok());
  EXPECT_TRUE(batch->records.empty());
  EXPECT_EQ(batch->next_offset, 3u);
  log.world.append_many(1, "b", 2);
  EXPECT_EQ(log.world.values(1), numbered("b", 2));
  log.world.close();
}

TEST(Damage, TheScrubFindsItWithoutAReader) {
  DamagedLog log;
  log.fill();
  log.damage();
  log.world.options.scrub_ms = 60'000;
  log.open_again();
  EXPECT_EQ(log.world.log->stats().scrub_finished_ms, 0);
  log.world.run_for_minutes(3);
  ASSERT_EQ(log.told.size(), 1u);
  EXPECT_EQ(log.told[0].first_offset, 3u);
  EXPECT_GT(log.world.log->stats().scrub_finished_ms, 0);
  EXPECT_GT(log.world.log->stats().scrubbed_bytes, 0u);
  log.world.close();
}

TEST(Damage, TheScrubFindsADamagedIndex) {
  DamagedLog log;
  log.fill();
  log.world.options.scrub_ms = 60'000;
  log.open_again();
  const std::string path = log.world.paths_ending(".mrs").at(1);
  log.world.disk.flip_bit(path, (log.world.disk.file_bytes(path).size() - kSegmentTrailerBytes - 8) * 8);
  log.world.run_for_minutes(3);
  ASSERT_EQ(log.told.size(), 1u);
  EXPECT_THAT(log.told[0].what, HasSubstr("index"));
  EXPECT_EQ(log.world.log->stats().damaged_blocks, 1u);
  log.world.close();
}

TEST(Damage, AScrubOfNoDaysReadsNothing) {
  DamagedLog log;
  log.fill();
  log.world.run_for_minutes(10);
  EXPECT_EQ(log.world.log->stats().scrubbed_bytes, 0u);
  log.world.close();
}

}  // namespace
}  // namespace millrace::log::testing
