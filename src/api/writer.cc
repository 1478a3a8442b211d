#include "api/writer.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <charconv>

#include "base/base64.h"

namespace millrace::api {
namespace {

// For each byte below 0x80 that JSON does not take as it is, the letter behind the backslash ('u': \u00XX).
constexpr auto kEscapes = [] {
  std::array<char, 256> escapes{};
  for (std::size_t i = 0; i < 0x20; ++i) escapes[i] = 'u';
  escapes['"'] = '"';
  escapes['\\'] = '\\';
  escapes['\b'] = 'b';
  escapes['\f'] = 'f';
  escapes['\n'] = 'n';
  escapes['\r'] = 'r';
  escapes['\t'] = 't';
  return escapes;
}();

constexpr std::uint8_t kCborUnsigned = 0, kCborNegative = 1, kCborBytes = 2, kCborText = 3;
constexpr char kCborListBegin = '\x9f', kCborMapBegin = '\xbf', kCborBreak = '\xff';
constexpr char kCborTime = '\xc1';  // tag 1

}  // namespace

void append_escaped(std::string_view utf8, Bytes& out) {
  std::size_t plain = 0;
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const auto byte = static_cast<std::uint8_t>(utf8[i]);
    const char escape = kEscapes[byte];
    if (escape == 0) continue;
    out.append(utf8.substr(plain, i - plain));
    plain = i + 1;
    out.push_back('\\');
    out.push_back(escape);
    if (escape == 'u') {
      constexpr std::string_view kDigits = "0123456789abcdef";
      out.append("00");
      out.push_back(kDigits[byte >> 4]);
      out.push_back(kDigits[byte & 15]);
    }
  }
  out.append(utf8.substr(plain));
}

void Writer::separate() {
  if (encoding_ == Encoding::kJson && needs_comma_) bytes_.push_back(',');
  needs_comma_ = true;
}

void Writer::cbor_head(std::uint8_t major, std::uint64_t argument) {
  const auto lead = static_cast<std::uint8_t>(major << 5);
  if (argument < 24) {
    bytes_.push_back(static_cast<char>(lead | argument));
    return;
  }
  const int size_code = argument <= 0xff ? 0 : argument <= 0xffff ? 1 : argument <= 0xffff'ffff ? 2 : 3;
  bytes_.push_back(static_cast<char>(lead | (24 + size_code)));
  for (int shift = (8 << size_code) - 8; shift >= 0; shift -= 8)
    bytes_.push_back(static_cast<char>(argument >> shift & 0xff));
}

void Writer::begin_object() {
  separate();
  bytes_.push_back(encoding_ == Encoding::kJson ? '{' : kCborMapBegin);
  needs_comma_ = false;
}

void Writer::end_object() {
  bytes_.push_back(encoding_ == Encoding::kJson ? '}' : kCborBreak);
  needs_comma_ = true;
}

void Writer::begin_list() {
  separate();
  bytes_.push_back(encoding_ == Encoding::kJson ? '[' : kCborListBegin);
  needs_comma_ = false;
}

void Writer::end_list() {
  bytes_.push_back(encoding_ == Encoding::kJson ? ']' : kCborBreak);
  needs_comma_ = true;
}

void Writer::key(std::string_view name) {
  text(name);
  if (encoding_ == Encoding::kJson) bytes_.push_back(':');
  needs_comma_ = false;
}

void Writer::text(std::string_view utf8) {
  separate();
  if (encoding_ == Encoding::kCbor) {
    cbor_head(kCborText, utf8.size());
    bytes_.append(utf8);
    return;
  }
  bytes_.push_back('"');
  append_escaped(utf8, bytes_);
  bytes_.push_back('"');
}

void Writer::integer(std::int64_t value) {
  separate();
  if (encoding_ == Encoding::kCbor) {
    if (value >= 0) {
      cbor_head(kCborUnsigned, static_cast<std::uint64_t>(value));
    } else {
      cbor_head(kCborNegative, static_cast<std::uint64_t>(-1 - value));
    }
    return;
  }
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  bytes_.append(digits, static_cast<std::size_t>(end - digits));
}

void Writer::decimal(double value) {
  if (encoding_ == Encoding::kCbor) {
    constexpr char kCborDouble = '\xfb';
    bytes_.push_back(kCborDouble);
    const auto bits = std::bit_cast<std::uint64_t>(value);
    for (int shift = 56; shift >= 0; shift -= 8) bytes_.push_back(static_cast<char>(bits >> shift & 0xff));
    return;
  }
  separate();
  char digits[32];
  const auto end = fmt::format_to(digits, "{}", value);
  bytes_.append(digits, static_cast<std::size_t>(end - digits));
}

void Writer::boolean(bool value) {
  separate();
  if (encoding_ == Encoding::kCbor) {
    bytes_.push_back(value ? '\xf5' : '\xf4');
  } else {
    bytes_.append(value ? "true" : "false");
  }
}

void Writer::blob(ByteView bytes) {
  separate();
  if (encoding_ == Encoding::kCbor) {
    cbor_head(kCborBytes, bytes.size());
    bytes_.append(bytes);
    return;
  }
  bytes_.push_back('"');
  const std::size_t size = base64_encoded_size(bytes.size());
  base64_encode(bytes, reinterpret_cast<char*>(bytes_.prepare(size)));
  bytes_.commit(size);
  bytes_.push_back('"');
}

void Writer::timestamp(std::int64_t ms) {
  if (encoding_ == Encoding::kCbor) {
    // Tagged as a time, but in milliseconds, which RFC 8949 does not know: so the service does it
    // (LocalStack's tests, recorded from it), and a double there is more than AWS's SDKs read.
    bytes_.push_back(kCborTime);
    return integer(ms);
  }
  separate();
  char digits[32];
  const auto end = fmt::format_to(digits, "{}.{:03}", ms / 1'000, ms % 1'000);
  bytes_.append(digits, static_cast<std::size_t>(end - digits));
}

}  // namespace millrace::api
