// kinesis/token_seal.h: opaque tokens that clients carry: encrypted, and refused when a bit has changed.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "kinesis/protocol.h"

namespace millrace::kinesis {

using TokenKey = std::array<std::uint8_t, 32>;

// What a token is for; one kind is never taken for another.
enum class TokenKind : std::uint8_t {
  kShardIterator = 1,
  kListShards = 2,
  kListStreams = 3,
  kListConsumers = 4
};

// A token is base64 of: 00 00 00 00 00 00 00 01, initial vector (16), AES-256-CBC of kind, text length and
// text padded with zeros to a whole number of blocks, HMAC-SHA-256 of all before it, cut to 16 bytes. With at
// least `blocks_min` blocks of text. Made for one loop; belongs to it: ciphers are set up once. Keys are
// derived from one `key`, the same on every node that must read the tokens.
class TokenSeal {
 public:
  explicit TokenSeal(const TokenKey& key);
  ~TokenSeal();
  TokenSeal(TokenSeal&&) noexcept;

  // text    at most 4'000 bytes
  std::string seal(TokenKind kind, ByteView text, std::size_t blocks_min, RandomPool& random);
  // nullopt: not sealed with this key as this kind.
  std::optional<Bytes> open(TokenKind kind, std::string_view token);

 private:
  struct Ciphers;
  std::unique_ptr<Ciphers> ciphers_;
};

}  // namespace millrace::kinesis
