// fuzz/drawn_input.h: a fuzzer's input as a row of choices; nothing but zeros behind its end.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace millrace::fuzz {

class DrawnInput {
 public:
  explicit DrawnInput(std::string_view bytes) : bytes_(bytes) {}

  bool empty() const { return bytes_.empty(); }
  std::uint8_t byte() {
    if (bytes_.empty()) return 0;
    const auto first = static_cast<std::uint8_t>(bytes_.front());
    bytes_.remove_prefix(1);
    return first;
  }
  // Of `count` bytes, the first one highest.
  std::uint64_t number(std::size_t count) {
    std::uint64_t drawn = 0;
    for (; count > 0; --count) drawn = drawn << 8 | byte();
    return drawn;
  }
  // One byte for up to 256 choices, else three.
  std::size_t below(std::size_t end) {
    if (end == 0) return 0;
    return static_cast<std::size_t>(end <= 256 ? byte() : number(3)) % end;
  }
  std::string_view take(std::size_t bytes_max) {
    const std::string_view taken = bytes_.substr(0, bytes_max);
    bytes_.remove_prefix(taken.size());
    return taken;
  }
  std::string_view rest() { return take(bytes_.size()); }

 private:
  std::string_view bytes_;
};

}  // namespace millrace::fuzz
