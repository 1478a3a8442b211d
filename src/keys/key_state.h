// keys/key_state.h: the master keys and aliases that exist: an immutable picture, changed by small entries.
// Entries and snapshot are JSON: docs/format.md, "Master keys".
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

namespace millrace::keys {

// One of a key's secrets; new texts are encrypted by the newest.
struct Material {
  std::string wrapped;  // bytes, by the keyring
  std::int64_t made_ms;
};

inline constexpr std::int64_t kDeletionDaysMax = 30;

struct MasterKey {
  std::string id;  // UUID
  std::string description;
  std::int64_t created_ms = 0;
  bool enabled = true;
  bool aws_managed = false;                       // the server's own, which nobody changes
  std::optional<std::int64_t> deletion_ms;        // it goes then; until then it cannot be used
  std::int64_t deletion_days = kDeletionDaysMax;  // so long before deletion_ms that was decided
  bool rotates = false;
  std::int64_t rotation_days = 365;
  std::map<std::string, std::string> tags;
  // Who may do what with it, as its owner put it; nullptr: the default one. The same pointer until it is put
  // anew.
  std::shared_ptr<const std::string> policy;
  std::vector<Material> materials;  // oldest first, never removed
};

struct Alias {
  std::string name;  // "alias/…"
  std::string key;   // its id
  std::int64_t created_ms = 0;
  std::int64_t updated_ms = 0;
};

struct KeyState {
  std::map<std::string, std::shared_ptr<const MasterKey>, std::less<>> keys;  // by id
  std::map<std::string, Alias, std::less<>> aliases;                          // by name
};

// Each puts a thing as a whole in the place of what was there, or takes it away.
struct KeyRemoved {
  std::string id;
};
struct AliasRemoved {
  std::string name;
};
using KeyChange = std::variant<MasterKey, KeyRemoved, Alias, AliasRemoved>;

// Of memory, about, with the secrets that are known of its keys. In time in proportion to all there is.
std::uint64_t memory_bytes(const KeyState& state);

KeyState apply_change(const KeyState& state, const KeyChange& change);

std::string encode(const KeyChange& change);
std::string encode(const KeyState& state);
// errors   kCorrupt
Result<KeyChange> decode_key_change(std::string_view json);
Result<KeyState> decode_key_state(std::string_view json);

}  // namespace millrace::keys
