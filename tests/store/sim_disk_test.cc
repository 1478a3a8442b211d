#include "sim/sim_disk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <set>

namespace millrace::sim {
namespace {

using store::Disk;
using store::File;
using Mode = Disk::Mode;
using testing::HasSubstr;

Result<void> write(File& file, std::uint64_t offset, std::string_view text) {
  const std::array<ByteView, 1> pieces{as_bytes(text)};
  return file.write_at(offset, pieces);
}

std::unique_ptr<File> open_file(Disk& disk, std::string_view path, Mode mode) {
  auto file = disk.open(path, mode);
  EXPECT_TRUE(file.ok()) << file.error().text;
  return std::move(file).value();
}

// A durable file of `sectors` sectors, all of `fill`.
std::unique_ptr<File> make_file(Disk& disk, std::string_view path, std::size_t sectors, char fill) {
  auto file = open_file(disk, path, Mode::kCreate);
  EXPECT_TRUE(write(*file, 0, std::string(sectors * kSectorBytes, fill)).ok());
  EXPECT_TRUE(file->sync().ok());
  EXPECT_TRUE(disk.sync_folder("").ok());
  return file;
}

std::string content(const SimDisk& disk, std::string_view path) {
  return std::string(disk.file_bytes(path).text());
}

// One letter a sector; '?' where a sector is torn, which no disk does.
std::string sectors(const SimDisk& disk, std::string_view path) {
  const std::string text = content(disk, path);
  std::string letters;
  for (std::size_t begin = 0; begin < text.size(); begin += kSectorBytes) {
    const std::string sector = text.substr(begin, kSectorBytes);
    const bool is_whole = sector.find_first_not_of(sector.front()) == std::string::npos;
    letters += !is_whole ? '?' : sector.front() == '\0' ? '0' : sector.front();
  }
  return letters;
}

// What `scenario`, run with each of many seeds and followed by a power loss, leaves.
std::set<std::string> outcomes(const std::function<void(SimDisk&)>& scenario,
                               const std::function<std::string(SimDisk&)>& look) {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    SimDisk disk{Seed{seed}};
    scenario(disk);
    if (!disk.crashed()) disk.crash(Crash::kPowerLoss);
    disk.restart();
    seen.insert(look(disk));
  }
  return seen;
}

std::string sectors_of_data(SimDisk& disk) { return sectors(disk, "data"); }
std::string all_paths(SimDisk& disk) {
  std::string text;
  for (const std::string& path : disk.paths()) text += path + ' ';
  return text;
}

TEST(SimDisk, WhatIsWrittenIsReadBackAcrossBlocks) {
  SimDisk disk{Seed{1}};
  auto file = open_file(disk, "data", Mode::kCreate);
  std::string expected(20'000, '\0');
  for (std::size_t offset = 100; offset + 777 < expected.size(); offset += 1'500) {
    const std::string text(777, static_cast<char>('a' + offset % 26));
    ASSERT_TRUE(write(*file, offset, text).ok());
    expected.replace(offset, text.size(), text);
    expected.resize(std::max<std::size_t>(expected.size(), offset + text.size()));
  }
  expected.resize(*file->size());
  EXPECT_EQ(content(disk, "data"), expected);
  std::string part(3'000, '?');
  EXPECT_EQ(*file->read_at(9'000, {reinterpret_cast<std::uint8_t*>(part.data()), part.size()}), 3'000u);
  EXPECT_EQ(part, expected.substr(9'000, 3'000));
  ASSERT_TRUE(file->truncate(5'000).ok());
  ASSERT_TRUE(file->truncate(9'000).ok());
  expected.resize(5'000);
  expected.resize(9'000);
  EXPECT_EQ(content(disk, "data"), expected);
}

TEST(SimDisk, APowerLossKeepsWhatWasSynced) {
  const auto seen = outcomes([](SimDisk& disk) { make_file(disk, "data", 9, 'a'); }, sectors_of_data);
  EXPECT_EQ(seen, std::set<std::string>{"aaaaaaaaa"});
}

TEST(SimDisk, APowerLossKeepsOrDropsEachUnsyncedSectorForItself) {
  const auto seen = outcomes(
      [](SimDisk& disk) {
        auto file = make_file(disk, "data", 3, 'a');
        ASSERT_TRUE(write(*file, 0, std::string(3 * kSectorBytes, 'b')).ok());
      },
      sectors_of_data);
  EXPECT_EQ(seen, (std::set<std::string>{"aaa", "aab", "aba", "abb", "baa", "bab", "bba", "bbb"}));
}

TEST(SimDisk, APowerLossLeavesAnyVersionSinceTheSyncOfASectorWrittenSeveralTimes) {
  const auto seen = outcomes(
      [](SimDisk& disk) {
        auto file = make_file(disk, "data", 1, 'a');
        for (const char fill : {'b', 'c', 'd'})
          ASSERT_TRUE(write(*file, 0, std::string(kSectorBytes, fill)).ok());
      },
      sectors_of_data);
  EXPECT_EQ(seen, (std::set<std::string>{"a", "b", "c", "d"}));
}

TEST(SimDisk, APowerLossMayLeaveALaterWriteWithoutAnEarlierOne) {
  const auto seen = outcomes(
      [](SimDisk& disk) {
        auto file = make_file(disk, "data", 2, 'a');
        ASSERT_TRUE(write(*file, 0, std::string(kSectorBytes, 'b')).ok());
        ASSERT_TRUE(write(*file, kSectorBytes, std::string(kSectorBytes, 'c')).ok());
      },
      sectors_of_data);
  EXPECT_EQ(seen.count("ac"), 1u);
}

TEST(SimDisk, AnUnsyncedSizeIsKeptOrNotAndHolesAreZeros) {
  const auto seen = outcomes(
      [](SimDisk& disk) {
        auto file = make_file(disk, "data", 1, 'a');
        ASSERT_TRUE(write(*file, kSectorBytes, std::string(kSectorBytes, 'b')).ok());
        ASSERT_TRUE(write(*file, 2 * kSectorBytes, std::string(kSectorBytes, 'c')).ok());
      },
      sectors_of_data);
  EXPECT_EQ(seen, (std::set<std::string>{"a", "ab", "a0", "abc", "a0c", "ab0", "a00"}));
}

TEST(SimDisk, AnUnsyncedTruncationHappensAsAWholeOrNotAtAll) {
  const auto seen = outcomes(
      [](SimDisk& disk) {
        auto file = make_file(disk, "data", 4, 'a');
        ASSERT_TRUE(file->truncate(kSectorBytes).ok());
      },
      sectors_of_data);
  EXPECT_EQ(seen, (std::set<std::string>{"a", "aaaa"}));
}

TEST(SimDisk, AKilledProcessKeepsWhatItWroteButAPowerLossMayStillTakeIt) {
  std::set<std::string> after_kill;
  std::set<std::string> after_power_loss;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    SimDisk disk{Seed{seed}};
    auto file = make_file(disk, "data", 2, 'a');
    ASSERT_TRUE(write(*file, 0, std::string(2 * kSectorBytes, 'b')).ok());
    ASSERT_TRUE(disk.open("new", Mode::kCreate).ok());
    disk.crash(Crash::kProcessKilled);
    disk.restart();
    after_kill.insert(sectors(disk, "data") + ' ' + all_paths(disk));
    disk.crash(Crash::kPowerLoss);
    disk.restart();
    after_power_loss.insert(sectors(disk, "data"));
  }
  EXPECT_EQ(after_kill, std::set<std::string>{"bb data new "});
  EXPECT_EQ(after_power_loss, (std::set<std::string>{"aa", "ab", "ba", "bb"}));
}

TEST(SimDisk, NamesAreDurableOnlyAfterTheFolderIsSynced) {
  const auto create = [](SimDisk& disk) { ASSERT_TRUE(open_file(disk, "data", Mode::kCreate)->sync().ok()); };
  EXPECT_EQ(outcomes(create, all_paths), (std::set<std::string>{"", "data "}));
  const auto create_and_sync = [&](SimDisk& disk) {
    create(disk);
    ASSERT_TRUE(disk.sync_folder("").ok());
  };
  EXPECT_EQ(outcomes(create_and_sync, all_paths), std::set<std::string>{"data "});
  const auto remove = [&](SimDisk& disk) {
    create_and_sync(disk);
    ASSERT_TRUE(disk.remove("data").ok());
  };
  EXPECT_EQ(outcomes(remove, all_paths), (std::set<std::string>{"", "data "}));
}

TEST(SimDisk, ARenameInAFolderIsOneStepAndSeveralSurviveInAnyCombinationUnlessOrdered) {
  const auto rename = [](SimDisk& disk) {
    make_file(disk, "old", 1, 'a');
    make_file(disk, "other", 1, 'b');
    ASSERT_TRUE(disk.rename("old", "new").ok());
    ASSERT_TRUE(disk.rename("other", "last").ok());
  };
  EXPECT_EQ(outcomes(rename, all_paths),
            (std::set<std::string>{"old other ", "new other ", "last old ", "last new "}));
  const auto rename_in_order = [&](SimDisk& disk) {
    disk.keep_name_order(true);
    rename(disk);
  };
  EXPECT_EQ(outcomes(rename_in_order, all_paths),
            (std::set<std::string>{"old other ", "new other ", "last new "}));
}

TEST(SimDisk, ARenameOverAFileLeavesOneOfTheTwo) {
  const auto seen = outcomes(
      [](SimDisk& disk) {
        make_file(disk, "data", 1, 'a');
        make_file(disk, "new", 1, 'b');
        ASSERT_TRUE(disk.rename("new", "data").ok());
      },
      sectors_of_data);
  EXPECT_EQ(seen, (std::set<std::string>{"a", "b"}));
}

TEST(SimDisk, ARenameBetweenFoldersNeverLosesBothNames) {
  const auto seen = outcomes(
      [](SimDisk& disk) {
        ASSERT_TRUE(disk.make_folder("to").ok());
        make_file(disk, "data", 1, 'a');
        ASSERT_TRUE(disk.rename("data", "to/data").ok());
      },
      all_paths);
  EXPECT_EQ(seen, (std::set<std::string>{"data ", "data to/data ", "to/data "}));
}

TEST(SimDisk, TheOperationThatCrashesHappensNotInPartOrInFullAndLaterOnesFail) {
  const auto seen = outcomes(
      [](SimDisk& disk) {
        auto file = make_file(disk, "data", 2, 'a');
        disk.crash_at_operation(disk.operations() + 2, Crash::kPowerLoss);
        ASSERT_TRUE(write(*file, 0, std::string(2 * kSectorBytes, 'b')).ok());
        EXPECT_EQ(file->sync().error().kind, ErrorKind::kUnknown);
        EXPECT_TRUE(disk.crashed());
        std::uint8_t byte = 0;
        EXPECT_EQ(file->read_at(0, {&byte, 1}).error().kind, ErrorKind::kUnavailable);
        EXPECT_EQ(write(*file, 0, "x").error().kind, ErrorKind::kUnknown);
        EXPECT_EQ(disk.open("data", Mode::kRead).error().kind, ErrorKind::kUnavailable);
        EXPECT_EQ(disk.list("").error().kind, ErrorKind::kUnavailable);
        EXPECT_EQ(disk.remove("data").error().kind, ErrorKind::kUnknown);
      },
      sectors_of_data);
  EXPECT_EQ(seen, (std::set<std::string>{"aa", "ab", "ba", "bb"}));
}

TEST(SimDisk, AFileOpenedBeforeARestartStaysUseless) {
  SimDisk disk{Seed{1}};
  auto file = make_file(disk, "data", 1, 'a');
  disk.crash(Crash::kProcessKilled);
  disk.restart();
  EXPECT_EQ(write(*file, 0, "x").error().kind, ErrorKind::kUnknown);
  EXPECT_EQ(file->sync().error().kind, ErrorKind::kUnknown);
  EXPECT_EQ(sectors(disk, "data"), "a");
}

TEST(SimDisk, ATornWriteKeepsExactlyTheBytesAsked) {
  SimDisk disk{Seed{1}};
  auto file = make_file(disk, "data", 1, 'a');
  disk.crash_in_next_write(9);
  EXPECT_EQ(write(*file, kSectorBytes, "journal frame").error().kind, ErrorKind::kUnknown);
  disk.restart();
  EXPECT_EQ(content(disk, "data"), std::string(kSectorBytes, 'a') + "journal f");
}

TEST(SimDisk, AfterAFailedSyncTheSectorsAreThereLostOrOldAndNoLaterSyncBringsThemBack) {
  std::set<std::string> right_after;
  std::set<std::string> after_power_loss;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    SimDisk disk{Seed{seed}};
    auto file = make_file(disk, "data", 2, 'a');
    ASSERT_TRUE(write(*file, 0, std::string(2 * kSectorBytes, 'b')).ok());
    disk.fail_next(Operation::kSync);
    auto failed = file->sync();
    ASSERT_EQ(failed.error().kind, ErrorKind::kUnknown);
    EXPECT_THAT(failed.error().text, HasSubstr("sync sim:/data"));
    EXPECT_TRUE(file->sync().ok());
    const std::string seen = sectors(disk, "data");
    disk.crash(Crash::kPowerLoss);
    disk.restart();
    right_after.insert(seen);
    after_power_loss.insert(seen + sectors(disk, "data"));
  }
  EXPECT_EQ(right_after, (std::set<std::string>{"aa", "ab", "ba", "bb"}));
  EXPECT_EQ(after_power_loss.count("bbaa"), 1u) << "seen, synced again, and yet lost";
  EXPECT_EQ(after_power_loss.count("bbbb"), 1u);
  EXPECT_EQ(after_power_loss.count("aabb"), 0u);
}

TEST(SimDisk, AWriteThatFailsLeavesAnyMixOfOldAndNew) {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    SimDisk disk{Seed{seed}};
    auto file = make_file(disk, "data", 2, 'a');
    disk.fail_next(Operation::kWrite);
    auto failed = write(*file, 0, std::string(2 * kSectorBytes, 'b'));
    EXPECT_EQ(failed.error().kind, ErrorKind::kUnknown);
    seen.insert(sectors(disk, "data"));
    EXPECT_TRUE(write(*file, 0, "fine again").ok());
  }
  for (const char* outcome : {"aa", "ab", "ba", "bb"}) EXPECT_EQ(seen.count(outcome), 1u) << outcome;
}

TEST(SimDisk, FaultsComeInTheShareAskedForAndStop) {
  SimDisk disk{Seed{1}};
  auto file = make_file(disk, "data", 1, 'a');
  disk.set_faults({.read = 0.2, .write = 0.2, .sync = 0.2, .names = 0.2});
  int failed = 0;
  std::uint8_t byte = 0;
  for (int i = 0; i < 1'000; ++i) {
    failed += !write(*file, 0, "x").ok();
    failed += !file->sync().ok();
    failed += !disk.sync_folder("").ok();
    failed += !file->read_at(0, {&byte, 1}).ok();
  }
  EXPECT_NEAR(failed, 800, 120);
  disk.set_faults({});
  EXPECT_TRUE(write(*file, 0, "x").ok() && file->sync().ok());
}

TEST(SimDisk, AFullDiskRefusesGrowthOnlyAndServesAgainWithSpace) {
  SimDisk disk{Seed{1}};
  auto file = make_file(disk, "data", 8, 'a');
  disk.set_capacity(2 * kBlockBytes);
  EXPECT_EQ(*disk.free_bytes(), kBlockBytes);
  auto full = write(*file, kBlockBytes, std::string(2 * kBlockBytes, 'b'));
  ASSERT_FALSE(full.ok());
  EXPECT_EQ(full.error().kind, ErrorKind::kUnavailable);
  EXPECT_THAT(full.error().text, HasSubstr("No space left on device"));
  EXPECT_EQ(*disk.free_bytes(), 0u);
  EXPECT_TRUE(write(*file, 0, std::string(kBlockBytes, 'c')).ok()) << "onto blocks that it has";
  auto other = open_file(disk, "other", Mode::kCreate);
  EXPECT_EQ(write(*other, 0, "x").error().kind, ErrorKind::kUnavailable);
  ASSERT_TRUE(file->truncate(kBlockBytes).ok());
  EXPECT_TRUE(write(*other, 0, "x").ok());
  ASSERT_TRUE(disk.remove("data").ok());
  EXPECT_EQ(disk.used_bytes(), 2 * kBlockBytes) << "still open";
  file.reset();
  EXPECT_EQ(disk.used_bytes(), kBlockBytes);
}

TEST(SimDisk, AFlippedBitAndACutStayThroughAPowerLoss) {
  SimDisk disk{Seed{1}};
  make_file(disk, "data", 2, 'a');
  disk.flip_bit("data", 8 * 700 + 1);
  std::string expected(2 * kSectorBytes, 'a');
  expected[700] = 'c';
  EXPECT_EQ(content(disk, "data"), expected);
  disk.cut("data", 800);
  disk.crash(Crash::kPowerLoss);
  disk.restart();
  EXPECT_EQ(content(disk, "data"), expected.substr(0, 800));
}

TEST(SimDisk, NamesAnswerAsOnAPosixDisk) {
  SimDisk disk{Seed{1}};
  ASSERT_TRUE(disk.make_folder("a/b").ok());
  make_file(disk, "one", 1, '1');
  make_file(disk, "two", 1, '2');
  EXPECT_EQ(*disk.list(""), (std::vector<std::string>{"a", "one", "two"}));
  EXPECT_EQ(*disk.list("a"), std::vector<std::string>{"b"});
  EXPECT_EQ(disk.list("one").error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(disk.open("a", Mode::kRead).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(disk.open("none", Mode::kWrite).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(disk.open("no/folder", Mode::kCreate).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(disk.open("one", Mode::kCreate).error().kind, ErrorKind::kConflict);
  EXPECT_EQ(disk.rename_new("one", "two").error().kind, ErrorKind::kConflict);
  EXPECT_EQ(disk.rename("none", "two").error().kind, ErrorKind::kNotFound);
  EXPECT_TRUE(disk.rename("one", "a/b/one").ok());
  EXPECT_TRUE(disk.remove("none").ok());
  EXPECT_EQ(disk.sync_folder("none").error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(disk.paths(), (std::vector<std::string>{"a/b/one", "two"}));
}

// Random operations, crashes and faults: what programs see after each step, in one text.
std::string play(Seed seed) {
  SeededRandom choice{seed};
  SimDisk disk{choice.fork()};
  std::string seen;
  for (int generation = 0; generation < 3; ++generation) {
    disk.set_faults({.write = 0.02, .sync = 0.02, .names = 0.02});
    disk.crash_at_operation(disk.operations() + choice.between(5, 60),
                            choice.chance(0.5) ? Crash::kPowerLoss : Crash::kProcessKilled);
    while (!disk.crashed()) {
      const std::string path = "file-" + std::to_string(choice.below(4));
      auto file = disk.open(path, Mode::kWrite);
      if (!file.ok()) file = disk.open(path, Mode::kCreate);
      if (!file.ok()) continue;
      const std::string text(choice.between(1, 5'000), static_cast<char>('a' + choice.below(26)));
      if (!write(**file, choice.below(10'000), text).ok()) seen += 'w';
      if (choice.chance(0.4) && !(*file)->sync().ok()) seen += 's';
      if (choice.chance(0.2) && !disk.sync_folder("").ok()) seen += 'f';
      if (choice.chance(0.1) && !disk.rename(path, "file-" + std::to_string(choice.below(4))).ok())
        seen += 'r';
      if (choice.chance(0.1) && !(*file)->truncate(choice.below(9'000)).ok()) seen += 't';
    }
    disk.restart();
    for (const std::string& path : disk.paths()) seen += path + content(disk, path);
  }
  return seen;
}

TEST(SimDisk, TheSameSeedLeavesTheSameBytes) {
  std::set<std::string> different;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const std::string seen = play(Seed{seed});
    ASSERT_EQ(seen, play(Seed{seed})) << "seed " << seed;
    different.insert(seen);
  }
  EXPECT_EQ(different.size(), 100u);
}

TEST(SimDisk, OperationsTakeTheWorldsTimeAndShowInItsTrace) {
  const auto run = [](std::string_view text) {
    SimWorld world{Seed{1}};
    SimDisk disk{Seed{2}, &world};
    auto file = open_file(disk, "data", Mode::kCreate);
    EXPECT_TRUE(write(*file, 0, text).ok());
    EXPECT_TRUE(file->sync().ok());
    EXPECT_GE(world.clock().monotonic_ns(), 100'000);
    return world.trace_hash();
  };
  EXPECT_EQ(run("a"), run("a"));
  EXPECT_NE(run("a"), run("b")) << "the bytes written belong to the trace";
}

}  // namespace
}  // namespace millrace::sim
