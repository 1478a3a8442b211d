// So many bytes, drawn, the same each time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace millrace {

inline std::vector<std::uint8_t> drawn_bytes(std::size_t size) {
  std::mt19937_64 dice(size);
  std::vector<std::uint8_t> bytes(size);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(dice());
  return bytes;
}

}  // namespace millrace
