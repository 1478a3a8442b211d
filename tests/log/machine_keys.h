// log/machine_keys.h: data keys of a simulated machine: real ciphers, keys that are disabled for a while, and
// a look at every nonce that is used.
#pragma once

#include <fmt/format.h>

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "keys/record_key.h"
#include "log/run_codec.h"
#include "sim/seeded_random.h"

namespace millrace::log {

// Secrets and what was seen outlive processes; ciphers, and what they count, end with each.
class MachineKeys final : public RunDecryptor {
 public:
  // random   of the machine's processes, borrowed.  fault   takes what is wrong
  MachineKeys(Random& random, std::function<void(std::string)> fault)
      : random_(random), fault_(std::move(fault)) {}

  std::uint64_t make() {
    keys::Secret secret;
    random_.fill(secret.room());
    secrets_.emplace(++newest_, secret);
    return newest_;
  }
  void disable(std::uint64_t key) { disabled_.insert(key), ready_.erase(key); }
  void enable_all() { disabled_.clear(); }
  bool is_disabled(std::uint64_t key) const { return disabled_.count(key) != 0; }
  // What it was allowed it must ask for again.
  void forget_permissions() { ready_.clear(); }
  // The process has ended: the next one knows secrets, and nothing else.
  void end_process() {
    ciphers_.clear();
    ready_.clear();
  }
  std::uint64_t encrypted_runs() const { return heads_.size(); }

  std::shared_ptr<RunEncryptor> encryptor(std::uint64_t key) {
    return std::make_shared<Watched>(*this, cipher(key));
  }

  bool is_ready(std::uint64_t key) override { return ready_.count(key) != 0; }
  void prepare(std::uint64_t key, Loop& loop, Function<void(Result<void>)> done) override {
    loop.post([this, key, done = std::move(done)]() mutable {
      if (is_disabled(key))
        return done(Error{ErrorKind::kKeyDisabled, fmt::format("key {} is disabled", key)});
      ready_.insert(key);
      done({});
    });
  }
  Result<void> decrypt(ByteView run, Bytes& out) override {
    const CipherHead head = load_cipher_head(run.data() + kRunHeaderBytes);
    if (secrets_.count(head.key) == 0) fault_(fmt::format("data key {} was never made", head.key));
    return cipher(head.key)->decrypt(run, out);
  }

 private:
  // Encrypts, and sees to it that no nonce is used twice.
  class Watched final : public RunEncryptor {
   public:
    Watched(MachineKeys& owner, std::shared_ptr<keys::RecordKey> key) : owner_(owner), key_(std::move(key)) {}
    void encrypt(std::size_t lane, std::span<std::uint8_t> run) override {
      key_->encrypt(lane, run);
      if (!owner_.heads_.insert(load_cipher_head(run.data() + kRunHeaderBytes)).second)
        owner_.fault_("a nonce was used twice with a key");
    }

   private:
    MachineKeys& owner_;
    std::shared_ptr<keys::RecordKey> key_;
  };

  std::shared_ptr<keys::RecordKey> cipher(std::uint64_t key) {
    auto& cipher = ciphers_[key];
    if (!cipher) cipher = std::make_shared<keys::RecordKey>(key, secrets_.at(key), random_);
    return cipher;
  }

  Random& random_;
  std::function<void(std::string)> fault_;
  std::uint64_t newest_ = 0;
  std::map<std::uint64_t, keys::Secret> secrets_;
  std::set<std::uint64_t> disabled_;
  std::set<CipherHead> heads_;
  std::map<std::uint64_t, std::shared_ptr<keys::RecordKey>> ciphers_;
  std::set<std::uint64_t> ready_;
};

}  // namespace millrace::log
