// The examples of docs/format.md, as bytes: fenced blocks whose first line names them, "```bytes NAME".
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace millrace::testing {

// The text of the block "```KIND NAME"; fails the test where there is none.
inline std::string page_block(std::string_view kind, std::string_view name) {
  const auto path = std::filesystem::path(__FILE__).parent_path() / "../../docs/format.md";
  std::stringstream read;
  read << std::ifstream(path).rdbuf();
  const std::string page = read.str();
  const std::string head = "```" + std::string(kind) + " " + std::string(name) + "\n";
  const std::size_t begin = page.find(head);
  if (begin == std::string::npos) {
    ADD_FAILURE() << path << " has no block " << head;
    return {};
  }
  const std::size_t text = begin + head.size();
  return page.substr(text, page.find("```", text) - text);
}

// Hexadecimal digits with blanks between them.
inline Bytes from_hex(std::string_view hex) {
  Bytes bytes;
  std::string digits;
  for (const char digit : hex)
    if (std::isspace(static_cast<unsigned char>(digit)) == 0) digits += digit;
  EXPECT_EQ(digits.size() % 2, 0u) << hex;
  EXPECT_EQ(digits.find_first_not_of("0123456789abcdef"), std::string::npos) << hex;
  for (std::size_t at = 0; at + 2 <= digits.size(); at += 2) {
    const auto byte = static_cast<std::uint8_t>(std::stoul(digits.substr(at, 2), nullptr, 16));
    bytes.append(&byte, 1);
  }
  return bytes;
}

// The bytes of a block; "{N: PATTERN}" at its end stands for N bytes of that pattern.
inline Bytes page_bytes(std::string_view name) {
  const std::string text = page_block("bytes", name);
  const std::size_t brace = text.find('{');
  Bytes bytes = from_hex(std::string_view(text).substr(0, brace));
  if (brace == std::string::npos) return bytes;
  const std::size_t colon = text.find(':', brace);
  const std::size_t count = std::stoul(text.substr(brace + 1, colon - brace - 1));
  const Bytes pattern = from_hex(text.substr(colon + 1, text.find('}', colon) - colon - 1));
  for (std::size_t i = 0; i < count; ++i) bytes.append(pattern.data() + i % pattern.size(), 1);
  return bytes;
}

inline Bytes with_flipped_bit(const Bytes& bytes, std::size_t bit) {
  Bytes flipped;
  flipped.append(bytes.view());
  flipped[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
  return flipped;
}

}  // namespace millrace::testing
