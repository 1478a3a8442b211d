#include "identity/seal.h"

#include <openssl/evp.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "base/base64.h"
#include "identity/digest.h"

namespace millrace::identity {
namespace {

constexpr std::size_t kNonceBytes = 12, kTagBytes = 16;
constexpr std::size_t kSlack = 64;  // as base64.h wants it

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

}  // namespace

SealKey derive_key(const SealKey& key, std::string_view name) { return hmac_sha256(key, name); }

Seal::Seal(const SealKey& key, std::string_view use) : key_(derive_key(key, use)) {}

std::string Seal::seal(std::string_view text, Random& random) const {
  std::vector<std::uint8_t> out(kNonceBytes + text.size() + kTagBytes);
  random.fill(std::span(out).first(kNonceBytes));
  const Context context(EVP_CIPHER_CTX_new());
  int written = 0, rest = 0;
  MR_ASSERT(context != nullptr);
  MR_ASSERT(EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key_.data(), out.data()) == 1);
  MR_ASSERT(EVP_EncryptUpdate(context.get(), out.data() + kNonceBytes, &written,
                              reinterpret_cast<const unsigned char*>(text.data()),
                              static_cast<int>(text.size())) == 1);
  MR_ASSERT(EVP_EncryptFinal_ex(context.get(), out.data() + kNonceBytes + written, &rest) == 1);
  MR_ASSERT(static_cast<std::size_t>(written) == text.size() && rest == 0);
  MR_ASSERT(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes,
                                out.data() + kNonceBytes + text.size()) == 1);
  return base64_text(out);
}

std::optional<std::string> Seal::open(std::string_view sealed) const {
  constexpr std::size_t kSealedMax = 64 * 1'024;
  const auto size = base64_decoded_size(sealed);
  if (!size.has_value() || *size < kNonceBytes + kTagBytes || sealed.size() > kSealedMax) return std::nullopt;
  std::vector<char> padded(sealed.begin(), sealed.end());
  padded.resize(sealed.size() + kSlack);
  std::vector<std::uint8_t> bytes(*size + kSlack);
  if (!base64_decode({padded.data(), sealed.size()}, bytes.data())) return std::nullopt;
  const std::size_t text_bytes = *size - kNonceBytes - kTagBytes;
  std::string text(text_bytes, '\0');
  const Context context(EVP_CIPHER_CTX_new());
  int written = 0, rest = 0;
  MR_ASSERT(context != nullptr);
  MR_ASSERT(EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key_.data(), bytes.data()) == 1);
  if (EVP_DecryptUpdate(context.get(), reinterpret_cast<unsigned char*>(text.data()), &written,
                        bytes.data() + kNonceBytes, static_cast<int>(text_bytes)) != 1)
    return std::nullopt;
  MR_ASSERT(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes,
                                bytes.data() + kNonceBytes + text_bytes) == 1);
  if (EVP_DecryptFinal_ex(context.get(), reinterpret_cast<unsigned char*>(text.data()) + written, &rest) != 1)
    return std::nullopt;
  return text;
}

}  // namespace millrace::identity
