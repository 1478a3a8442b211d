// base/crc32c_kernels.h: the ways to compute a CRC-32C, for crc32c.cc to choose from and for tests to
// compare.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace millrace::crc32c_kernels {

// As crc32c(); null where this build or this machine cannot run it.
using Kernel = std::uint32_t (*)(ByteView bytes, std::uint32_t before);

Kernel portable();    // eight tables, any machine
Kernel crc32();       // three interleaved streams of SSE4.2's crc32, joined by PCLMUL
Kernel vpclmulqdq();  // folding by 256 bytes, AVX-512

}  // namespace millrace::crc32c_kernels
