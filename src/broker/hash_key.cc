#include "broker/hash_key.h"

#include <algorithm>
#include <cstring>

#include "base/assert.h"

namespace millrace::broker {

HashNumber to_number(const log::HashKey& key) {
  std::uint64_t high;
  std::uint64_t low;
  std::memcpy(&high, key.data(), sizeof(high));
  std::memcpy(&low, key.data() + sizeof(high), sizeof(low));
  return HashNumber{__builtin_bswap64(high)} << 64 | __builtin_bswap64(low);
}

log::HashKey to_key(HashNumber number) {
  log::HashKey key;
  for (auto byte = key.rbegin(); byte != key.rend(); ++byte, number >>= 8)
    *byte = static_cast<std::uint8_t>(number);
  return key;
}

std::optional<log::HashKey> parse_hash_key(std::string_view decimal) {
  if (decimal.empty() || decimal.size() > 39) return std::nullopt;
  HashNumber number = 0;
  for (const char digit : decimal) {
    if (digit < '0' || digit > '9') return std::nullopt;
    const auto value = static_cast<unsigned>(digit - '0');
    if (number > (~HashNumber{0} - value) / 10) return std::nullopt;
    number = number * 10 + value;
  }
  return to_key(number);
}

std::string to_decimal(const log::HashKey& key) {
  HashNumber number = to_number(key);
  std::string digits;
  do {
    digits.push_back(static_cast<char>('0' + static_cast<unsigned>(number % 10)));
    number /= 10;
  } while (number != 0);
  std::reverse(digits.begin(), digits.end());
  return digits;
}

HashRange even_share(std::uint32_t part, std::uint32_t parts) {
  MR_ASSERT(parts > 0);
  MR_ASSERT(part < parts);
  if (parts == 1) return {to_key(0), to_key(~HashNumber{0})};
  HashNumber width =
      ~HashNumber{0} / parts;  // floor((2^128 - 1) / parts): one short where parts divides 2^128
  if (~HashNumber{0} % parts == parts - 1) ++width;
  const HashNumber first = width * part;
  return {to_key(first), to_key(part == parts - 1 ? ~HashNumber{0} : first + width - 1)};
}

}  // namespace millrace::broker
