// identity/directory.h: what requests are checked against: access keys, whose they are, and roles; an
// immutable picture, made out of the identities and replaced as a whole when something changes.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "identity/identities.h"
#include "identity/principal.h"
#include "identity/seal.h"

namespace millrace::identity {

// When a key was last used, about: a signature with it passed. Any thread.
class KeyUse {
 public:
  void note(std::int64_t now_ms) {
    // Seldom written, so that loops do not take the line from one another.
    constexpr std::int64_t kCoarseMs = 60'000;
    if (now_ms - last_ms_.load(std::memory_order_relaxed) >= kCoarseMs)
      last_ms_.store(now_ms, std::memory_order_relaxed);
  }
  std::int64_t last_ms() const { return last_ms_.load(std::memory_order_relaxed); }  // 0: not since the start

 private:
  std::atomic<std::int64_t> last_ms_{0};
};

struct AccessKey {
  std::string secret_key;
  std::string session_token;  // empty for long-lived keys; else X-Amz-Security-Token must equal it
  std::shared_ptr<const Principal> principal;
  std::string sealed_secret = {};  // what the secret was opened from
  std::shared_ptr<KeyUse> use = {};
};

struct RoleEntry {
  std::string name, id, arn;
  std::shared_ptr<const std::string> trust;
  std::int32_t session_s_max;
  std::vector<NamedPolicy> policies;
};

struct Directory {
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };

  std::string account;
  bool checks_signatures = true;  // false: everybody passes, whatever they send
  // Those that may be used now, by their ids.
  std::unordered_map<std::string, AccessKey, Hash, std::equal_to<>> keys;
  // Of all keys of users, those that are disabled too.
  std::unordered_map<std::string, std::shared_ptr<KeyUse>, Hash, std::equal_to<>> key_uses;
  std::map<std::string, RoleEntry, std::less<>> roles;                         // by id
  std::map<std::string, std::string, std::less<>> role_ids;                    // by name
  std::map<std::string, std::shared_ptr<const Principal>, std::less<>> users;  // by id; without access key
  std::map<std::string, PolicyPtr, std::less<>> policies;                      // by name
  std::uint64_t serial = 0;  // tells this one from every other of the process
};

struct RootKey {
  std::string access_key, secret_key;  // empty: no signature is checked
};

// secrets    opens the identities' sealed secrets
// before     the one that it takes the place of, whose users and keys it goes on with where nothing of them
//            changed, and so what is remembered of them stays good; nullptr: there is none
// errors     kCorrupt: one does not open; names its key
Result<std::shared_ptr<const Directory>> make_directory(const Identities& identities, const Seal& secrets,
                                                        std::string account, const RootKey& root,
                                                        const Directory* before = nullptr);

std::shared_ptr<const Principal> root_principal(std::string account, std::string access_key);
// Everybody, where no signature is checked.
std::shared_ptr<const Principal> unchecked_principal();

// "arn:aws:iam::ACCOUNT:role/NAME"; kind is user, role or policy.
std::string iam_arn(std::string_view account, std::string_view kind, std::string_view name);

}  // namespace millrace::identity
