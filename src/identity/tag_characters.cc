#include "identity/tag_characters.h"

#include <cstddef>
#include <cstdint>

namespace millrace::identity {
namespace {

// The character at `at`; moves `at` behind it. 0, which no tag has, where the bytes are no UTF-8.
std::uint32_t next_character(std::string_view utf8, std::size_t& at) {
  const auto lead = static_cast<std::uint8_t>(utf8[at++]);
  if (lead < 0x80) return lead;
  const int more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc2 ? 1 : 0;
  std::uint32_t character = lead & (0x3fu >> more);
  for (int i = 0; i < more; ++i, ++at) {
    if (at == utf8.size() || (utf8[at] & '\xc0') != '\x80') return 0;
    character = character << 6 | (static_cast<std::uint8_t>(utf8[at]) & 0x3f);
  }
  return more == 0 ? 0 : character;
}

bool is_tag_character(std::uint32_t character, std::string_view more) {
  if (character < 0x80) {
    const char c = static_cast<char>(character);
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           more.find(c) != std::string_view::npos;
  }
  return (character >= 0xc0 && character <= 0x1fff) || (character >= 0x2c00 && character <= 0xd7ff);
}

}  // namespace

bool has_tag_characters_only(std::string_view utf8, std::string_view more) {
  for (std::size_t at = 0; at < utf8.size();)
    if (!is_tag_character(next_character(utf8, at), more)) return false;
  return true;
}

}  // namespace millrace::identity
