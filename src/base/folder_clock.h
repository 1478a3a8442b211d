// base/folder_clock.h: the clock of a data folder. It stamps what will expire, never falls, and knows how
// much of the time between a stamp and now has really passed. Why: docs/decisions/0017-time-that-passed.md.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/published.h"

namespace millrace {

// From `from_ms` on, the clock is `skipped_ms` further than the time that passed. Durable, in the manifest.
struct ClockSkip {
  std::int64_t from_ms;
  std::int64_t skipped_ms;
  bool operator==(const ClockSkip&) const = default;
};

// The newest time that the clock showed, and its skips by time, both rising. Empty of skips: of an earlier
// version.
struct ClockMark {
  std::int64_t shown_ms = 0;
  std::vector<ClockSkip> skips;
  bool operator==(const ClockMark&) const = default;
};

// Clock's members may be called by any thread and take no lock; the others by one thread at a time.
class FolderClock final : public Clock {
 public:
  // A step of the wall clock is taken as true when it has been steady for so long.
  static constexpr std::int64_t kGraceMs = 5 * 60'000;
  // A start that finds the wall clock ahead of the folder by at most this takes it at once.
  static constexpr std::int64_t kStartLeadMs = 7 * kMsPerDay;
  static constexpr std::size_t kSkipsMax = 64;

  // machine  borrowed; outlives this
  explicit FolderClock(const Clock& machine);

  // The folder's time. Before begin(): the machine's.
  std::int64_t wall_ms() const override;
  std::int64_t monotonic_ns() const override { return machine_.monotonic_ns(); }
  // Before begin(): nothing is old.
  std::int64_t long_ago_ms(std::int64_t age_ms) const override;
  // Nothing before begin(), for kGraceMs after it, and while a step waits to be taken as true.
  std::optional<std::int64_t> believed_ms() const override;

  // Goes on from where the folder left off; forgets what it was before.
  //
  // mark       what the folder keeps
  // newest_ms  newest time stamp known in the folder; 0: none
  // warn       gets a line for each step that an operator should know of
  void begin(const ClockMark& mark, std::int64_t newest_ms, std::function<void(const std::string&)> warn);

  // Compares with the machine's clock. To be called about once a second, and once after begin().
  //
  // returns  the skips that must be durable before the clock goes on: it stands still until accept() or
  // decline()
  std::optional<std::vector<ClockSkip>> observe();
  // The skips that observe() returned are durable.
  void accept();
  // They certainly are not: the clock goes on as before.
  void decline();

  // What to keep now and then, so that the next start knows how far the clock was.
  ClockMark mark() const;

  struct Stats {
    std::uint64_t steps;    // of the machine's clock, by half a second or more
    std::int64_t ahead_ms;  // of the folder's clock, compared with the machine's; negative: behind
    bool waiting;           // a step is not taken as true yet
  };
  // Any thread.
  Stats stats() const;

 private:
  // Shows `machine's monotonic time + offset_ms`, but at least the slow line, which rises half as fast.
  struct Line {
    bool begun = false;
    bool stands = false;  // still, at slow_ms
    std::int64_t offset_ms = 0;
    std::int64_t slow_ms = 0;
    std::int64_t slow_since_ms = 0;  // monotonic
    std::vector<ClockSkip> skips = {};
  };
  struct Step {
    std::int64_t offset_ms;  // wall clock less monotonic clock, as last seen
    std::int64_t since_ms;   // monotonic
    bool told;               // it is large enough for a line in the log
  };
  struct Seen {
    std::int64_t monotonic_ms;
    std::int64_t offset_ms;
  };

  static std::int64_t shown_ms(const Line& line, std::int64_t monotonic_ms);
  std::int64_t monotonic_ms() const { return machine_.monotonic_ns() / kNsPerMs; }
  // nullopt: the thread was held up between the two clocks.
  std::optional<Seen> see() const;
  void set(Line line);
  std::optional<std::vector<ClockSkip>> stand_still(std::int64_t offset_ms);
  void slow_down(const Seen& seen);
  void tell_step(const Seen& seen, std::int64_t by_ms);
  void tell_over() const;
  void tell(const std::string& text) const;

  const Clock& machine_;
  Published<Line> line_;
  std::function<void(const std::string&)> warn_;
  std::optional<Step> step_;
  std::int64_t begun_ms_ = 0;      // monotonic
  bool starting_ = false;          // the first observe() after begin() is to come
  std::vector<ClockSkip> wanted_;  // while it stands still
  std::atomic<bool> steady_{false};
  std::atomic<bool> waiting_{false};
  std::atomic<std::uint64_t> steps_{0};
};

}  // namespace millrace
