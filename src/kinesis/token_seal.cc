#include "kinesis/token_seal.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/params.h>

#include "base/base64.h"

namespace millrace::kinesis {
namespace {

constexpr std::size_t kHeaderBytes = 8, kBlockBytes = 16, kTagBytes = 16, kMacBytes = 32, kPrefixBytes = 3;
constexpr std::array<std::uint8_t, kHeaderBytes> kHeader = {0, 0, 0, 0, 0, 0, 0, 1};
constexpr std::size_t kTextBytesMax = 4'000;
static_assert(kBlockBytes == kTagBytes);

// One key for each use, so that neither says anything about the other.
TokenKey derive(const TokenKey& key, std::string_view use) {
  TokenKey derived;
  unsigned size = 0;
  const auto* done =
      HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(use.data()), use.size(), derived.data(), &size);
  MR_ASSERT(done != nullptr && size == derived.size());
  return derived;
}

}  // namespace

struct TokenSeal::Ciphers {
  explicit Ciphers(const TokenKey& key) {
    const TokenKey cipher_key = derive(key, "millrace token cipher");
    const TokenKey mac_key = derive(key, "millrace token mac");
    EVP_CIPHER* cipher = EVP_CIPHER_fetch(nullptr, "AES-256-CBC", nullptr);
    MR_ASSERT(cipher != nullptr && encrypt != nullptr && decrypt != nullptr);
    MR_ASSERT(EVP_EncryptInit_ex2(encrypt, cipher, cipher_key.data(), nullptr, nullptr) == 1);
    MR_ASSERT(EVP_DecryptInit_ex2(decrypt, cipher, cipher_key.data(), nullptr, nullptr) == 1);
    EVP_CIPHER_CTX_set_padding(encrypt, 0);
    EVP_CIPHER_CTX_set_padding(decrypt, 0);
    EVP_CIPHER_free(cipher);

    EVP_MAC* hmac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
    MR_ASSERT(hmac != nullptr);
    mac = EVP_MAC_CTX_new(hmac);
    EVP_MAC_free(hmac);
    char digest[] = "SHA256";
    const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string("digest", digest, 0),
                                     OSSL_PARAM_construct_end()};
    MR_ASSERT(mac != nullptr && EVP_MAC_init(mac, mac_key.data(), mac_key.size(), parameters) == 1);
  }
  Ciphers(const Ciphers&) = delete;
  ~Ciphers() {
    EVP_CIPHER_CTX_free(encrypt);
    EVP_CIPHER_CTX_free(decrypt);
    EVP_MAC_CTX_free(mac);
  }

  std::array<std::uint8_t, kMacBytes> mac_of(ByteView bytes) {
    std::array<std::uint8_t, kMacBytes> out;
    std::size_t size = 0;
    MR_ASSERT(EVP_MAC_init(mac, nullptr, 0, nullptr) == 1);  // again, with the key that it has
    MR_ASSERT(EVP_MAC_update(mac, bytes.data(), bytes.size()) == 1);
    MR_ASSERT(EVP_MAC_final(mac, out.data(), &size, out.size()) == 1 && size == out.size());
    return out;
  }

  EVP_CIPHER_CTX* encrypt = EVP_CIPHER_CTX_new();
  EVP_CIPHER_CTX* decrypt = EVP_CIPHER_CTX_new();
  EVP_MAC_CTX* mac = nullptr;
};

TokenSeal::TokenSeal(const TokenKey& key) : ciphers_(std::make_unique<Ciphers>(key)) {}
TokenSeal::~TokenSeal() = default;
TokenSeal::TokenSeal(TokenSeal&&) noexcept = default;

std::string TokenSeal::seal(TokenKind kind, ByteView text, std::size_t blocks_min, RandomPool& random) {
  MR_ASSERT(text.size() <= kTextBytesMax);
  const std::size_t blocks =
      std::max(blocks_min, (kPrefixBytes + text.size() + kBlockBytes - 1) / kBlockBytes);
  const std::size_t sealed_bytes = kHeaderBytes + kBlockBytes + blocks * kBlockBytes + kTagBytes;

  Bytes plain;
  plain.resize(blocks * kBlockBytes);
  std::memset(plain.data(), 0, plain.size());
  plain[0] = static_cast<std::uint8_t>(kind);
  plain[1] = static_cast<std::uint8_t>(text.size() >> 8);
  plain[2] = static_cast<std::uint8_t>(text.size());
  std::memcpy(plain.data() + kPrefixBytes, text.data(), text.size());

  Bytes sealed = Bytes::with_capacity(sealed_bytes);
  sealed.append(ByteView(kHeader));
  sealed.append(random.take(kBlockBytes));
  int written = 0;
  MR_ASSERT(EVP_EncryptInit_ex2(ciphers_->encrypt, nullptr, nullptr, sealed.data() + kHeaderBytes, nullptr) ==
            1);
  MR_ASSERT(EVP_EncryptUpdate(ciphers_->encrypt, sealed.data() + sealed.size(), &written, plain.data(),
                              static_cast<int>(plain.size())) == 1);
  MR_ASSERT(static_cast<std::size_t>(written) == plain.size());
  sealed.commit(plain.size());
  sealed.append(ByteView(ciphers_->mac_of(sealed.view())).first(kTagBytes));

  Bytes token;
  token.resize(base64_encoded_size(sealed.size()));
  base64_encode(sealed.view(), reinterpret_cast<char*>(token.data()));
  return std::string(token.text());
}

std::optional<Bytes> TokenSeal::open(TokenKind kind, std::string_view token) {
  const Bytes text(token);  // with slack behind it for the decoder
  const auto size = base64_decoded_size(text.text());
  constexpr std::size_t kFixedBytes = kHeaderBytes + kBlockBytes + kTagBytes;
  if (!size.has_value() || *size < kFixedBytes + kBlockBytes || *size > kFixedBytes + kTextBytesMax + 32)
    return std::nullopt;
  if ((*size - kFixedBytes) % kBlockBytes != 0) return std::nullopt;
  Bytes sealed;
  sealed.resize(*size);
  if (!base64_decode(text.text(), sealed.data())) return std::nullopt;
  const ByteView all = sealed.view();
  const auto mac = ciphers_->mac_of(all.first(*size - kTagBytes));
  if (CRYPTO_memcmp(mac.data(), all.last(kTagBytes).data(), kTagBytes) != 0) return std::nullopt;

  // From here on it is what seal() wrote.
  Bytes plain;
  plain.resize(*size - kFixedBytes);
  int written = 0;
  MR_ASSERT(EVP_DecryptInit_ex2(ciphers_->decrypt, nullptr, nullptr, sealed.data() + kHeaderBytes, nullptr) ==
            1);
  MR_ASSERT(EVP_DecryptUpdate(ciphers_->decrypt, plain.data(), &written,
                              sealed.data() + kHeaderBytes + kBlockBytes,
                              static_cast<int>(plain.size())) == 1);
  const std::size_t text_bytes = std::size_t{plain[1]} << 8 | plain[2];
  if (plain[0] != static_cast<std::uint8_t>(kind) || kPrefixBytes + text_bytes > plain.size())
    return std::nullopt;
  return Bytes(plain.text().substr(kPrefixBytes, text_bytes));
}

}  // namespace millrace::kinesis
