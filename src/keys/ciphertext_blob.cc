#include "keys/ciphertext_blob.h"

#include <algorithm>

#include "base/little_endian.h"

namespace millrace::keys {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::string_view kBlobPurpose = "millrace blob 1";
constexpr std::size_t kKeyAt = 1;
constexpr std::size_t kMaterialAt = 17;
constexpr std::size_t kSaltAt = 21;
constexpr std::size_t kBlobSaltBytes = 16;
constexpr std::size_t kNonceAt = kSaltAt + kBlobSaltBytes;
constexpr std::size_t kBlobHeadBytes = kNonceAt + kNonceBytes;

void append_text(Bytes& out, std::string_view text) {
  store_at<std::uint32_t>(out.prepare(4), static_cast<std::uint32_t>(text.size()));
  out.commit(4);
  out.append(text);
}

// Head, then names and values by name, each with its length: no two contexts give the same bytes.
Bytes authenticated(ByteView head, const EncryptionContext& context) {
  Bytes bytes;
  bytes.append(head);
  for (const auto& [name, value] : context) {
    append_text(bytes, name);
    append_text(bytes, value);
  }
  return bytes;
}

Nonce nonce_of(ByteView head) {
  Nonce nonce;
  std::copy_n(head.begin() + kNonceAt, kNonceBytes, nonce.begin());
  return nonce;
}

}  // namespace

Bytes encrypt_blob(const BlobHead& head, const Secret& material, ByteView plain,
                   const EncryptionContext& context, Random& random) {
  Bytes blob;
  blob.resize(kBlobHeadBytes + plain.size() + kTagBytes);
  blob[0] = kVersion;
  std::copy(head.key.begin(), head.key.end(), blob.data() + kKeyAt);
  store_at<std::uint32_t>(blob.data() + kMaterialAt, head.material);
  random.fill({blob.data() + kSaltAt, kBlobSaltBytes + kNonceBytes});  // 224 bits: no two blobs share them
  const ByteView written = blob.view().first(kBlobHeadBytes);
  AesGcm cipher(derive(material, kBlobPurpose, written.subspan(kSaltAt, kBlobSaltBytes)),
                AesGcm::Direction::kEncrypt);
  cipher.encrypt(nonce_of(written), authenticated(written, context).view(), plain,
                 blob.data() + kBlobHeadBytes, blob.data() + kBlobHeadBytes + plain.size());
  return blob;
}

std::optional<BlobHead> head_of_blob(ByteView blob) {
  if (blob.size() < kBlobHeadBytes + kTagBytes || blob[0] != kVersion) return std::nullopt;
  BlobHead head;
  std::copy_n(blob.begin() + kKeyAt, head.key.size(), head.key.begin());
  head.material = load<std::uint32_t>(blob.data() + kMaterialAt);
  return head;
}

std::optional<Bytes> decrypt_blob(ByteView blob, const Secret& material, const EncryptionContext& context) {
  MR_ASSERT(blob.size() >= kBlobHeadBytes + kTagBytes);
  const ByteView head = blob.first(kBlobHeadBytes);
  const ByteView text = blob.subspan(kBlobHeadBytes, blob.size() - kBlobHeadBytes - kTagBytes);
  AesGcm cipher(derive(material, kBlobPurpose, head.subspan(kSaltAt, kBlobSaltBytes)),
                AesGcm::Direction::kDecrypt);
  Bytes plain;
  plain.resize(text.size());
  if (!cipher.decrypt(nonce_of(head), authenticated(head, context).view(), text, plain.data(),
                      blob.last(kTagBytes)))
    return std::nullopt;
  return plain;
}

}  // namespace millrace::keys
