// keys/keyring.h: the secrets that wrap master keys: kept apart from what they protect, in a file of their
// own. Bytes: docs/format.md, "Keyring".
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/random.h"
#include "base/result.h"
#include "keys/aes_gcm.h"

namespace millrace::keys {

// Immutable; any thread.
class Keyring {
 public:
  // The text of a new one, with one secret.
  static std::string make(Random& random);
  // errors   kCorrupt: says what is wrong in which line
  static Result<Keyring> parse(std::string_view text);

  // Wraps by the newest secret. bound_to   must be the same to unwrap
  Bytes wrap(const Secret& secret, std::string_view bound_to, Random& random) const;
  // errors   kCorrupt: wrapped by a secret that is not here (the text names it), or these are other bytes
  Result<Secret> unwrap(ByteView wrapped, std::string_view bound_to) const;

 private:
  using Id = std::array<std::uint8_t, 8>;
  struct Entry {
    Id id;
    Secret secret;
  };
  Keyring() = default;

  std::vector<Entry> entries_;  // newest last
};

}  // namespace millrace::keys
