// identity/seal.h: small texts made unreadable and unforgeable under a key of the server's own: secrets at
// rest, and session tokens.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/random.h"

namespace millrace::identity {

using SealKey = std::array<std::uint8_t, 32>;

class Seal {
 public:
  // use    a name: what was sealed for one use does not open for another
  Seal(const SealKey& key, std::string_view use);

  // AES-256-GCM under a nonce of `random`, in base64 without padding characters that a URL or XML would
  // escape.
  std::string seal(std::string_view text, Random& random) const;
  // nullopt: not sealed with this key for this use, or changed since.
  std::optional<std::string> open(std::string_view sealed) const;

 private:
  SealKey key_;
};

// A key of its own for each purpose, and a secret for each name: HMAC-SHA-256.
SealKey derive_key(const SealKey& key, std::string_view name);

}  // namespace millrace::identity
