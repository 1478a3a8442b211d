#include "keys/keyring.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <span>

namespace millrace::keys {
namespace {

constexpr std::string_view kHead = "millrace keyring 1";
constexpr std::string_view kMasterKeyPurpose = "millrace master key 1";
constexpr std::size_t kIdBytes = 8;
constexpr std::size_t kKeySaltBytes = 16;
constexpr std::size_t kKeyHeadBytes = kIdBytes + kKeySaltBytes + kNonceBytes;
constexpr std::size_t kWrappedBytes = kKeyHeadBytes + kSecretBytes + kTagBytes;

std::string hex(ByteView bytes) {
  std::string text;
  for (const std::uint8_t byte : bytes) text += fmt::format("{:02x}", byte);
  return text;
}

bool from_hex(std::string_view text, std::span<std::uint8_t> out) {
  if (text.size() != 2 * out.size()) return false;
  const auto digit = [](char c) -> int {
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  };
  for (std::size_t i = 0; i < out.size(); ++i) {
    const int high = digit(text[2 * i]);
    const int low = digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    out[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return true;
}

// Id, salt and nonce, then what they are bound to: all of it is authenticated.
Bytes bound(ByteView head, std::string_view to) {
  Bytes bytes;
  bytes.append(head);
  bytes.append(to);
  return bytes;
}

Nonce nonce_in(ByteView head) {
  Nonce nonce;
  std::copy_n(head.begin() + kIdBytes + kKeySaltBytes, kNonceBytes, nonce.begin());
  return nonce;
}

}  // namespace

std::string Keyring::make(Random& random) {
  Id id;
  Secret secret;
  random.fill(id);
  random.fill(secret.room());
  return fmt::format("{}\n{} {}\n", kHead, hex(id), hex(secret.view()));
}

Result<Keyring> Keyring::parse(std::string_view text) {
  Keyring keyring;
  std::size_t number = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (++number == 1) {
      if (line != kHead)
        return Error{ErrorKind::kCorrupt, fmt::format("line 1 of the keyring is not \"{}\"", kHead)};
      continue;
    }
    if (line.empty() || line.starts_with('#')) continue;
    Entry entry;
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos || !from_hex(line.substr(0, space), entry.id) ||
        !from_hex(line.substr(space + 1), entry.secret.room()))
      return Error{ErrorKind::kCorrupt,
                   fmt::format("line {} of the keyring is not 16 and 64 hexadecimal digits", number)};
    keyring.entries_.push_back(entry);
  }
  if (keyring.entries_.empty()) return Error{ErrorKind::kCorrupt, "the keyring has no secret"};
  return keyring;
}

Bytes Keyring::wrap(const Secret& secret, std::string_view bound_to, Random& random) const {
  const Entry& newest = entries_.back();
  Bytes wrapped;
  wrapped.resize(kWrappedBytes);
  std::copy(newest.id.begin(), newest.id.end(), wrapped.data());
  random.fill({wrapped.data() + kIdBytes, kKeySaltBytes + kNonceBytes});
  const ByteView head = wrapped.view().first(kKeyHeadBytes);
  AesGcm cipher(derive(newest.secret, kMasterKeyPurpose, head.subspan(kIdBytes, kKeySaltBytes)),
                AesGcm::Direction::kEncrypt);
  cipher.encrypt(nonce_in(head), bound(head, bound_to).view(), secret.view(), wrapped.data() + kKeyHeadBytes,
                 wrapped.data() + kKeyHeadBytes + kSecretBytes);
  return wrapped;
}

Result<Secret> Keyring::unwrap(ByteView wrapped, std::string_view bound_to) const {
  if (wrapped.size() != kWrappedBytes) return Error{ErrorKind::kCorrupt, "not a wrapped master key"};
  const ByteView head = wrapped.first(kKeyHeadBytes);
  const auto entry = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& candidate) {
    return std::equal(candidate.id.begin(), candidate.id.end(), head.begin());
  });
  if (entry == entries_.end())
    return Error{ErrorKind::kCorrupt, fmt::format("wrapped by secret {}, which the keyring does not have",
                                                  hex(head.first(kIdBytes)))};
  AesGcm cipher(derive(entry->secret, kMasterKeyPurpose, head.subspan(kIdBytes, kKeySaltBytes)),
                AesGcm::Direction::kDecrypt);
  Secret secret;
  if (!cipher.decrypt(nonce_in(head), bound(head, bound_to).view(),
                      wrapped.subspan(kKeyHeadBytes, kSecretBytes), secret.room().data(),
                      wrapped.last(kTagBytes)))
    return Error{
        ErrorKind::kCorrupt,
        fmt::format("a wrapped master key is damaged or another key's, or secret {} of the keyring is",
                    hex(head.first(kIdBytes)))};
  return secret;
}

}  // namespace millrace::keys
