// A flipped bit or a file cut short, anywhere: the log finds and names it, or serves every record all the
// same. One seed alone: MILLRACE_SEED=N test_log --gtest_filter=LogCorruption.<name>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "log/log_machine.h"
#include "log/seeds.h"

namespace millrace::log {
namespace {

// What was damaged, for messages.
struct Damage {
  std::string path;
  std::string text;
};

Damage flip_some_bit(LogMachine& machine) {
  sim::SimDisk& disk = machine.disk();
  const auto paths = disk.paths();
  const std::string path = paths[machine.random().below(paths.size())];
  const Bytes content = disk.file_bytes(path);
  const std::uint64_t bytes = content.size();
  if (bytes == 0) return {path, "is empty"};
  std::uint64_t bit = machine.random().below(bytes * 8);
  // Most of a journal is zeros: mostly look for something better.
  for (int i = 0; i < 50 && content[bit / 8] == 0 && machine.random().chance(0.95); ++i)
    bit = machine.random().below(bytes * 8);
  disk.flip_bit(path, bit);
  return {path, fmt::format("bit {} of byte {} of {} flipped", bit % 8, bit / 8, bytes)};
}

Damage cut_some_file(LogMachine& machine) {
  sim::SimDisk& disk = machine.disk();
  const auto paths = disk.paths();
  const std::string path = paths[machine.random().below(paths.size())];
  const std::uint64_t bytes = disk.file_bytes(path).size();
  const std::uint64_t left = bytes == 0 ? 0 : machine.random().below(bytes);
  disk.cut(path, left);
  return {path, fmt::format("cut from {} to {} bytes", bytes, left)};
}

struct Outcomes {
  int refused = 0;
  int refused_at_read = 0;
  int harmless = 0;
};

// Life, stop, damage, start: refuses naming the file and a place in it, or every record is read, or says at
// the read which file is damaged.
Outcomes damage_with_seeds(std::uint64_t count, bool clean_stop, Damage (*damage)(LogMachine&),
                           LogMachine::Records records = LogMachine::Records::kPlain) {
  Outcomes outcomes;
  const Seeds range = seeds(count);
  for (std::uint64_t seed = range.first; seed < range.first + range.count; ++seed) {
    LogMachine machine{sim::Seed{seed}, records};
    auto started = machine.start();
    EXPECT_TRUE(started.ok()) << started.error().text;
    for (std::uint64_t i = 0, steps = machine.random().between(1, 60); i < steps; ++i) machine.step();
    if (clean_stop) {
      EXPECT_TRUE(machine.stop_cleanly().ok());
    } else {
      machine.disk().crash(sim::Crash::kProcessKilled);
      machine.stop_process();
      machine.disk().restart();
    }
    EXPECT_EQ(machine.fault(), "") << "before the damage, seed " << seed;
    const Damage done = damage(machine);
    machine.expect_corruption(true);
    started = machine.start();
    if (!started.ok()) {
      ++outcomes.refused;
      const std::string& text = started.error().text;
      if (started.error().kind != ErrorKind::kCorrupt) machine.fail("refused, but not as corrupt: " + text);
      if (text.find(done.path) == std::string::npos) machine.fail("the damaged file is not named: " + text);
      if (text.find_first_of("0123456789", text.find(done.path) + done.path.size()) == std::string::npos)
        machine.fail("no offset is named: " + text);
    } else {
      ++(machine.corrupt_reads() > 0 ? outcomes.refused_at_read : outcomes.harmless);
    }
    EXPECT_EQ(machine.fault(), "") << done.path << ": " << done.text << "; " << again(seed) << '\n'
                                   << machine.describe_files();
    if (::testing::Test::HasFailure()) return outcomes;
  }
  if (!range.is_only) {
    EXPECT_GT(outcomes.refused, 0);
    EXPECT_GT(outcomes.harmless, 0);
  }
  return outcomes;
}

TEST(LogCorruption, AFlippedBitAfterACleanStopIsNamedOrHarmless) {
  const Outcomes outcomes = damage_with_seeds(1'500, true, flip_some_bit);
  if (!seeds(1).is_only) {
    EXPECT_GT(outcomes.refused_at_read, 0);
  }
}

TEST(LogCorruption, AFlippedBitAfterAKillIsNamedOrHarmless) {
  damage_with_seeds(1'500, false, flip_some_bit);
}

TEST(LogCorruption, AFlippedBitWhereRecordsAreEncryptedIsNamedOrHarmless) {
  damage_with_seeds(700, true, flip_some_bit, LogMachine::Records::kSomeEncrypted);
}

TEST(LogCorruption, AFileCutShortAfterACleanStopIsNamedOrHarmless) {
  damage_with_seeds(700, true, cut_some_file);
}

TEST(LogCorruption, AFileCutShortAfterAKillIsNamedOrHarmless) {
  damage_with_seeds(700, false, cut_some_file);
}

}  // namespace
}  // namespace millrace::log
