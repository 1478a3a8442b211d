#include "base/folder_clock.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "base/assert.h"

namespace millrace {
namespace {

// Two readings of the clocks that differ by no more say the same.
constexpr std::int64_t kSameMs = 20;
// A step of at least this is counted and written to the log.
constexpr std::int64_t kToldMs = 500;
// Older than any retention: skips before it matter no more.
constexpr std::int64_t kOldestMs = 366 * kMsPerDay;
// Between the readings of the two clocks; a longer gap says nothing about either.
constexpr std::int64_t kReadingNsMax = 5'000'000;

bool is_same(std::int64_t a_ms, std::int64_t b_ms) {
  return a_ms - b_ms <= kSameMs && b_ms - a_ms <= kSameMs;
}

std::int64_t passed_ms(const ClockSkip& skip) { return skip.from_ms - skip.skipped_ms; }

std::string amount(std::int64_t ms) {
  const std::int64_t size_ms = ms < 0 ? -ms : ms;
  if (size_ms >= 2 * kMsPerDay) return fmt::format("{:.1f} days", static_cast<double>(size_ms) / kMsPerDay);
  if (size_ms >= 2 * 3'600'000) return fmt::format("{:.1f} hours", static_cast<double>(size_ms) / 3'600'000);
  return fmt::format("{:.1f} s", static_cast<double>(size_ms) / 1'000);
}

// Forgets skips that are too old to matter, then the smallest. What came before a forgotten skip looks
// younger.
void shorten(std::vector<ClockSkip>& skips) {
  const auto is_old = [&] { return passed_ms(skips.back()) - passed_ms(skips[1]) > kOldestMs; };
  while (skips.size() > 2 && is_old()) skips.erase(skips.begin());
  while (skips.size() > FolderClock::kSkipsMax) {
    auto smallest = skips.begin() + 1;
    const auto size = [](auto skip) { return skip->skipped_ms - std::prev(skip)->skipped_ms; };
    for (auto skip = smallest; std::next(skip) != skips.end(); ++skip)
      if (size(skip) < size(smallest)) smallest = skip;
    skips.erase(smallest);
  }
}

}  // namespace

FolderClock::FolderClock(const Clock& machine) : machine_(machine), line_(std::make_shared<const Line>()) {}

std::int64_t FolderClock::shown_ms(const Line& line, std::int64_t monotonic_ms) {
  if (line.stands) return line.slow_ms;
  return std::max(monotonic_ms + line.offset_ms, line.slow_ms + (monotonic_ms - line.slow_since_ms) / 2);
}

std::int64_t FolderClock::wall_ms() const {
  // First the time, then the line: what an old line shows is not later than the moment at which it was
  // replaced.
  const std::int64_t now_ms = monotonic_ms();
  const Line& line = *line_.here();
  return line.begun ? shown_ms(line, now_ms) : machine_.wall_ms();
}

std::int64_t FolderClock::long_ago_ms(std::int64_t age_ms) const {
  const std::int64_t now_ms = monotonic_ms();
  const Line& line = *line_.here();
  if (!line.begun) return std::numeric_limits<std::int64_t>::min();
  const std::int64_t then_ms = shown_ms(line, now_ms) - line.skips.back().skipped_ms - age_ms;
  for (auto skip = line.skips.rbegin(); skip != line.skips.rend(); ++skip)
    if (then_ms >= passed_ms(*skip)) return then_ms + skip->skipped_ms;
  return std::numeric_limits<std::int64_t>::min();
}

std::optional<std::int64_t> FolderClock::believed_ms() const {
  if (!steady_.load(std::memory_order_relaxed)) return std::nullopt;
  return monotonic_ms() + line_.here()->offset_ms;
}

void FolderClock::begin(const ClockMark& mark, std::int64_t newest_ms,
                        std::function<void(const std::string&)> warn) {
  warn_ = std::move(warn);
  step_.reset();
  wanted_.clear();
  begun_ms_ = monotonic_ms();
  steady_ = false;
  waiting_ = false;
  Line line;
  line.begun = true;
  line.skips = mark.skips;
  if (line.skips.empty()) {
    line.skips.push_back({0, 0});
    // An earlier version followed every step: what it stamped with a time still to come is no older than now.
    const std::int64_t ahead_ms = newest_ms - machine_.wall_ms();
    if (ahead_ms > 0 && ahead_ms <= newest_ms) line.skips.push_back({newest_ms, ahead_ms});
  }
  std::int64_t floor_ms = std::max({mark.shown_ms, newest_ms, line.skips.back().from_ms});
  starting_ = floor_ms > 0;
  if (!starting_) {  // nothing has a time stamp yet
    const auto seen = see();
    floor_ms = seen ? seen->offset_ms + begun_ms_ : machine_.wall_ms();
  }
  line.offset_ms = floor_ms - begun_ms_;
  line.slow_ms = floor_ms;
  line.slow_since_ms = begun_ms_;
  set(std::move(line));
}

std::optional<FolderClock::Seen> FolderClock::see() const {
  for (int attempt = 0; attempt < 3; ++attempt) {
    const std::int64_t before_ns = machine_.monotonic_ns();
    const std::int64_t wall_ms = machine_.wall_ms();
    const std::int64_t after_ns = machine_.monotonic_ns();
    if (after_ns - before_ns <= kReadingNsMax)
      return Seen{after_ns / kNsPerMs, wall_ms - after_ns / kNsPerMs};
  }
  return std::nullopt;
}

void FolderClock::set(Line line) { line_.publish(std::make_shared<const Line>(std::move(line))); }

std::optional<std::vector<ClockSkip>> FolderClock::observe() {
  const auto seen = see();
  if (!seen || !wanted_.empty()) return std::nullopt;
  const Line& line = *line_.here();
  const std::int64_t by_ms = seen->offset_ms - line.offset_ms;
  const bool at_start = std::exchange(starting_, false);
  if (is_same(by_ms, 0)) {
    if (step_ && step_->told) tell_over();
    step_.reset();
  } else if (at_start && by_ms > 0 && by_ms <= kStartLeadMs) {
    return stand_still(seen->offset_ms);
  } else if (!step_ || !is_same(step_->offset_ms, seen->offset_ms)) {
    tell_step(*seen, by_ms);
  } else if (seen->monotonic_ms - step_->since_ms >= kGraceMs) {
    if (seen->monotonic_ms + seen->offset_ms > shown_ms(line, seen->monotonic_ms))
      return stand_still(seen->offset_ms);
    slow_down(*seen);
  } else {
    step_->offset_ms = seen->offset_ms;  // a slow drift is no new step
  }
  waiting_ = step_.has_value() && step_->told;
  steady_ = !step_ && seen->monotonic_ms - begun_ms_ >= kGraceMs;
  return std::nullopt;
}

void FolderClock::tell_step(const Seen& seen, std::int64_t by_ms) {
  const bool told = by_ms >= kToldMs || by_ms <= -kToldMs;
  if (!told && step_ && step_->told) tell_over();
  step_ = Step{seen.offset_ms, seen.monotonic_ms, told};
  if (!told) return;
  steps_.fetch_add(1, std::memory_order_relaxed);
  tell(fmt::format(
      "clock step: the wall clock is {} {} the folder's clock. A step is not time that passed: nothing "
      "expires for it, and it is taken as true once it has been steady for {} minutes",
      amount(by_ms), by_ms > 0 ? "ahead of" : "behind", kGraceMs / 60'000));
}

std::optional<std::vector<ClockSkip>> FolderClock::stand_still(std::int64_t offset_ms) {
  Line line = *line_.here();
  line.stands = true;
  line.slow_since_ms = monotonic_ms();
  line.slow_ms = shown_ms(*line_.here(), line.slow_since_ms);
  wanted_ = line.skips;
  const std::int64_t passed = line.slow_ms - line.skips.back().skipped_ms;
  set(std::move(line));
  // Who still had the old line has read the time before this: it shows less than the skip's begin.
  const std::int64_t from_ms = monotonic_ms() + offset_ms;
  wanted_.push_back({from_ms, from_ms - passed});
  shorten(wanted_);
  steady_ = false;
  return wanted_;
}

void FolderClock::accept() {
  MR_ASSERT(!wanted_.empty());
  Line line = *line_.here();
  const std::int64_t now_ms = monotonic_ms();
  const std::int64_t from_ms = wanted_.back().from_ms;
  if (step_ && step_->told)
    tell(
        fmt::format("clock step taken as true: the wall clock has been steady for {} minutes. The folder's "
                    "clock skips {}, "
                    "which do not count as time that passed",
                    kGraceMs / 60'000, amount(from_ms - line.slow_ms)));
  line.stands = false;
  line.offset_ms = from_ms - now_ms;
  line.slow_ms = from_ms;
  line.slow_since_ms = now_ms;
  line.skips = std::exchange(wanted_, {});
  set(std::move(line));
  step_.reset();
  waiting_ = false;
}

void FolderClock::decline() {
  MR_ASSERT(!wanted_.empty());
  wanted_.clear();
  Line line = *line_.here();
  line.stands = false;
  line.slow_since_ms = monotonic_ms();
  line.offset_ms = line.slow_ms - line.slow_since_ms;
  set(std::move(line));
  step_.reset();
}

void FolderClock::slow_down(const Seen& seen) {
  Line line = *line_.here();
  line.slow_ms = shown_ms(line, seen.monotonic_ms);
  line.slow_since_ms = seen.monotonic_ms;
  line.offset_ms = seen.offset_ms;
  const std::int64_t ahead_ms = line.slow_ms - seen.monotonic_ms - seen.offset_ms;
  if (step_->told)
    tell(fmt::format(
        "clock step taken as true: the wall clock has been steady for {} minutes. The folder's clock is {} "
        "ahead of it and runs at half speed until they agree",
        kGraceMs / 60'000, amount(ahead_ms)));
  set(std::move(line));
  step_.reset();
}

void FolderClock::tell_over() const {
  tell("clock step over: the wall clock agrees with the folder's clock again");
}

void FolderClock::tell(const std::string& text) const {
  if (warn_) warn_(text);
}

ClockMark FolderClock::mark() const {
  const std::int64_t now_ms = monotonic_ms();
  const Line& line = *line_.here();
  return {shown_ms(line, now_ms), line.skips};
}

FolderClock::Stats FolderClock::stats() const {
  return {steps_.load(std::memory_order_relaxed), wall_ms() - machine_.wall_ms(),
          waiting_.load(std::memory_order_relaxed)};
}

}  // namespace millrace
