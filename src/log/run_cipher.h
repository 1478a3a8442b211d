// log/run_cipher.h: how the records of a run are encrypted, as far as the log knows: it leaves room, says
// when, and names the key. Bytes: docs/format.md, "Encrypted run". Ciphers and keys are in keys/.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "base/callback.h"
#include "base/little_endian.h"
#include "base/loop.h"
#include "base/result.h"

namespace millrace::log {

// Of an encrypted run, between its header and its ciphertext: what it was encrypted with.
struct CipherHead {
  std::uint64_t key = 0;  // a data key's number, from 1, never used again
  // Drawn at random by one writer in one process, who counts up from 0: no other run has both.
  std::array<std::uint8_t, 16> session{};
  std::uint64_t counter = 0;
  friend auto operator<=>(const CipherHead&, const CipherHead&) = default;
};

inline constexpr std::size_t kCipherHeadBytes = 32;
inline constexpr std::size_t kCipherTagBytes = 16;  // behind the ciphertext

// `at` has kCipherHeadBytes.
inline CipherHead load_cipher_head(const std::uint8_t* at) {
  CipherHead head;
  head.key = load<std::uint64_t>(at);
  std::copy_n(at + 8, head.session.size(), head.session.begin());
  head.counter = load<std::uint64_t>(at + 24);
  return head;
}
inline void store_cipher_head(std::uint8_t* at, const CipherHead& head) {
  store_at<std::uint64_t>(at, head.key);
  std::copy(head.session.begin(), head.session.end(), at + 8);
  store_at<std::uint64_t>(at + 24, head.counter);
}

// Encrypts runs that are about to be written.
class RunEncryptor {
 public:
  virtual ~RunEncryptor() = default;
  // `run` is a run's header, as it will be written, room for a CipherHead, the records, and room for the tag:
  // fills in head and tag and encrypts the records where they stand. Header and head are authenticated.
  // lane     0 to 255; one thread at a time uses a lane.  thread   any
  virtual void encrypt(std::size_t lane, std::span<std::uint8_t> run) = 0;
};

// Decrypts runs for readers. Any thread.
class RunDecryptor {
 public:
  virtual ~RunDecryptor() = default;
  // Whether decrypt() may be asked for runs of this key. May turn false again: permissions are looked at anew
  // from time to time.
  virtual bool is_ready(std::uint64_t key) = 0;
  // Fetches the key, or finds out that it may not be used; calls back on `loop`, at once or later.
  // errors   kKeyNotFound, kKeyDisabled, kKeyInvalidState, kKeyDenied, kKeyThrottled: may not be used now.
  //          kUnavailable: could not be asked.  kCorrupt: the key itself is damaged
  virtual void prepare(std::uint64_t key, Loop& loop, Function<void(Result<void>)> done) = 0;
  // Appends the run as it was before encrypt() to `out`. Requires that its key was ready.
  // errors   kCorrupt: these are not the bytes that were encrypted, or not at this place
  virtual Result<void> decrypt(ByteView run, Bytes& out) = 0;
};

}  // namespace millrace::log
