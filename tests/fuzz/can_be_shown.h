// fuzz/can_be_shown.h: whether a text may go into answers and logs.
#pragma once

#include <cstddef>
#include <string_view>

namespace millrace::fuzz {

// Whole characters of UTF-8, as far as their first bytes say.
inline bool can_be_shown(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const std::size_t more = byte < 0x80 ? 0 : byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : byte >= 0xc0 ? 1 : 9;
    if (more > 3 || i + more >= text.size()) return false;
    for (std::size_t j = 1; j <= more; ++j)
      if ((static_cast<unsigned char>(text[i + j]) & 0xc0) != 0x80) return false;
    i += 1 + more;
  }
  return true;
}

}  // namespace millrace::fuzz
