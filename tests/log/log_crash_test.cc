// What was acknowledged is there after any crash: thousands of crash points, each decided by a seed.

#include <gtest/gtest.h>

#include <functional>

#include "log/log_machine.h"
#include "log/seeds.h"

namespace millrace::log {
namespace {

using sim::Crash;

// Runs `scenario` with each seed; stops at the first fault. Whether all of them ran.
bool with_seeds(std::uint64_t count, const std::function<void(LogMachine&)>& scenario,
                LogMachine::Records records = LogMachine::Records::kPlain) {
  const Seeds range = seeds(count);
  for (std::uint64_t seed = range.first; seed < range.first + range.count; ++seed) {
    LogMachine machine{sim::Seed{seed}, records};
    scenario(machine);
    EXPECT_EQ(machine.fault(), "") << again(seed) << '\n' << machine.describe_files();
    if (::testing::Test::HasFailure()) return false;
  }
  return !range.is_only;
}

Crash some_crash(LogMachine& machine) {
  return machine.random().chance(0.7) ? Crash::kPowerLoss : Crash::kProcessKilled;
}

void start_or_fail(LogMachine& machine) {
  auto started = machine.start();
  if (!started.ok() && !machine.disk().crashed()) machine.fail("open: " + started.error().text);
}

// Appends, reads and so on until the disk crashes, at the latest after `steps`.
void live_until_crash(LogMachine& machine, std::uint64_t steps) {
  for (std::uint64_t i = 0; i < steps && !machine.disk().crashed() && machine.fault().empty(); ++i)
    machine.step();
  // Some lives end with a clean stop that the crash falls into.
  if (!machine.disk().crashed() && machine.random().chance(0.3)) {
    if (auto closed = machine.stop_cleanly(); !closed.ok() && !machine.disk().crashed())
      machine.fail("close: " + closed.error().text);
  }
  if (!machine.disk().crashed()) machine.disk().crash(some_crash(machine));
}

// Four lives that end in crashes, and a fifth.
void live_and_crash(LogMachine& machine, std::uint64_t& crashes, std::uint64_t& acknowledged) {
  machine.disk().keep_name_order(machine.random().chance(0.5));
  for (int life = 0; life < 4 && machine.fault().empty(); ++life) {
    // Crashes also fall into the recovery: it has its own writes.
    const std::uint64_t operations = machine.random().chance(0.2) ? 12 : 120;
    machine.disk().crash_at_operation(machine.disk().operations() + machine.random().between(1, operations),
                                      some_crash(machine));
    start_or_fail(machine);
    if (machine.is_running()) live_until_crash(machine, 60);
    machine.stop_process();
    ++crashes;
    if (machine.disk().crashed()) machine.disk().restart();
  }
  if (!machine.fault().empty()) return;
  start_or_fail(machine);
  if (!machine.is_running()) return;
  if (!machine.appends_again()) machine.fail("appends do not work after the last recovery");
  machine.read_all(false);
  if (auto closed = machine.stop_cleanly(); !closed.ok()) machine.fail("close: " + closed.error().text);
  start_or_fail(machine);
  acknowledged += machine.acknowledged();
}

TEST(LogCrash, WhatWasAcknowledgedIsReadInOrderAfterEachOfTenThousandCrashes) {
  std::uint64_t crashes = 0;
  std::uint64_t acknowledged = 0;
  if (with_seeds(2'500, [&](LogMachine& machine) { live_and_crash(machine, crashes, acknowledged); })) {
    EXPECT_GE(crashes, 10'000u);
    EXPECT_GE(acknowledged, 10'000u);
  }
}

// Shards that begin to be encrypted, get other keys and cease to be; keys that are disabled for a while, also
// when the machine starts. No nonce is used twice, which the machine's keys see to.
TEST(LogCrash, EncryptedRecordsAreReadInOrderAfterEachOfTenThousandCrashes) {
  std::uint64_t crashes = 0;
  std::uint64_t acknowledged = 0;
  std::uint64_t encrypted = 0;
  std::uint64_t refused = 0;
  const auto scenario = [&](LogMachine& machine) {
    live_and_crash(machine, crashes, acknowledged);
    encrypted += machine.keys().encrypted_runs();
    refused += machine.refused_reads();
  };
  if (with_seeds(2'500, scenario, LogMachine::Records::kSomeEncrypted)) {
    EXPECT_GE(crashes, 10'000u);
    EXPECT_GE(acknowledged, 10'000u);
    EXPECT_GE(encrypted, 10'000u);
    EXPECT_GE(refused, 20u);
  }
}

TEST(LogCrash, IoErrorsLoseNothingThatWasAcknowledgedAndAppendsGoOnWhenTheyStop) {
  with_seeds(600, [&](LogMachine& machine) {
    for (int life = 0; life < 3 && machine.fault().empty(); ++life) {
      start_or_fail(machine);
      if (!machine.is_running()) return;
      machine.expect_errors(true);
      const double share = machine.random().chance(0.5) ? 0.005 : 0.05;
      machine.disk().set_faults({.read = share, .write = share, .sync = share, .names = share});
      for (int i = 0; i < 40 && machine.fault().empty(); ++i) machine.step();
      machine.disk().set_faults({});
      if (!machine.appends_again()) machine.fail("appends do not work again after the errors");
      machine.expect_errors(false);
      machine.drain();
      machine.read_all(false);
      if (machine.random().chance(0.5)) {
        if (auto closed = machine.stop_cleanly(); !closed.ok()) machine.fail("close: " + closed.error().text);
      } else {
        machine.disk().crash(some_crash(machine));
        machine.stop_process();
        machine.disk().restart();
      }
    }
  });
}

// What a failed sync left is in the page cache for the next process to read, and on no disk.
TEST(LogCrash, WhatAFailedSyncLeftIsNotTakenForDurableByTheNextProcess) {
  with_seeds(500, [&](LogMachine& machine) {
    for (int life = 0; life < 4 && machine.fault().empty(); ++life) {
      start_or_fail(machine);
      if (!machine.is_running()) return;
      const bool fails = life % 2 == 0;
      machine.expect_errors(fails);
      if (fails) machine.disk().set_faults({.sync = 0.1});
      for (int i = 0; i < 30 && machine.fault().empty(); ++i) machine.step();
      machine.disk().set_faults({});
      machine.drain();
      machine.expect_errors(false);
      if (fails) {
        if (machine.random().chance(0.5)) {
          if (auto closed = machine.stop_cleanly(); !closed.ok())
            machine.fail("close: " + closed.error().text);
          continue;
        }
        machine.disk().crash(Crash::kProcessKilled);
      } else {
        machine.disk().crash(Crash::kPowerLoss);
      }
      machine.stop_process();
      machine.disk().restart();
    }
    if (machine.fault().empty()) start_or_fail(machine);
  });
}

TEST(LogCrash, IoErrorsDuringARecoveryRefuseToOpenAndTheNextOneFindsAll) {
  with_seeds(500, [&](LogMachine& machine) {
    start_or_fail(machine);
    for (int i = 0; i < 30 && machine.fault().empty(); ++i) machine.step();
    machine.disk().crash(some_crash(machine));
    machine.stop_process();
    machine.disk().restart();
    machine.expect_errors(true);
    machine.disk().set_faults({.read = 0.05, .write = 0.05, .sync = 0.05, .names = 0.05});
    for (int attempt = 0; attempt < 5 && !machine.is_running(); ++attempt) {
      auto started = machine.start();
      if (!started.ok() && started.error().kind != ErrorKind::kUnavailable &&
          started.error().kind != ErrorKind::kUnknown)
        machine.fail("open: " + started.error().text);
    }
    machine.disk().crash(some_crash(machine));
    machine.stop_process();
    machine.disk().restart();
    machine.disk().set_faults({});
    machine.expect_errors(false);
    start_or_fail(machine);
  });
}

TEST(LogCrash, AFullDiskRefusesAppendsKeepsReadsGoingAndTakesAppendsAgainWithSpace) {
  std::uint64_t filled = 0;
  const bool all_ran = with_seeds(400, [&](LogMachine& machine) {
    start_or_fail(machine);
    for (int life = 0; life < 2 && machine.is_running() && machine.fault().empty(); ++life) {
      for (int i = 0; i < 10; ++i) machine.step();
      machine.drain();
      machine.expect_errors(true);
      machine.disk().set_capacity(machine.disk().used_bytes() + machine.random().below(80'000));
      for (int i = 0; i < 100 && machine.fault().empty(); ++i) machine.step();
      machine.drain();
      filled += *machine.disk().free_bytes() < 40'000;
      machine.read_all(false);
      if (machine.random().chance(0.3)) {
        // Full or not, what was acknowledged is found again.
        machine.disk().crash(some_crash(machine));
        machine.stop_process();
        machine.disk().restart();
        machine.disk().set_capacity(sim::SimDisk::kCapacityAtFirst);
        machine.expect_errors(false);
        start_or_fail(machine);
        if (!machine.is_running()) return;
      }
      machine.disk().set_capacity(sim::SimDisk::kCapacityAtFirst);
      if (!machine.appends_again()) machine.fail("appends do not work again with space");
      machine.drain();
      machine.expect_errors(false);
      machine.read_all(false);
    }
    if (!machine.is_running() || !machine.fault().empty()) return;
    machine.disk().crash(some_crash(machine));
    machine.stop_process();
    machine.disk().restart();
    start_or_fail(machine);
  });
  if (all_ran) {
    EXPECT_GT(filled, 100u);
  }
}

TEST(LogCrash, TheSameSeedGivesTheSameTrace) {
  const auto trace = [](std::uint64_t seed) {
    LogMachine machine{sim::Seed{seed}};
    start_or_fail(machine);
    for (int i = 0; i < 60; ++i) machine.step();
    machine.drain();
    return machine.world().trace_hash();
  };
  std::set<std::uint64_t> traces;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    EXPECT_EQ(trace(seed), trace(seed)) << "seed " << seed;
    traces.insert(trace(seed));
  }
  EXPECT_EQ(traces.size(), 20u);
}

}  // namespace
}  // namespace millrace::log
