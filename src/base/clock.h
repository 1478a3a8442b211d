// base/clock.h: time, behind an interface, so that a simulation can own it.
#pragma once

#include <cstdint>
#include <optional>

namespace millrace {

inline constexpr std::int64_t kNsPerMs = 1'000'000;
inline constexpr std::int64_t kNsPerS = 1'000'000'000;
inline constexpr std::int64_t kMsPerDay = 86'400'000;

// Any thread may call.
class Clock {
 public:
  virtual ~Clock() = default;
  // Milliseconds since the Unix epoch. May step back when the system's clock is set; a FolderClock's never
  // does.
  virtual std::int64_t wall_ms() const = 0;
  // Nanoseconds since some fixed point, the time that the machine was suspended included. Never falls.
  virtual std::int64_t monotonic_ns() const = 0;

  // What this clock stamped with a time before the returned one is older than `age_ms`. A plain clock
  // subtracts; a FolderClock counts only time that really passed.
  //
  // returns  INT64_MIN: nothing is certainly that old
  virtual std::int64_t long_ago_ms(std::int64_t age_ms) const { return wall_ms() - age_ms; }
  // The time for acts that cannot be undone and are due at a time that came from outside.
  //
  // returns  nullopt: the machine's clock has not been steady for some minutes; wait
  virtual std::optional<std::int64_t> believed_ms() const { return wall_ms(); }
};

// The machine's own clock; lives as long as the process.
Clock& system_clock();

}  // namespace millrace
