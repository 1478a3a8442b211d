// What nothing in the folder knows is moved aside, and only what a crash is known to leave is removed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <vector>

#include "base/clock.h"
#include "log/format_page.h"
#include "log/journal_file.h"
#include "log/leftovers.h"
#include "log/orphans.h"
#include "log/run_codec.h"
#include "log/segment_writer.h"
#include "sim/sim_disk.h"

namespace millrace::log {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::uint64_t kThisFolder = 7;
constexpr std::uint64_t kFileBytes = 1u << 20;

class Orphans : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(disk_.make_folder("log/segments").ok());
    ASSERT_TRUE(disk_.make_folder("log/journal/000").ok());
    manifest_.origin = {kThisFolder, 1};
    manifest_.next_segment = 10;
    manifest_.loops.resize(1);
    manifest_.loops[0].next_file = 5;
  }

  std::string segment(std::uint64_t number, std::uint64_t folder) {
    auto writer = SegmentWriter::create(disk_, pace_, number, folder);
    EXPECT_TRUE(writer.ok());
    BlockBuilder builder(**writer, Effort::kLittle);
    const Bytes run = millrace::testing::page_bytes("run");  // two records of shard 3
    EXPECT_TRUE(builder.add(load_run_header(run.data()), run.data() + kRunHeaderBytes).ok());
    EXPECT_TRUE(builder.end_block().ok());
    EXPECT_TRUE((*writer)->finish().ok());
    return segment_path(number);
  }

  std::string journal(std::uint64_t number, JournalUse use) {
    auto file = create_journal_file(disk_, pace_, 0, number, kFileBytes);
    EXPECT_TRUE(file.ok());
    EXPECT_TRUE(use.generation == 0 || begin_use(**file, use).ok());
    return journal_path(0, number);
  }

  Leftovers found() {
    auto leftovers = find_leftovers(disk_, &manifest_, kThisFolder);
    EXPECT_TRUE(leftovers.ok()) << leftovers.error().text;
    return leftovers.ok() ? *leftovers : Leftovers{};
  }

  sim::SimDisk disk_{sim::Seed{1}};
  std::atomic<std::uint64_t> journal_bytes_{0};
  WritePace pace_{system_clock(), 0, journal_bytes_};
  Manifest manifest_;
};

TEST_F(Orphans, ASegmentOfThisFolderThatNoManifestNamesIsLeftByACrash) {
  const std::string given_up = segment(4, kThisFolder);
  const std::string not_yet_named = segment(10, kThisFolder);
  EXPECT_THAT(found().ours, ElementsAre(given_up, not_yet_named));
  EXPECT_THAT(found().orphans, IsEmpty());
}

TEST_F(Orphans, ASegmentOfAnotherFolderOrOfAnEarlierVersionIsAnOrphan) {
  const std::string anothers = segment(4, kThisFolder + 1);
  const std::string earlier = segment(11, 0);
  EXPECT_THAT(found().orphans, ElementsAre(anothers, earlier));
  EXPECT_THAT(found().ours, IsEmpty());
}

TEST_F(Orphans, AnEmptySegmentIsLeftByACrashOnlyWhereItsNumberWasNeverNamed) {
  for (const std::uint64_t number : {9, 10})
    ASSERT_TRUE(disk_.open(segment_path(number), store::Disk::Mode::kCreate).ok());
  EXPECT_THAT(found().ours, ElementsAre(segment_path(10)));
  EXPECT_THAT(found().orphans, ElementsAre(segment_path(9)));
}

TEST_F(Orphans, AJournalFileIsKnownByItsHeader) {
  const std::string never_used = journal(5, {});
  const std::string ours = journal(2, {3, 1, kTrustAll, kThisFolder});
  const std::string anothers = journal(3, {3, 1, kTrustAll, kThisFolder + 1});
  const std::string earlier = journal(4, {3, 1, kTrustAll, 0});
  EXPECT_THAT(found().ours, ElementsAre(ours, never_used));
  EXPECT_THAT(found().orphans, ElementsAre(anothers, earlier));
}

TEST_F(Orphans, WhatIsMovedKeepsItsPathAndItsBytesAndIsToldForEachShard) {
  const std::string path = segment(4, kThisFolder + 1);
  const Bytes bytes = disk_.file_bytes(path);
  std::vector<std::string> told;
  const auto tell = [&](const std::string& line) { told.push_back(line); };
  ASSERT_TRUE(move_to_orphaned(disk_, path, tell).ok());
  EXPECT_EQ(disk_.file_bytes("orphaned/" + path).text(), bytes.text());
  EXPECT_EQ(disk_.open(path, store::Disk::Mode::kRead).error().kind, ErrorKind::kNotFound);
  ASSERT_EQ(told.size(), 2u);
  EXPECT_THAT(told[0], HasSubstr("moved to"));
  EXPECT_THAT(told[1], HasSubstr("2 records of shard 3"));
}

TEST_F(Orphans, AnotherOfTheSameNameIsNotWrittenOver) {
  const auto silent = [](const std::string&) {};
  for (const std::uint64_t folder : {1, 2, 3})
    ASSERT_TRUE(move_to_orphaned(disk_, segment(4, folder), silent).ok());
  const auto names = disk_.list("orphaned/log/segments");
  ASSERT_TRUE(names.ok());
  EXPECT_THAT(*names, ElementsAre("0000000004.mrs", "0000000004.mrs.1", "0000000004.mrs.2"));
  const auto orphaned = count_orphaned(disk_);
  ASSERT_TRUE(orphaned.ok());
  EXPECT_EQ(orphaned->files, 3u);
  EXPECT_EQ(orphaned->bytes, 3 * disk_.file_bytes("orphaned/log/segments/0000000004.mrs").size());
}

}  // namespace
}  // namespace millrace::log
