// sim/seeded_random.h: randomness that a seed decides: same seed, same numbers, on every machine.
#pragma once

#include <cstdint>
#include <span>

#include "base/random.h"

namespace millrace::sim {

struct Seed {
  std::uint64_t value = 0;
};

// xoshiro256** seeded by splitmix64. One thread.
// source   Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2018 (public domain)
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(Seed seed);

  void fill(std::span<std::uint8_t> out) override;
  std::uint64_t next();
  // 0 to bound - 1; bound is 1 or more. Its bias of at most bound / 2^64 does not matter here.
  std::uint64_t below(std::uint64_t bound);
  // first to last, both included.
  std::uint64_t between(std::uint64_t first, std::uint64_t last);
  // True in the share `probability` (0 to 1) of calls. Draws nothing at 0.
  bool chance(double probability);
  // A seed for a generator of its own, so that draws in one place do not move those in another.
  Seed fork() { return Seed{next()}; }

 private:
  std::uint64_t state_[4];
};

}  // namespace millrace::sim
