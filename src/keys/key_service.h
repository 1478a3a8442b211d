// keys/key_service.h: the server's own key service: master keys that never leave it, aliases, and what is
// encrypted under them. What KMS's clients see of it is in kms/.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/memory_share.h"
#include "base/random.h"
#include "base/result.h"
#include "base/task.h"
#include "cluster/ledger.h"
#include "keys/key_state.h"
#include "keys/keyring.h"
#include "keys/master_keys.h"
#include "store/object_store.h"

namespace millrace::keys {

inline constexpr std::string_view kKinesisAlias = "alias/aws/kinesis";

// The master keys that a chain makes: its newest snapshot and the entries after it.
// errors   kCorrupt
Result<KeyState> replay_keys(const std::optional<std::string>& snapshot,
                             const std::vector<std::string>& entries);
// What is wrapped in a key, oldest first.
// errors   kCorrupt: this keyring does not open it
Result<std::vector<Secret>> secrets_of(const MasterKey& key, const Keyring& keyring);

struct KeyServiceOptions {
  std::string account;
  std::string region;
  std::int64_t answer_holds_ms = 1'000;
  // Of all keys and aliases; what would make them more is refused: kLimit.
  std::shared_ptr<MemoryShare> memory = std::make_shared<MemoryShare>("keys", std::uint64_t{16} << 20);
};

// Look-ups and ciphers from any thread; commands from any loop, resuming on `home`. Errors besides those
// named: kKeyNotFound, kKeyDisabled, kKeyInvalidState: of the key that is asked for, in KMS's own words.
class KeyService final : public MasterKeys, public std::enable_shared_from_this<KeyService> {
 public:
  // Reads what exists below "kms/" of `store`, and makes the key of alias/aws/kinesis where there is none.
  // Blocks; before the loops carry other work.
  // store, home, clock, random   borrowed; outlive it.  home   its ledger's loop
  // start_worker   makes the ledger's worker
  // keyring        gives the keyring; only where `may_make` is true may it be a new one
  // errors   kCorrupt: damaged, or wrapped by another keyring.  kUnavailable, and what `keyring` answers
  static Result<std::shared_ptr<KeyService>> open(
      KeyServiceOptions options, store::ObjectStore& store, Loop& home,
      const std::function<std::unique_ptr<Worker>()>& start_worker, const Clock& clock, Random& random,
      const std::function<Result<Keyring>(bool may_make)>& keyring);

  std::string key_arn(std::string_view id) const;
  std::string alias_arn(std::string_view name) const;
  const KeyServiceOptions& options() const { return options_; }

  // By id, ARN, alias name or alias ARN.
  Result<std::shared_ptr<const MasterKey>> find(std::string_view key) const;
  std::shared_ptr<const KeyState> state() const;
  // The policy of a key: as it was put, or the default one, by which the account's policies decide. That of
  // the server's own key allows its use through Kinesis alone.
  std::shared_ptr<const std::string> policy_of(const MasterKey& key) const;

  struct Encrypted {
    std::shared_ptr<const MasterKey> key;
    Bytes blob;
  };
  Result<Encrypted> encrypt(std::string_view key, ByteView plain, const EncryptionContext& context);
  struct Decrypted {
    std::shared_ptr<const MasterKey> key;
    Bytes plain;
  };
  // errors   kCorrupt: not a blob of this service, or of another context
  Result<Decrypted> decrypt(ByteView blob, const EncryptionContext& context);
  // errors   kCorrupt: not a blob
  Result<std::shared_ptr<const MasterKey>> key_of(ByteView blob) const;

  // errors of all commands, besides   kUnavailable: nothing changed.  kUnknown: look.
  // policy   nullptr: the default one
  Task<Result<std::shared_ptr<const MasterKey>>> create_key(
      std::string description, std::map<std::string, std::string> tags,
      std::shared_ptr<const std::string> policy = nullptr);
  // Lets `edit` change the key, or say why not. kKeyDenied: the server's own keys are not for changing.
  using Edit = std::function<Result<void>(MasterKey&)>;
  Task<Result<std::shared_ptr<const MasterKey>>> edit_key(std::string key, Edit edit);
  // Adds a secret, which encrypts from now on; older blobs stay readable.
  Task<Result<std::shared_ptr<const MasterKey>>> rotate_key(std::string key);
  // `exists`: whether the alias must be there already, or must not. errors   kConflict, kNotFound
  Task<Result<void>> set_alias(std::string name, std::string key, bool exists);
  Task<Result<void>> remove_alias(std::string name);

  // Removes for good, with their secrets, the keys whose time to be deleted has passed. Once the clock has
  // begun.
  Task<void> remove_gone_keys();
  // Stamps keys and their deletion.
  const Clock& clock() const { return clock_; }

  // As MasterKeys; answer at once.
  void generate(std::string key, EncryptionContext context, Loop& loop,
                Function<void(Result<MadeKey>)> done) override;
  void unwrap(const WrappedKey& wrapped, EncryptionContext context, Loop& loop,
              Function<void(Result<Secret>)> done) override;
  std::optional<KeyAccess> access_to(std::string_view key) const override;
  std::int64_t answer_holds_ms() const override { return options_.answer_holds_ms; }

 private:
  KeyService(KeyServiceOptions options, Loop& home, const Clock& clock, Random& random, Keyring keyring);

  MasterKey new_key(std::string description);
  Material new_material(const std::string& id, std::size_t position);
  // Unwraps what `key` has and `secrets_` has not. errors   kCorrupt
  Result<void> learn_secrets(const MasterKey& key);
  Result<void> usable(const MasterKey& key) const;
  bool is_gone(const MasterKey& key) const;
  Result<Secret> secret(const MasterKey& key, std::size_t position) const;
  Task<Result<void>> commit(KeyChange change);
  void apply(const KeyChange& change);
  static Task<void> apply_held(std::shared_ptr<KeyService> self, std::string entry);
  Task<Result<std::shared_ptr<const MasterKey>>> edit_here(std::string key, Edit edit);
  void rotate_if_due(const MasterKey& key);

  const KeyServiceOptions options_;
  Loop& home_;
  const Clock& clock_;
  Random& random_;
  const Keyring keyring_;
  const std::shared_ptr<const std::string> default_policy_, own_policy_;
  std::shared_ptr<cluster::Ledger> ledger_;
  std::uint64_t bytes_ = 0;  // of memory, of the state
  mutable std::mutex mutex_;
  std::shared_ptr<const KeyState> state_ = std::make_shared<const KeyState>();
  std::map<std::string, std::vector<Secret>, std::less<>> secrets_;  // by key
};

}  // namespace millrace::keys
