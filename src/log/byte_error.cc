#include "log/byte_error.h"

#include <array>

#include "base/crc32c.h"

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

bool one_byte_explains(ByteView bytes, std::uint32_t expected) {
  // CRCs are linear: the difference of the sums is the sum of the difference. A difference of one byte, r
  // bytes before the end, is a table entry shifted through r zeros; undo the zeros one by one and look for an
  // entry.
  std::uint32_t difference = crc32c(bytes) ^ expected;
  if (difference == 0) return false;
  int bytes_of_sum = 0;
  for (int i = 0; i < 4; ++i) bytes_of_sum += ((difference >> (8 * i)) & 0xff) != 0 ? 1 : 0;
  if (bytes_of_sum == 1) return true;
  for (std::size_t r = 0; r < bytes.size(); ++r) {
    const std::uint8_t byte = kInverse[difference >> 24];
    const std::uint32_t before = (difference ^ kTable[byte]) << 8;
    if (before == 0) return true;
    difference = before | byte;
  }
  return false;
}

}  // namespace millrace::log
