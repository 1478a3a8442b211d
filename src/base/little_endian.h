// base/little_endian.h: numbers as the formats store them. Unaligned; any thread.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace millrace {

static_assert(std::endian::native == std::endian::little, "docs/format.md: all numbers are little-endian");

template <typename T>
T load(const std::uint8_t* at) {
  static_assert(std::is_integral_v<T>);
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

template <typename T>
void store_at(std::uint8_t* at, std::type_identity_t<T> value) {
  static_assert(std::is_integral_v<T>);
  std::memcpy(at, &value, sizeof value);
}

}  // namespace millrace
