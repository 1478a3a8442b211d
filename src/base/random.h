// base/random.h: randomness, behind an interface, so that a simulation can seed it.
#pragma once

#include <cstdint>
#include <span>

namespace millrace {

// Any thread may call the system's; a seeded one belongs to one thread.
class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(std::span<std::uint8_t> out) = 0;
  std::uint64_t next_u64() {
    std::uint8_t raw[8];
    fill(raw);
    std::uint64_t value = 0;
    for (std::uint8_t byte : raw) value = value << 8 | byte;
    return value;
  }
};

// The kernel's generator; lives as long as the process. Aborts where getrandom(2) fails.
Random& system_random();

}  // namespace millrace
