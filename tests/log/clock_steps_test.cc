// The wall clock steps, for a moment or for good, in a run or between two. Nothing that was acknowledged is
// missing before its retention has really passed, it goes when it has, and arrival times never fall.
#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "log/log_world.h"
#include "sim/seeded_random.h"

namespace millrace::log {
namespace {

constexpr std::int64_t kMinuteMs = 60'000;
constexpr std::int64_t kRetentionMs = 20 * kMinuteMs;

class SteppedLog {
 public:
  explicit SteppedLog(std::uint64_t seed = 7) : log_(1, seed) {
    log_.options.settle_after_ms = 2'000;
    log_.options.tail_cache_bytes = 4'096;
    log_.add_shards(1, kRetentionMs);
    log_.open();
  }

  testing::LogWorld& log() { return log_; }
  void step(std::int64_t by_ms) { log_.world.shift_wall_clock(by_ms); }
  void run(std::int64_t ms) { log_.world.run_for(ms * kNsPerMs); }
  void restart(bool clean) {
    if (clean)
      log_.close();
    else
      log_.kill();
    log_.open();
  }
  void append() {
    const std::int64_t before_ms = monotonic_ms();
    const auto batch = log_.append({{1, std::string(200, 'x')}});
    const Run& run = batch->runs.front();
    ASSERT_EQ(run.status, RunStatus::kDurable);
    EXPECT_GE(run.arrival_ms, newest_arrival_ms_) << "an arrival time fell";
    newest_arrival_ms_ = run.arrival_ms;
    acknowledged_ms_[run.first_offset] = before_ms;
  }
  // Everything acknowledged in the last kRetentionMs is there; what is older by `most_ms` is not.
  void check(std::int64_t most_ms) {
    const std::uint64_t first = first_readable();
    for (const auto& [offset, at_ms] : acknowledged_ms_) {
      const std::int64_t age_ms = monotonic_ms() - at_ms;
      if (age_ms < kRetentionMs) {
        ASSERT_GE(offset, first) << "record " << offset << " is missing at an age of " << age_ms << " ms";
      } else if (age_ms > most_ms) {
        ASSERT_LT(offset, first) << "record " << offset << " is there at an age of " << age_ms << " ms";
      }
    }
  }
  std::int64_t arrival_ahead_ms() { return newest_arrival_ms_ - log_.world.clock().wall_ms(); }

 private:
  std::int64_t monotonic_ms() { return log_.world.clock().monotonic_ns() / kNsPerMs; }
  std::uint64_t first_readable() {
    auto batch = log_.read(1, 0);
    EXPECT_TRUE(batch.ok());
    if (!batch.ok()) return 0;
    EXPECT_GE(batch->next_offset, log_.extent(1).first_offset);
    return batch->records.empty() ? batch->end_offset : batch->records.front().offset;
  }

  testing::LogWorld log_;
  std::map<std::uint64_t, std::int64_t> acknowledged_ms_;  // when, by the monotonic clock
  std::int64_t newest_arrival_ms_ = 0;
};

TEST(ClockSteps, ForAMomentTakeNothing) {
  for (const std::int64_t by_ms : {std::int64_t{1'000}, kMsPerDay, 400 * kMsPerDay}) {
    for (const int sign : {1, -1}) {
      SteppedLog log;
      log.append();
      log.run(10 * kMinuteMs);
      log.append();
      log.step(sign * by_ms);
      log.run(2'500);
      log.append();
      log.check(kRetentionMs);
      log.step(-sign * by_ms);
      log.run(1'500);
      log.append();
      EXPECT_LE(log.arrival_ahead_ms(), 0);
      log.check(kRetentionMs);
      log.run(10 * kMinuteMs);
      log.check(kRetentionMs + kMinuteMs);
    }
  }
}

TEST(ClockSteps, ThatLastTakeNothingBeforeItsTime) {
  for (const std::int64_t by_ms : {std::int64_t{1'000}, kMsPerDay, 400 * kMsPerDay}) {
    for (const int sign : {1, -1}) {
      SteppedLog log;
      log.append();
      log.step(sign * by_ms);
      for (int minute = 0; minute < 45; ++minute) {
        log.run(kMinuteMs);
        log.append();
        log.check((sign > 0 ? 1 : 2) * kRetentionMs + kMinuteMs);
      }
      if (sign > 0) {
        EXPECT_NEAR(static_cast<double>(log.arrival_ahead_ms()), 0, 100);
      }
    }
  }
}

TEST(ClockSteps, BetweenTwoRunsTakeNothingBeforeItsTime) {
  for (const std::int64_t by_ms : {std::int64_t{1'000}, kMsPerDay, 400 * kMsPerDay}) {
    for (const int sign : {1, -1}) {
      SteppedLog log;
      log.append();
      log.run(10 * kMinuteMs);
      log.append();
      log.step(sign * by_ms);
      log.restart(sign > 0);
      log.append();
      log.check(kRetentionMs);
      log.run(2'500);
      log.check(kRetentionMs);
      log.step(-sign * by_ms);
      log.restart(sign < 0);
      for (int minute = 0; minute < 30; ++minute) {
        log.run(kMinuteMs);
        log.append();
        log.check(2 * kRetentionMs + 11 * kMinuteMs);
      }
    }
  }
}

TEST(ClockSteps, AnIdleServerThatIsRestartedOftenStillExpiresItsRecords) {
  SteppedLog log;
  log.append();
  for (int restart = 0; restart < 5; ++restart) {
    log.run(5 * kMinuteMs);
    log.restart(true);
  }
  log.run(kMinuteMs);
  log.check(kRetentionMs + kMinuteMs);
}

TEST(ClockSteps, AreToldInTheLog) {
  SteppedLog log;
  log.run(3'000);
  log.step(2 * kMsPerDay);
  log.run(FolderClock::kGraceMs + 5'000);
  std::string lines;
  for (const std::string& line : log.log().warnings) lines += line + "\n";
  EXPECT_NE(lines.find("clock step: the wall clock is 2.0 days ahead of"), std::string::npos) << lines;
  EXPECT_NE(lines.find("clock step taken as true"), std::string::npos) << lines;
}

TEST(ClockSteps, InAnyOrderTakeNothingBeforeItsTime) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    sim::SeededRandom random{sim::Seed{seed}};
    SteppedLog log(seed);
    for (int event = 0; event < 60; ++event) {
      constexpr std::array<std::int64_t, 5> kScalesMs = {1'000, kMinuteMs, 3'600'000, 30 * kMsPerDay,
                                                         400 * kMsPerDay};
      const auto kind = random.below(10);
      if (kind < 2) {
        const std::int64_t scale_ms = kScalesMs[random.below(kScalesMs.size())];
        log.step(random.chance(0.5) ? scale_ms : -scale_ms);
      } else if (kind < 3) {
        log.restart(random.chance(0.5));
      } else if (kind < 5) {
        log.run(static_cast<std::int64_t>(random.below(2 * FolderClock::kGraceMs)));
      } else {
        log.append();
        log.run(static_cast<std::int64_t>(random.below(5'000)));
      }
      SCOPED_TRACE(seed);
      log.check(std::numeric_limits<std::int64_t>::max());
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
}

}  // namespace
}  // namespace millrace::log
