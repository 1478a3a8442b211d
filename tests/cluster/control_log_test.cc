#include "cluster/control_log.h"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include "sim/sim_disk.h"
#include "store/object_store.h"

namespace millrace::cluster {
namespace {

constexpr char kLast[] = "objects/control/log/00000000000000000003";

struct Machine {
  explicit Machine(std::uint64_t seed) : disk(sim::Seed{seed}) { boot(); }
  void boot() { store = std::move(*store::open_directory_store(disk, "objects")); }
  sim::SimDisk disk;
  std::unique_ptr<store::ObjectStore> store;
};

std::vector<std::string> append_some(Machine& machine, int count) {
  auto opened = ControlLog::open(*machine.store, "control/");
  EXPECT_TRUE(opened.ok());
  std::vector<std::string> entries;
  for (int i = 0; i < count; ++i) {
    entries.push_back(fmt::format("entry {}", i));
    EXPECT_TRUE(opened->log->append(entries.back()).ok());
  }
  return entries;
}

TEST(ControlLog, GivesBackWhatWasAppendedInOrder) {
  Machine machine{1};
  const auto entries = append_some(machine, 5);
  const auto again = ControlLog::open(*machine.store, "control/");
  ASSERT_TRUE(again.ok()) << again.error().text;
  EXPECT_EQ(again->entries, entries);
  EXPECT_FALSE(again->snapshot.has_value());
  EXPECT_EQ(again->log->last(), 5u);
}

TEST(ControlLog, ASnapshotStandsForTheEntriesBeforeIt) {
  Machine machine{1};
  append_some(machine, 3);
  auto opened = ControlLog::open(*machine.store, "control/");
  ASSERT_TRUE(opened->log->snapshot("all three").ok());
  ASSERT_TRUE(opened->log->append("fourth").ok());
  EXPECT_EQ(opened->log->since_snapshot(), 1u);
  const auto again = ControlLog::open(*machine.store, "control/");
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->snapshot, "all three");
  EXPECT_EQ(again->entries, std::vector<std::string>{"fourth"});
  EXPECT_EQ(machine.store->list("control/log/")->size(), 1u);
}

TEST(ControlLog, TheSecondWriterOfANumberIsToldSo) {
  Machine machine{1};
  auto first = ControlLog::open(*machine.store, "control/");
  auto second = ControlLog::open(*machine.store, "control/");
  ASSERT_TRUE(first->log->append("a").ok());
  const auto lost = second->log->append("b");
  ASSERT_FALSE(lost.ok());
  EXPECT_EQ(lost.error().kind, ErrorKind::kConflict);
}

TEST(ControlLog, AFlippedBitAnywhereRefusesAndNamesTheObject) {
  Machine machine{1};
  append_some(machine, 3);
  const std::size_t bits = machine.disk.file_bytes(kLast).size() * 8;
  for (std::size_t bit = 0; bit < bits; ++bit) {
    machine.disk.flip_bit(kLast, bit);
    const auto opened = ControlLog::open(*machine.store, "control/");
    ASSERT_FALSE(opened.ok()) << "bit " << bit;
    EXPECT_EQ(opened.error().kind, ErrorKind::kCorrupt);
    EXPECT_NE(opened.error().text.find("00000000000000000003"), std::string::npos) << opened.error().text;
    machine.disk.flip_bit(kLast, bit);
  }
  EXPECT_TRUE(ControlLog::open(*machine.store, "control/").ok());
}

TEST(ControlLog, AnObjectCutShortOrMissingInTheMiddleRefuses) {
  for (std::size_t size = 0; size < 35; ++size) {
    Machine machine{1};
    append_some(machine, 3);
    ASSERT_LT(size, machine.disk.file_bytes(kLast).size());
    machine.disk.cut(kLast, size);
    EXPECT_EQ(ControlLog::open(*machine.store, "control/").error().kind, ErrorKind::kCorrupt) << size;
  }
  Machine machine{1};
  append_some(machine, 3);
  ASSERT_TRUE(machine.store->remove("control/log/00000000000000000002").ok());
  const auto opened = ControlLog::open(*machine.store, "control/");
  ASSERT_FALSE(opened.ok());
  EXPECT_NE(opened.error().text.find("00000000000000000002"), std::string::npos) << opened.error().text;
}

// Every crash point of a run of appends and snapshots, with power loss and with kill -9.
TEST(ControlLog, WhatWasAcknowledgedSurvivesACrashAtAnyOperation) {
  int crashes = 0;
  for (const auto kind : {sim::Crash::kPowerLoss, sim::Crash::kProcessKilled})
    for (std::uint64_t at = 1;; ++at) {
      Machine machine{at};
      machine.disk.crash_at_operation(machine.disk.operations() + at, kind);
      std::vector<std::string> acknowledged;
      std::string attempted;
      if (auto opened = ControlLog::open(*machine.store, "control/"); opened.ok())
        for (int i = 0; i < 12; ++i) {
          attempted = fmt::format("entry {}", i);
          if (!opened->log->append(attempted).ok()) break;
          acknowledged.push_back(attempted);
          if (i % 4 == 3 && !opened->log->snapshot(fmt::format("snapshot of {}", i + 1)).ok()) break;
        }
      if (!machine.disk.crashed()) break;
      ++crashes;
      machine.disk.restart();
      machine.boot();
      const auto again = ControlLog::open(*machine.store, "control/");
      ASSERT_TRUE(again.ok()) << "operation " << at << ": " << again.error().text;
      std::size_t covered = 0;
      if (again->snapshot) covered = std::stoul(again->snapshot->substr(std::string("snapshot of ").size()));
      ASSERT_LE(covered, acknowledged.size());
      const std::size_t total = covered + again->entries.size();
      ASSERT_GE(total, acknowledged.size()) << "operation " << at;
      ASSERT_LE(total, acknowledged.size() + 1) << "operation " << at;
      for (std::size_t i = 0; i < again->entries.size(); ++i)
        ASSERT_EQ(again->entries[i], fmt::format("entry {}", covered + i));
    }
  EXPECT_GT(crashes, 100);
}

TEST(ControlLog, ASnapshotIsDueByTheCostOfReadingWhatWasAppended) {
  Machine machine{1};
  auto opened = ControlLog::open(*machine.store, "control/");
  ControlLog& log = *opened->log;
  const auto appended_until_due = [&log](const std::string& entry) {
    int count = 0;
    for (; !log.snapshot_due(); ++count) EXPECT_TRUE(log.append(entry).ok());
    return count;
  };
  EXPECT_EQ(appended_until_due("small"), 256);  // 4 MiB, at 16 KiB each
  ASSERT_TRUE(log.snapshot(std::string(8u << 20, 's')).ok());
  EXPECT_FALSE(log.snapshot_due());
  EXPECT_EQ(appended_until_due(std::string(1u << 20, 'e')), 16);  // twice the last snapshot
  ASSERT_TRUE(log.snapshot("s").ok());
  EXPECT_EQ(appended_until_due("small"), 256);
  log.snapshot_failed();
  EXPECT_EQ(appended_until_due("small"), 256);
  const auto again = ControlLog::open(*machine.store, "control/");
  EXPECT_TRUE(again->log->snapshot_due()) << "a start counts what it reads";
}

// A snapshot that is written beside appends, and what it replaces removed beside them, cut short anywhere.
TEST(ControlLog, ASnapshotBesideAppendsSurvivesACrashAtAnyOperation) {
  int crashes = 0;
  for (const auto kind : {sim::Crash::kPowerLoss, sim::Crash::kProcessKilled})
    for (std::uint64_t at = 1;; ++at) {
      Machine machine{at};
      machine.disk.crash_at_operation(machine.disk.operations() + at, kind);
      std::size_t acknowledged = 0;
      if (auto opened = ControlLog::open(*machine.store, "control/"); opened.ok()) {
        ControlLog& log = *opened->log;
        const auto append = [&] {
          if (!log.append(fmt::format("entry {}", acknowledged)).ok()) return false;
          ++acknowledged;
          return true;
        };
        bool going = append() && append();
        for (int round = 0; going && round < 3; ++round) {
          const std::size_t covered = acknowledged;
          auto snapshot = log.begin_snapshot();
          going = snapshot.ok() && append() && (*snapshot)->append("snapshot ").ok() && append() &&
                  (*snapshot)->append(fmt::format("of {}", covered)).ok() && append() &&
                  log.end_snapshot(**snapshot).ok();
          for (bool more = true; going && more;) {
            const auto removed = log.remove_replaced();
            more = removed.ok() && *removed;
            going = removed.ok() && append();
          }
        }
      }
      if (!machine.disk.crashed()) break;
      ++crashes;
      machine.disk.restart();
      machine.boot();
      const auto again = ControlLog::open(*machine.store, "control/");
      ASSERT_TRUE(again.ok()) << "operation " << at << ": " << again.error().text;
      std::size_t covered = 0;
      if (again->snapshot) covered = std::stoul(again->snapshot->substr(std::string("snapshot of ").size()));
      ASSERT_LE(covered, acknowledged);
      const std::size_t total = covered + again->entries.size();
      ASSERT_GE(total, acknowledged) << "operation " << at;
      ASSERT_LE(total, acknowledged + 1) << "operation " << at;
      for (std::size_t i = 0; i < again->entries.size(); ++i)
        ASSERT_EQ(again->entries[i], fmt::format("entry {}", covered + i));
    }
  EXPECT_GT(crashes, 100);
}

TEST(ControlLog, ASnapshotThatFailsLosesNothing) {
  for (const auto operation : {sim::Operation::kCreate, sim::Operation::kWrite, sim::Operation::kSync,
                               sim::Operation::kRename, sim::Operation::kRemove}) {
    Machine machine{1};
    auto opened = ControlLog::open(*machine.store, "control/");
    ASSERT_TRUE(opened->log->append("a").ok());
    machine.disk.fail_next(operation);
    EXPECT_FALSE(opened->log->snapshot("state a").ok());
    ASSERT_TRUE(opened->log->append("b").ok());
    machine.boot();
    const auto again = ControlLog::open(*machine.store, "control/");
    ASSERT_TRUE(again.ok()) << again.error().text;
    const bool taken = again->snapshot.has_value();
    EXPECT_EQ(again->entries, taken ? std::vector<std::string>{"b"} : (std::vector<std::string>{"a", "b"}));
  }
}

}  // namespace
}  // namespace millrace::cluster
