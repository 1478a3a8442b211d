// kinesis/token_fields.h: the fields inside a token: integers of 64 bits, and texts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace millrace::kinesis {

class TokenFieldsOut {
 public:
  TokenFieldsOut& integer(std::uint64_t value) {
    for (int shift = 56; shift >= 0; shift -= 8) bytes_.push_back(static_cast<char>(value >> shift & 0xff));
    return *this;
  }
  // text    at most 65'535 bytes
  TokenFieldsOut& text(std::string_view text) {
    bytes_.push_back(static_cast<char>(text.size() >> 8));
    bytes_.push_back(static_cast<char>(text.size() & 0xff));
    bytes_.append(text);
    return *this;
  }
  ByteView view() const { return bytes_.view(); }

 private:
  Bytes bytes_;
};

// Reads what a TokenFieldsOut wrote. After a field that is not there, ok() is false and all further ones are
// empty.
class TokenFieldsIn {
 public:
  explicit TokenFieldsIn(ByteView bytes) : rest_(bytes) {}

  std::uint64_t integer() {
    const ByteView raw = take(8);
    std::uint64_t value = 0;
    for (const std::uint8_t byte : raw) value = value << 8 | byte;
    return value;
  }
  std::string text() {
    const ByteView size = take(2);
    if (!ok_) return {};
    return std::string(as_text(take(std::size_t{size[0]} << 8 | size[1])));
  }
  bool ok() const { return ok_; }
  bool at_end() const { return ok_ && rest_.empty(); }

 private:
  ByteView take(std::size_t size) {
    ok_ = ok_ && size <= rest_.size();
    if (!ok_) return {};
    const ByteView taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }

  ByteView rest_;
  bool ok_ = true;
};

}  // namespace millrace::kinesis
