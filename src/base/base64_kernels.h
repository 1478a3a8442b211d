// base/base64_kernels.h: the ways to decode and encode base64, for base64.cc to choose from and for tests to
// compare.
#pragma once

#include <cstddef>
#include <cstdint>

namespace millrace::base64_kernels {

struct Kernel {
  // Decodes `n` characters, padding not among them (n % 4 is 0, 2 or 3; what is missing counts as zero bits),
  // to (n + 3) / 4 * 3 bytes, and up to 64 behind those. False when a character is not of the alphabet.
  bool (*decode)(const char* text, std::size_t n, std::uint8_t* out);
  // Encodes `n` bytes to (n + 2) / 3 * 4 characters, and up to 64 behind those. The caller lays the padding
  // over the last ones.
  void (*encode)(const std::uint8_t* bytes, std::size_t n, char* out);
};

// Null where this build or this machine cannot run it.
const Kernel* portable();
const Kernel* avx2();
const Kernel* avx512_vbmi();

}  // namespace millrace::base64_kernels
