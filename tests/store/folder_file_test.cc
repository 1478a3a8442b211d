// FOLDER and who keeps it: what is noted is there after a crash, as far as it was told to be.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "sim/sim_disk.h"
#include "store/folder_file.h"
#include "store/folder_keeper.h"

namespace millrace::store {
namespace {

using testing::HasSubstr;

// Runs at once, or when it is told to.
class HeldWorker final : public Worker {
 public:
  explicit HeldWorker(std::vector<Callback>& held) : held_(held) {}
  void run(Callback work) override { held_.push_back(std::move(work)); }

 private:
  std::vector<Callback>& held_;
};

FolderRecord record_of(std::uint64_t starts) {
  FolderRecord record;
  record.origin = {0x1f2e3d4c5b6a7988, starts};
  record.parts["log/manifest"] = {27, 0, "d85dae07"};
  return record;
}

std::uint64_t starts_in(sim::SimDisk& disk) {
  const auto record = read_folder_record(disk);
  EXPECT_TRUE(record.ok()) << record.error().text;
  return record.ok() && *record ? (*record)->origin.start : 0;
}

TEST(FolderFile, WithoutAFileThereIsNoRecord) {
  sim::SimDisk disk{sim::Seed{1}};
  const auto record = read_folder_record(disk);
  ASSERT_TRUE(record.ok());
  EXPECT_FALSE(record->has_value());
}

TEST(FolderFile, AWriteCutShortLeavesTheRecordBefore) {
  for (std::size_t kept = 0; kept < 120; kept += 7) {
    sim::SimDisk disk{sim::Seed{kept + 1}};
    {
      auto file = FolderFile::open(disk, record_of(1));
      ASSERT_TRUE(file.ok()) << file.error().text;
      disk.crash_in_next_write(kept);
      EXPECT_FALSE((*file)->write(record_of(2)).ok());
    }
    disk.restart();
    EXPECT_EQ(starts_in(disk), 1u);
    EXPECT_TRUE(FolderFile::open(disk, record_of(3)).ok());
    EXPECT_EQ(starts_in(disk), 3u);
  }
}

TEST(FolderFile, ACrashAnywhereWhileItIsMadeLeavesNoneOrAWholeOne) {
  for (std::uint64_t operation = 1;; ++operation) {
    sim::SimDisk disk{sim::Seed{operation}};
    disk.crash_at_operation(operation, sim::Crash::kPowerLoss);
    const bool made = FolderFile::open(disk, record_of(1)).ok();
    if (disk.crashed()) disk.restart();
    const auto record = read_folder_record(disk);
    ASSERT_TRUE(record.ok()) << record.error().text;
    if (made) {
      EXPECT_TRUE(record->has_value());
      break;
    }
    EXPECT_TRUE(FolderFile::open(disk, record_of(1)).ok());
  }
}

TEST(FolderFile, CutShortOrDamagedInBothSlotsItIsRefused) {
  sim::SimDisk disk{sim::Seed{1}};
  ASSERT_TRUE(FolderFile::open(disk, record_of(1)).ok());
  ASSERT_TRUE(FolderFile::open(disk, record_of(2)).ok());
  disk.flip_bit("FOLDER", 30 * 8);
  EXPECT_EQ(starts_in(disk), 1u);  // the newest slot is damaged: the one before holds
  disk.flip_bit("FOLDER", (kFolderSlotBytes + 30) * 8);
  EXPECT_EQ(read_folder_record(disk).error().kind, ErrorKind::kCorrupt);
  auto file = disk.open("FOLDER", Disk::Mode::kWrite);
  ASSERT_TRUE(file.ok() && (*file)->truncate(kFolderSlotBytes).ok());
  EXPECT_THAT(read_folder_record(disk).error().text, HasSubstr("FOLDER has"));
}

TEST(FolderKeeper, NotesMadeWhileOneIsWaitingGoOutTogether) {
  sim::SimDisk disk{sim::Seed{1}};
  std::vector<Callback> held;
  FolderKeeper keeper(disk, record_of(1), std::make_unique<HeldWorker>(held), [](const std::string&) {});
  keeper.note("log/journal/000", {5, 0, {}});
  EXPECT_TRUE(held.empty());  // it has not begun
  ASSERT_TRUE(keeper.begin().ok());
  EXPECT_EQ((*read_folder_record(disk))->parts.at("log/journal/000").number, 5u);
  keeper.note("log/journal/000", {6, 0, {}});
  keeper.note("control/kms", {2, 0, "00000001"});
  keeper.note("control/kms", {2, 0, "00000001"});
  ASSERT_EQ(held.size(), 1u);
  held[0]();
  const auto record = read_folder_record(disk);
  EXPECT_EQ((*record)->parts.at("log/journal/000").number, 6u);
  EXPECT_EQ((*record)->parts.at("control/kms").sum, "00000001");
  keeper.forget("control/kms");
  ASSERT_TRUE(keeper.flush().ok());
  EXPECT_EQ((*read_folder_record(disk))->parts.count("control/kms"), 0u);
}

TEST(FolderKeeper, AWriteThatFailsIsToldOnceAndTriedAgainWithTheNextNote) {
  sim::SimDisk disk{sim::Seed{1}};
  std::vector<Callback> held;
  int told = 0;
  FolderKeeper keeper(disk, record_of(1), std::make_unique<HeldWorker>(held),
                      [&](const std::string&) { ++told; });
  ASSERT_TRUE(keeper.begin().ok());
  disk.fail_next(sim::Operation::kWrite);
  disk.fail_next(sim::Operation::kWrite);
  keeper.note("control/kms", {1, 0, {}});
  EXPECT_FALSE(keeper.flush().ok());
  EXPECT_FALSE(keeper.flush().ok());
  EXPECT_EQ(told, 1);
  EXPECT_TRUE(keeper.flush().ok());
  EXPECT_EQ((*read_folder_record(disk))->parts.at("control/kms").number, 1u);
}

}  // namespace
}  // namespace millrace::store
