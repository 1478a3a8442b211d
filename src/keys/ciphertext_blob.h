// keys/ciphertext_blob.h: what a master key encrypted, as clients keep it: says itself which key that was.
// Bytes: docs/format.md, "Ciphertext blob".
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/random.h"
#include "keys/aes_gcm.h"

namespace millrace::keys {

// Not secret, and authenticated: the same must be given to decrypt.
using EncryptionContext = std::map<std::string, std::string>;

struct BlobHead {
  std::array<std::uint8_t, 16> key;  // the master key's id, a UUID
  std::uint32_t material;            // which of its secrets, from 0
};

Bytes encrypt_blob(const BlobHead& head, const Secret& material, ByteView plain,
                   const EncryptionContext& context, Random& random);
// nullopt: not a blob.
std::optional<BlobHead> head_of_blob(ByteView blob);
// nullopt: other bytes, another key or another context. Requires head_of_blob().
std::optional<Bytes> decrypt_blob(ByteView blob, const Secret& material, const EncryptionContext& context);

}  // namespace millrace::keys
