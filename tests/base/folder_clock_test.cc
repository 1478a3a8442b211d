#include "base/folder_clock.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

namespace millrace {
namespace {

constexpr std::int64_t kStartMs = 1'760'000'000'000;
constexpr std::int64_t kSecondMs = 1'000;
constexpr std::int64_t kHourMs = 3'600'000;
constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::min();

class SetClock final : public Clock {
 public:
  std::int64_t wall_ms() const override { return wall_offset_ms + monotonic; }
  std::int64_t monotonic_ns() const override { return monotonic * kNsPerMs; }

  std::int64_t monotonic = 5'000;
  std::int64_t wall_offset_ms = kStartMs - 5'000;
};

// A clock that a keeper with a good disk looks after.
struct Kept {
  SetClock machine;
  FolderClock clock{machine};
  ClockMark mark;
  std::vector<std::string> lines;

  Kept() { start(); }
  void start() {
    clock.begin(mark, 0, [this](const std::string& line) { lines.push_back(line); });
    observe();
  }
  void observe() {
    if (const auto skips = clock.observe()) {
      mark.skips = *skips;
      clock.accept();
    }
  }
  void run(std::int64_t ms) {
    for (const std::int64_t end = machine.monotonic + ms; machine.monotonic < end;) {
      const std::int64_t before_ms = clock.wall_ms();
      machine.monotonic += std::min(kSecondMs, end - machine.monotonic);
      observe();
      EXPECT_GE(clock.wall_ms(), before_ms) << "it fell";
    }
  }
  void stop() { mark = clock.mark(); }
  std::int64_t ahead_ms() const { return clock.wall_ms() - machine.wall_ms(); }
  // Whether a stamp of `stamp_ms` is older than `age_ms`.
  bool is_older(std::int64_t stamp_ms, std::int64_t age_ms) const {
    return stamp_ms < clock.long_ago_ms(age_ms);
  }
};

TEST(FolderClock, BeforeItBeginsItShowsTheMachinesTimeAndNothingIsOld) {
  const SetClock machine;
  const FolderClock clock(machine);
  EXPECT_EQ(clock.wall_ms(), kStartMs);
  EXPECT_EQ(clock.long_ago_ms(0), kNever);
  EXPECT_FALSE(clock.believed_ms().has_value());
}

TEST(FolderClock, WithoutStepsItIsTheMachinesClock) {
  Kept kept;
  kept.run(3 * kHourMs);
  EXPECT_EQ(kept.clock.wall_ms(), kept.machine.wall_ms());
  EXPECT_EQ(kept.clock.long_ago_ms(kHourMs), kept.machine.wall_ms() - kHourMs);
  EXPECT_EQ(kept.clock.believed_ms(), kept.machine.wall_ms());
  EXPECT_TRUE(kept.lines.empty());
  EXPECT_EQ(kept.clock.stats().steps, 0u);
}

TEST(FolderClock, AShortStepChangesNothingAndIsTold) {
  for (const std::int64_t by_ms : {kSecondMs, 2 * kMsPerDay, 400 * kMsPerDay, -kSecondMs, -400 * kMsPerDay}) {
    Kept kept;
    kept.run(kHourMs);
    kept.machine.wall_offset_ms += by_ms;
    kept.run(2'500);
    EXPECT_EQ(kept.ahead_ms(), -by_ms);
    EXPECT_FALSE(kept.clock.believed_ms().has_value());
    EXPECT_TRUE(kept.clock.stats().waiting);
    EXPECT_FALSE(kept.is_older(kStartMs, 2 * kHourMs));
    kept.machine.wall_offset_ms -= by_ms;
    kept.run(kHourMs);
    EXPECT_EQ(kept.ahead_ms(), 0);
    EXPECT_EQ(kept.clock.believed_ms(), kept.machine.wall_ms());
    ASSERT_EQ(kept.lines.size(), 2u);
    EXPECT_TRUE(kept.lines[0].starts_with("clock step: the wall clock is ")) << kept.lines[0];
    EXPECT_TRUE(kept.lines[1].starts_with("clock step over: ")) << kept.lines[1];
    EXPECT_EQ(kept.clock.stats().steps, 1u);
  }
}

TEST(FolderClock, ALastingStepForwardIsTakenAsTrueAndDoesNotCountAsPassed) {
  for (const std::int64_t by_ms : {kSecondMs, kHourMs, 400 * kMsPerDay}) {
    Kept kept;
    const std::int64_t before_ms = kept.clock.wall_ms();
    kept.run(kHourMs);
    kept.machine.wall_offset_ms += by_ms;
    kept.run(FolderClock::kGraceMs - kSecondMs);
    EXPECT_EQ(kept.ahead_ms(), -by_ms);
    kept.run(10 * kSecondMs);
    EXPECT_EQ(kept.ahead_ms(), 0);
    const std::int64_t after_ms = kept.clock.wall_ms();
    kept.run(2 * kHourMs);
    // 3 hours and 5 minutes after the first stamp, 2 hours after the second.
    EXPECT_FALSE(kept.is_older(before_ms, 3 * kHourMs + 6 * 60'000));
    EXPECT_TRUE(kept.is_older(before_ms, 3 * kHourMs));
    EXPECT_FALSE(kept.is_older(after_ms, 2 * kHourMs));
    EXPECT_TRUE(kept.is_older(after_ms, 2 * kHourMs - 1));
    EXPECT_TRUE(kept.lines.back().starts_with("clock step taken as true: ")) << kept.lines.back();
    EXPECT_EQ(kept.clock.believed_ms(), kept.machine.wall_ms());
  }
}

TEST(FolderClock, AfterALastingStepBackItRunsAtHalfSpeedUntilTheyAgree) {
  Kept kept;
  kept.machine.wall_offset_ms -= 4 * kHourMs;
  kept.run(FolderClock::kGraceMs + 2 * kSecondMs);
  EXPECT_TRUE(kept.lines.back().ends_with("runs at half speed until they agree")) << kept.lines.back();
  const std::int64_t ahead_ms = kept.ahead_ms();
  kept.run(2 * kHourMs);
  EXPECT_EQ(kept.ahead_ms(), ahead_ms - kHourMs);
  kept.run(7 * kHourMs);
  EXPECT_EQ(kept.ahead_ms(), 0);
  EXPECT_EQ(kept.clock.believed_ms(), kept.machine.wall_ms());
}

TEST(FolderClock, AClockThatWasAheadForAWhileMakesRecordsLiveAtMostTwiceAsLong) {
  Kept kept;
  kept.machine.wall_offset_ms += 30 * kMsPerDay;
  kept.run(kHourMs);
  const std::int64_t stamp_ms = kept.clock.wall_ms();
  kept.machine.wall_offset_ms -= 30 * kMsPerDay;
  kept.run(24 * kHourMs);
  EXPECT_FALSE(kept.is_older(stamp_ms, 24 * kHourMs));
  kept.run(25 * kHourMs);
  EXPECT_TRUE(kept.is_older(stamp_ms, 24 * kHourMs));
}

TEST(FolderClock, TimeBetweenTwoRunsDoesNotCountAsPassedHoweverTheClockStands) {
  for (const std::int64_t by_ms : {3 * kMsPerDay, 400 * kMsPerDay, -kStartMs, -kHourMs}) {
    Kept kept;
    const std::int64_t stamp_ms = kept.clock.wall_ms();
    kept.run(kHourMs);
    kept.stop();
    const std::int64_t shown_ms = kept.clock.wall_ms();
    kept.machine.wall_offset_ms += by_ms;
    kept.start();
    EXPECT_GE(kept.clock.wall_ms(), shown_ms);
    EXPECT_FALSE(kept.clock.believed_ms().has_value());
    kept.run(2 * kHourMs);
    EXPECT_FALSE(kept.is_older(stamp_ms, 3 * kHourMs + 1)) << by_ms;
    kept.run(4 * kHourMs);
    EXPECT_TRUE(kept.is_older(stamp_ms, 3 * kHourMs)) << by_ms;
  }
}

TEST(FolderClock, AStartTakesAFewDaysAtOnceAndMoreAfterAWhile) {
  Kept kept;
  kept.run(kHourMs);
  kept.stop();
  kept.machine.wall_offset_ms += 3 * kMsPerDay;
  kept.start();
  EXPECT_EQ(kept.ahead_ms(), 0);
  EXPECT_TRUE(kept.lines.empty());
  kept.stop();
  kept.machine.wall_offset_ms += 8 * kMsPerDay;
  kept.start();
  EXPECT_EQ(kept.ahead_ms(), -8 * kMsPerDay);
  kept.run(FolderClock::kGraceMs + 2 * kSecondMs);
  EXPECT_EQ(kept.ahead_ms(), 0);
}

TEST(FolderClock, WhatAnEarlierVersionStampedWithATimeToComeMakesNothingOlder) {
  SetClock machine;
  FolderClock clock(machine);
  const std::int64_t stamp_ms = kStartMs - kHourMs;  // before the clock was ahead
  clock.begin({}, kStartMs + 30 * kMsPerDay, {});    // and while it was
  EXPECT_EQ(clock.wall_ms(), kStartMs + 30 * kMsPerDay);
  EXPECT_EQ(clock.long_ago_ms(kHourMs + 1), stamp_ms - 1);
  EXPECT_EQ(clock.long_ago_ms(kHourMs - 1), stamp_ms + 1);
  machine.monotonic += kHourMs;
  EXPECT_EQ(clock.long_ago_ms(kHourMs), kStartMs + 30 * kMsPerDay)
      << "as if it had been stamped at the start";
  EXPECT_EQ(clock.mark().skips.size(), 2u);
}

TEST(FolderClock, StandsStillUntilASkipIsDurable) {
  Kept kept;
  const std::int64_t stamp_ms = kept.clock.wall_ms();
  kept.machine.wall_offset_ms += kMsPerDay;
  std::optional<std::vector<ClockSkip>> skips;
  for (; !skips; skips = kept.clock.observe()) kept.machine.monotonic += kSecondMs;
  const std::int64_t stands_ms = kept.clock.wall_ms();
  kept.machine.monotonic += 30 * kSecondMs;
  EXPECT_EQ(kept.clock.wall_ms(), stands_ms);
  EXPECT_FALSE(kept.clock.observe().has_value());
  kept.clock.decline();
  EXPECT_EQ(kept.clock.wall_ms(), stands_ms);
  kept.machine.monotonic += 30 * kSecondMs;
  EXPECT_EQ(kept.clock.wall_ms(), stands_ms + 30 * kSecondMs);
  kept.run(2 * FolderClock::kGraceMs);
  EXPECT_GE(kept.clock.wall_ms(), skips->back().from_ms) << "it is asked for again";
  EXPECT_FALSE(kept.is_older(stamp_ms, kHourMs));
}

TEST(FolderClock, ASlowDriftIsFollowed) {
  Kept kept;
  for (int second = 0; second < 7'200; ++second) {
    if (second % 5 == 0) ++kept.machine.wall_offset_ms;
    kept.run(kSecondMs);
  }
  EXPECT_LT(std::abs(kept.ahead_ms()), 500);
  EXPECT_TRUE(kept.lines.empty());
}

TEST(FolderClock, ForgetsTheSmallestSkipsAndNeverMakesAStampOlder) {
  Kept kept;
  std::vector<std::pair<std::int64_t, std::int64_t>> stamps;  // and when, by the monotonic clock
  for (int run = 0; run < 300; ++run) {
    stamps.emplace_back(kept.clock.wall_ms(), kept.machine.monotonic);
    kept.run(60'000);
    kept.stop();
    kept.machine.wall_offset_ms += run % 7 * kHourMs + kSecondMs;
    kept.start();
    ASSERT_LE(kept.mark.skips.size(), FolderClock::kSkipsMax);
  }
  for (const auto& [stamp_ms, since_ms] : stamps)
    EXPECT_FALSE(kept.is_older(stamp_ms, kept.machine.monotonic - since_ms + 1));
  EXPECT_TRUE(kept.is_older(stamps.front().first, kept.machine.monotonic - stamps.front().second - 1));
}

}  // namespace
}  // namespace millrace
