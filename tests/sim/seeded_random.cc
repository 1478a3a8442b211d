#include "sim/seeded_random.h"

#include <bit>
#include <cstring>

#include "base/assert.h"

namespace millrace::sim {

SeededRandom::SeededRandom(Seed seed) {
  for (std::uint64_t& word : state_) {
    seed.value += 0x9e3779b97f4a7c15;
    std::uint64_t mixed = seed.value;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    word = mixed ^ (mixed >> 31);
  }
}

std::uint64_t SeededRandom::next() {
  const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const std::uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

void SeededRandom::fill(std::span<std::uint8_t> out) {
  while (!out.empty()) {
    const std::uint64_t word = next();
    const std::size_t count = out.size() < sizeof(word) ? out.size() : sizeof(word);
    std::memcpy(out.data(), &word, count);
    out = out.subspan(count);
  }
}

std::uint64_t SeededRandom::below(std::uint64_t bound) {
  MR_ASSERT(bound > 0);
  return static_cast<std::uint64_t>((static_cast<unsigned __int128>(next()) * bound) >> 64);
}

std::uint64_t SeededRandom::between(std::uint64_t first, std::uint64_t last) {
  MR_ASSERT(first <= last);
  return first + below(last - first + 1);
}

bool SeededRandom::chance(double probability) {
  if (probability <= 0) return false;
  return static_cast<double>(next() >> 11) * 0x1p-53 < probability;
}

}  // namespace millrace::sim
