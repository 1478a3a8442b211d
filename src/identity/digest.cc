#include "identity/digest.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <memory>

#include "base/assert.h"

namespace millrace::identity {
namespace {

template <auto kFree>
struct FreeWith {
  template <typename T>
  void operator()(T* pointer) const {
    kFree(pointer);
  }
};
using DigestContext = std::unique_ptr<EVP_MD_CTX, FreeWith<EVP_MD_CTX_free>>;
using MacContext = std::unique_ptr<EVP_MAC_CTX, FreeWith<EVP_MAC_CTX_free>>;

// Fetching walks OpenSSL's providers under locks, which costs as much as hashing a kilobyte: once a process.
const EVP_MD* sha256_algorithm() {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  MR_ASSERT(algorithm != nullptr);
  return algorithm;
}

MacContext new_mac_context() {
  static EVP_MAC* const algorithm = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  MR_ASSERT(algorithm != nullptr);
  MacContext context(EVP_MAC_CTX_new(algorithm));
  char name[] = "SHA256";
  const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
                                   OSSL_PARAM_construct_end()};
  MR_ASSERT(context != nullptr);
  MR_ASSERT(EVP_MAC_CTX_set_params(context.get(), parameters) == 1);
  return context;
}

}  // namespace

Sha256 sha256(ByteView bytes) {
  thread_local const DigestContext context(EVP_MD_CTX_new());
  Sha256 digest;
  MR_ASSERT(context != nullptr);
  MR_ASSERT(EVP_DigestInit_ex2(context.get(), sha256_algorithm(), nullptr) == 1);
  MR_ASSERT(EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) == 1);
  MR_ASSERT(EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) == 1);
  return digest;
}

Sha256 hmac_sha256(ByteView key, std::string_view text) {
  thread_local const MacContext context = new_mac_context();
  // OpenSSL takes a null key for "the one before".
  static constexpr std::uint8_t kEmptyKey[1] = {};
  const std::uint8_t* const key_bytes = key.empty() ? kEmptyKey : key.data();
  Sha256 digest;
  std::size_t size = 0;
  MR_ASSERT(EVP_MAC_init(context.get(), key_bytes, key.size(), nullptr) == 1);
  MR_ASSERT(EVP_MAC_update(context.get(), as_bytes(text).data(), text.size()) == 1);
  MR_ASSERT(EVP_MAC_final(context.get(), digest.data(), &size, digest.size()) == 1);
  MR_ASSERT(size == digest.size());
  return digest;
}

std::string hex(const Sha256& digest) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text(64, '0');
  for (std::size_t i = 0; i < digest.size(); ++i) {
    text[2 * i] = kDigits[digest[i] >> 4];
    text[2 * i + 1] = kDigits[digest[i] & 15];
  }
  return text;
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace millrace::identity
