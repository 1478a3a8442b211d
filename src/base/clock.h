// base/clock.h: time, behind an interface, so that a simulation can own it.
#pragma once

#include <cstdint>

namespace millrace {

inline constexpr std::int64_t kNsPerMs = 1'000'000;
inline constexpr std::int64_t kNsPerS = 1'000'000'000;
inline constexpr std::int64_t kMsPerDay = 86'400'000;

// Any thread may call.
class Clock {
 public:
  virtual ~Clock() = default;
  // Milliseconds since the Unix epoch. May step back when the system's clock is set.
  virtual std::int64_t wall_ms() const = 0;
  // Nanoseconds since some fixed point. Never falls.
  virtual std::int64_t monotonic_ns() const = 0;
};

// The machine's own clock; lives as long as the process.
Clock& system_clock();

}  // namespace millrace
