#include "keys/aes_gcm.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <limits>

#include "base/assert.h"

namespace millrace::keys {
namespace {

// Fetched once, and never freed: contexts may outlive any owner.
const EVP_CIPHER* cipher() {
  static const EVP_CIPHER* const fetched = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  MR_ASSERT(fetched != nullptr);
  return fetched;
}

int size_of(ByteView bytes) {
  MR_ASSERT(bytes.size() <= static_cast<std::size_t>(std::numeric_limits<int>::max()));
  return static_cast<int>(bytes.size());
}

}  // namespace

Secret::Secret(ByteView bytes) {
  MR_ASSERT(bytes.size() == bytes_.size());
  std::copy(bytes.begin(), bytes.end(), bytes_.begin());
}

Secret::~Secret() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }

Secret derive(const Secret& key, std::string_view purpose, ByteView salt) {
  Bytes text(purpose);
  text.append(salt);
  Secret derived;
  unsigned size = 0;
  const auto* done = HMAC(EVP_sha256(), key.view().data(), static_cast<int>(kSecretBytes), text.data(),
                          text.size(), derived.room().data(), &size);
  MR_ASSERT(done != nullptr && size == kSecretBytes);
  return derived;
}

void AesGcm::Free::operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }

AesGcm::AesGcm(const Secret& key, Direction direction) : context_(EVP_CIPHER_CTX_new()) {
  MR_ASSERT(context_ != nullptr);
  MR_ASSERT(EVP_CipherInit_ex2(context_.get(), cipher(), key.view().data(), nullptr,
                               direction == Direction::kEncrypt ? 1 : 0, nullptr) == 1);
  MR_ASSERT(EVP_CIPHER_CTX_get_iv_length(context_.get()) == static_cast<int>(kNonceBytes));
}

void AesGcm::encrypt(const Nonce& nonce, ByteView authenticated, ByteView text, std::uint8_t* out,
                     std::uint8_t* tag) {
  EVP_CIPHER_CTX* const context = context_.get();
  int written = 0;
  MR_ASSERT(EVP_CipherInit_ex2(context, nullptr, nullptr, nonce.data(), -1, nullptr) == 1);
  MR_ASSERT(EVP_CipherUpdate(context, nullptr, &written, authenticated.data(), size_of(authenticated)) == 1);
  MR_ASSERT(EVP_CipherUpdate(context, out, &written, text.data(), size_of(text)) == 1);
  MR_ASSERT(static_cast<std::size_t>(written) == text.size());
  MR_ASSERT(EVP_CipherFinal_ex(context, out + text.size(), &written) == 1 && written == 0);
  MR_ASSERT(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, static_cast<int>(kTagBytes), tag) == 1);
}

bool AesGcm::decrypt(const Nonce& nonce, ByteView authenticated, ByteView text, std::uint8_t* out,
                     ByteView tag) {
  EVP_CIPHER_CTX* const context = context_.get();
  MR_ASSERT(tag.size() == kTagBytes);
  std::array<std::uint8_t, kTagBytes> expected;
  std::copy(tag.begin(), tag.end(), expected.begin());
  int written = 0;
  MR_ASSERT(EVP_CipherInit_ex2(context, nullptr, nullptr, nonce.data(), -1, nullptr) == 1);
  MR_ASSERT(EVP_CipherUpdate(context, nullptr, &written, authenticated.data(), size_of(authenticated)) == 1);
  MR_ASSERT(EVP_CipherUpdate(context, out, &written, text.data(), size_of(text)) == 1);
  MR_ASSERT(static_cast<std::size_t>(written) == text.size());
  MR_ASSERT(
      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, static_cast<int>(kTagBytes), expected.data()) == 1);
  return EVP_CipherFinal_ex(context, out + text.size(), &written) == 1;
}

}  // namespace millrace::keys
