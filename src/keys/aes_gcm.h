// keys/aes_gcm.h: AES-256-GCM and key derivation, by OpenSSL. No nonce is chosen here: who calls must never
// use one twice with a key.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "base/bytes.h"

using EVP_CIPHER_CTX = struct evp_cipher_ctx_st;

namespace millrace::keys {

inline constexpr std::size_t kSecretBytes = 32;
inline constexpr std::size_t kNonceBytes = 12;
inline constexpr std::size_t kTagBytes = 16;

// 32 bytes of key, wiped when it goes.
class Secret {
 public:
  Secret() = default;
  // `bytes` has kSecretBytes.
  explicit Secret(ByteView bytes);
  Secret(const Secret&) = default;
  Secret& operator=(const Secret&) = default;
  ~Secret();

  ByteView view() const { return bytes_; }
  std::span<std::uint8_t> room() { return bytes_; }

 private:
  std::array<std::uint8_t, kSecretBytes> bytes_{};
};

// HMAC-SHA256 of purpose and salt: as good as a random key of its own to those who do not have `key`.
Secret derive(const Secret& key, std::string_view purpose, ByteView salt);

using Nonce = std::array<std::uint8_t, kNonceBytes>;

// One key, in one direction, with its schedule. One thread at a time.
class AesGcm {
 public:
  enum class Direction : std::uint8_t { kEncrypt, kDecrypt };
  AesGcm(const Secret& key, Direction direction);

  // Writes text.size() bytes to `out`, which may be where `text` is, and the tag.
  void encrypt(const Nonce& nonce, ByteView authenticated, ByteView text, std::uint8_t* out,
               std::uint8_t* tag);
  // As it was: whether it is what was encrypted. `out` holds nothing of use when it is not.
  bool decrypt(const Nonce& nonce, ByteView authenticated, ByteView text, std::uint8_t* out, ByteView tag);

 private:
  struct Free {
    void operator()(EVP_CIPHER_CTX* context) const;
  };
  std::unique_ptr<EVP_CIPHER_CTX, Free> context_;
};

}  // namespace millrace::keys
