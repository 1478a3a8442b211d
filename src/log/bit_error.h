// log/bit_error.h: tells bit rot from bytes that were never written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace millrace::log {

// The one bit of `bytes`, counted from the lowest of the first byte, that, flipped, explains why
// crc32c(bytes) is not `expected`; nullopt when none does. Random bytes have one with a chance of about
// bytes.size() / 2^29.
std::optional<std::size_t> find_flipped_bit(ByteView bytes, std::uint32_t expected);

// As above, or the flipped bit is in the sum itself.
bool flipped_bit_explains(ByteView bytes, std::uint32_t expected);

// XOR of all 32-bit words of `bytes`, the last filled up with zeros, when the first begins at byte `lane`
// (modulo 4) of a word: xor_words(ab) == xor_words(a) ^ xor_words(b, a.size()).
std::uint32_t xor_words(ByteView bytes, std::size_t lane = 0);

}  // namespace millrace::log
