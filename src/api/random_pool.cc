#include "api/random_pool.h"

namespace millrace::api {

std::string RandomPool::uuid() {
  std::array<std::uint8_t, 16> raw;
  std::memcpy(raw.data(), take(raw.size()).data(), raw.size());
  raw[6] = static_cast<std::uint8_t>((raw[6] & 0x0f) | 0x40);
  raw[8] = static_cast<std::uint8_t>((raw[8] & 0x3f) | 0x80);
  std::string text(36, '-');
  std::size_t at = 0;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) ++at;
    text[at++] = "0123456789abcdef"[raw[i] >> 4];
    text[at++] = "0123456789abcdef"[raw[i] & 15];
  }
  return text;
}

}  // namespace millrace::api
