// log/byte_error.h: tells bit rot from bytes that were never written.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace millrace::log {

// Whether one wrong byte, in `bytes` or in the sum itself, explains why crc32c(bytes) is not `expected`.
// Random bytes pass for one with a chance of about bytes.size() / 2^24 (0.0002 for 4 KiB). Linear in
// bytes.size().
bool one_byte_explains(ByteView bytes, std::uint32_t expected);

}  // namespace millrace::log
