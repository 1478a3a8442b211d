// base/base64.h: base64 of RFC 4648 section 4 (with padding), by SIMD where the machine has it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace millrace {

// Bytes that `text` decodes to, judged by length and padding alone; nullopt when text.size() % 4 != 0.
std::optional<std::size_t> base64_decoded_size(std::string_view text);

// Decodes all of `text` to `out`, which has room for base64_decoded_size(text) bytes and 64 of slack that may
// be overwritten; reads up to 64 bytes behind `text` (Bytes has them). False when any character or the
// padding is wrong, or the last character has bits set that no byte holds; then `out` is unspecified.
bool base64_decode(std::string_view text, std::uint8_t* out);

inline std::size_t base64_encoded_size(std::size_t bytes) { return (bytes + 2) / 3 * 4; }
// Encodes to `out`, which has room for base64_encoded_size(bytes.size()) and 64 of slack that may be
// overwritten.
void base64_encode(ByteView bytes, char* out);
// The same, to text of its own.
std::string base64_text(ByteView bytes);
// What `text` decodes to; nullopt where base64_decode() says false.
std::optional<std::string> base64_bytes(std::string_view text);

}  // namespace millrace
