// base/crc32c.h: CRC-32C (Castagnoli, RFC 3720 appendix B.4), by SSE4.2 with several streams at once.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace millrace {

// CRC of `bytes` behind those whose CRC is `before`: crc32c(b, crc32c(a)) == crc32c(ab). Any thread.
std::uint32_t crc32c(ByteView bytes, std::uint32_t before = 0);

// Of two texts one behind the other: crc32c_joined(crc32c(a), crc32c(b), b.size()) == crc32c(ab). Any thread.
std::uint32_t crc32c_joined(std::uint32_t first, std::uint32_t second, std::uint64_t second_bytes);

}  // namespace millrace
