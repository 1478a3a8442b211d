#include "log/bit_error.h"

#include <array>
#include <bit>
#include <cstring>

#include "base/crc32c.h"
#include "base/little_endian.h"

namespace millrace::log {

namespace {

constexpr std::uint32_t kPolynomial = 0x82f63b78;  // CRC-32C, bits reflected

// What a byte contributes to the register when it is shifted in.
constexpr std::array<std::uint32_t, 256> make_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t value = byte;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) != 0 ? kPolynomial : 0);
    table[byte] = value;
  }
  return table;
}
constexpr std::array<std::uint32_t, 256> kTable = make_table();

// The high bytes of the table's entries are all different, so that a step can be undone.
constexpr std::array<std::uint8_t, 256> make_inverse() {
  std::array<std::uint8_t, 256> inverse{};
  for (std::uint32_t byte = 0; byte < 256; ++byte)
    inverse[kTable[byte] >> 24] = static_cast<std::uint8_t>(byte);
  return inverse;
}
constexpr std::array<std::uint8_t, 256> kInverse = make_inverse();

}  // namespace

std::optional<std::size_t> find_flipped_bit(ByteView bytes, std::uint32_t expected) {
  // CRCs are linear: the difference of the sums is the sum of the difference. A difference of one byte, r
  // bytes before the end, is a table entry shifted through r zeros; undo the zeros one by one and look for an
  // entry.
  std::uint32_t difference = crc32c(bytes) ^ expected;
  if (difference == 0) return std::nullopt;
  for (std::size_t r = 0; r < bytes.size(); ++r) {
    const std::uint8_t byte = kInverse[difference >> 24];
    const std::uint32_t before = (difference ^ kTable[byte]) << 8;
    if (before == 0) {
      if (!std::has_single_bit(byte)) return std::nullopt;
      return 8 * (bytes.size() - 1 - r) + static_cast<std::size_t>(std::countr_zero(byte));
    }
    difference = before | byte;
  }
  return std::nullopt;
}

bool flipped_bit_explains(ByteView bytes, std::uint32_t expected) {
  return std::has_single_bit(crc32c(bytes) ^ expected) || find_flipped_bit(bytes, expected).has_value();
}

std::uint32_t xor_words(ByteView bytes, std::size_t lane) {
  std::uint64_t sum = 0;
  const std::uint8_t* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= sizeof sum; at += sizeof sum, left -= sizeof sum) sum ^= load<std::uint64_t>(at);
  std::uint64_t rest = 0;
  if (left > 0) std::memcpy(&rest, at, left);
  sum ^= rest;
  const auto word = static_cast<std::uint32_t>(sum ^ (sum >> 32));
  return std::rotl(word, static_cast<int>(8 * (lane % 4)));
}

}  // namespace millrace::log
