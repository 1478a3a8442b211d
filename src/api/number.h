// api/number.h: a number from outside as an integer of ours.
#pragma once

#include <cstdint>
#include <limits>

namespace millrace::api {

// `number` without its fraction; the nearest end of the range where it does not fit, and 0 for NaN.
constexpr std::int64_t to_integer(double number) {
  constexpr double kEnd = 0x1p63;  // the first double that does not fit
  if (number != number) return 0;
  if (number >= kEnd) return std::numeric_limits<std::int64_t>::max();
  if (number < -kEnd) return std::numeric_limits<std::int64_t>::min();
  return static_cast<std::int64_t>(number);
}

}  // namespace millrace::api
