// How the space of a segment that nobody needs any more comes back: in pieces, after its last reader, and
// whatever the disk says.
#include "log/segment_removal.h"

#include <gtest/gtest.h>

#include "log_world.h"

namespace millrace::log::testing {
namespace {

constexpr std::uint64_t kPiece = 512;  // small_options()
constexpr std::uint64_t kSize = 3 * kPiece + 100;
const std::string kPath = "log/segments/0000000007.mrs";

struct OneSegment {
  LogWorld world;
  LogContext context{world.environment(), small_options(), nullptr};
  SegmentRemoval removal{context};
  std::shared_ptr<Segment> segment;

  OneSegment() {
    MR_ASSERT(world.disk.make_folder("log/segments").ok());
    auto file = world.disk.open(kPath, store::Disk::Mode::kCreate);
    const std::string bytes(kSize, 's');
    const ByteView all = as_bytes(bytes);
    MR_ASSERT(file.ok() && (*file)->write_at(0, {&all, 1}).ok() && (*file)->sync().ok());
    MR_ASSERT(world.disk.sync_folder("log/segments").ok());
    segment =
        std::make_shared<Segment>(7, kPath, std::move(file).value(), kSize, 0, std::vector<BlockEntry>());
  }

  void remove() {
    removal.add(std::move(segment));
    removal.run();
  }
  // 0: it is gone.
  std::uint64_t size() const { return world.disk.paths().empty() ? 0 : world.disk.file_bytes(kPath).size(); }
};

TEST(SegmentRemoval, TheFileGoes) {
  OneSegment one;
  one.remove();
  EXPECT_EQ(one.size(), 0u);
  EXPECT_EQ(one.removal.waiting(), 0u);
}

// Every cut is durable before the next is made: whenever the power fails, one at most is undone.
TEST(SegmentRemoval, ItIsCutPieceByPiece) {
  constexpr std::uint64_t kOperationsACut = 2;
  constexpr std::uint64_t kCuts = 3;
  for (std::uint64_t at = 1; at <= kCuts * kOperationsACut; ++at) {
    SCOPED_TRACE(at);
    OneSegment one;
    one.world.disk.crash_at_operation(one.world.disk.operations() + at, sim::Crash::kPowerLoss);
    one.remove();
    EXPECT_TRUE(one.world.disk.crashed());
    one.world.disk.restart();
    const std::uint64_t durable_cuts = (at - 1) / kOperationsACut;
    EXPECT_LE(one.size(), kSize - durable_cuts * kPiece);
    EXPECT_GE(one.size(), kSize - (durable_cuts + 1) * kPiece);
  }
}

TEST(SegmentRemoval, WhatIsReadStaysWholeUntilItsReaderGoes) {
  OneSegment one;
  std::shared_ptr<Segment> reader = one.segment;
  one.remove();
  EXPECT_EQ(one.size(), kSize);
  EXPECT_EQ(one.removal.waiting(), 1u);
  reader.reset();
  one.removal.run();
  EXPECT_EQ(one.size(), 0u);
  EXPECT_EQ(one.removal.waiting(), 0u);
}

TEST(SegmentRemoval, WhatCannotBeCutIsRemovedWhole) {
  for (const sim::Operation operation : {sim::Operation::kTruncate, sim::Operation::kSync}) {
    OneSegment one;
    one.world.disk.fail_next(operation);
    one.remove();
    EXPECT_EQ(one.size(), 0u);
  }
}

// The log closes: nobody is kept waiting, and the next start removes it.
TEST(SegmentRemoval, ItEndsWithThePace) {
  OneSegment one;
  one.context.pace.end();
  one.remove();
  EXPECT_GT(one.size(), 0u);
  EXPECT_EQ(one.removal.waiting(), 0u);
}

}  // namespace
}  // namespace millrace::log::testing
