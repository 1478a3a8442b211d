// fuzz/take_line.h: lines out of an input.
#pragma once

#include <algorithm>
#include <string_view>

namespace millrace::fuzz {

// The first line of `rest`, which is left without it and its end.
inline std::string_view take_line(std::string_view& rest) {
  const std::string_view line = rest.substr(0, rest.find('\n'));
  rest.remove_prefix(std::min(rest.size(), line.size() + 1));
  return line;
}

}  // namespace millrace::fuzz
