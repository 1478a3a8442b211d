// keys/record_key.h: one data key: encrypts and decrypts runs of records.
//
// Nonces: each lane (a loop's journal) draws a session of 128 random bits when it first encrypts, derives a
// key of its own from data key and session, and counts its nonces up from 0 in memory. A crash ends the
// session; the next process draws another. So no nonce is ever used twice with a key, whatever the disk holds
// or loses; a session ends after 2^32 runs or 1 TiB. docs/decisions/0012-encryption-at-rest.md
#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>

#include "base/random.h"
#include "base/result.h"
#include "keys/aes_gcm.h"
#include "log/run_cipher.h"

namespace millrace::keys {

// Any thread; a lane is one thread's at a time.
class RecordKey final : public log::RunEncryptor {
 public:
  // random   borrowed
  RecordKey(std::uint64_t number, const Secret& secret, Random& random);
  ~RecordKey() override;

  std::uint64_t number() const { return number_; }
  void encrypt(std::size_t lane, std::span<std::uint8_t> run) override;
  // As log::RunDecryptor; the run's head names this key.
  Result<void> decrypt(ByteView run, Bytes& out);

 private:
  using SessionId = std::array<std::uint8_t, 16>;
  struct Lane;
  struct Session;
  std::shared_ptr<Session> session(const SessionId& id);
  static constexpr std::size_t kLanesMax = 256;
  static constexpr std::size_t kSessionsKept = 32;

  const std::uint64_t number_;
  const Secret secret_;
  Random& random_;
  std::array<std::unique_ptr<Lane>, kLanesMax> lanes_;
  std::mutex mutex_;
  std::list<std::shared_ptr<Session>> sessions_;  // for decryption, most lately used first
};

}  // namespace millrace::keys
