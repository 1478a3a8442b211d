// keys/master_keys.h: what makes and unwraps data keys: the server's own key service (kms.h), or another one.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/callback.h"
#include "base/loop.h"
#include "base/result.h"
#include "keys/ciphertext_blob.h"

namespace millrace::keys {

// A data key as it is kept: only its master key can tell what it is.
struct WrappedKey {
  std::string master_key;  // ARN
  std::string blob;        // bytes
};

struct MadeKey {
  Secret secret;
  WrappedKey wrapped;
};

// What decides who may use a master key.
struct KeyAccess {
  std::string arn;
  std::shared_ptr<const std::string> policy;  // its own; must allow
  std::shared_ptr<const std::map<std::string, std::string>> tags;
};

// Any thread. Answers come on `loop`, at once or later.
// errors   as log::RunDecryptor::prepare
class MasterKeys {
 public:
  virtual ~MasterKeys() = default;
  // A new data key under the master key `key`: an id, an ARN, or an alias by name or ARN.
  virtual void generate(std::string key, EncryptionContext context, Loop& loop,
                        Function<void(Result<MadeKey>)> done) = 0;
  virtual void unwrap(const WrappedKey& wrapped, EncryptionContext context, Loop& loop,
                      Function<void(Result<Secret>)> done) = 0;
  // Of the key `key`, named in any way; nullopt: there is none, or another service has it and asks its own
  // policy.
  virtual std::optional<KeyAccess> access_to(std::string_view key) const = 0;
  // For how long an answer holds: so late is a key that was disabled found to be.
  virtual std::int64_t answer_holds_ms() const = 0;
};

}  // namespace millrace::keys
