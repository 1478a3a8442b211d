// identity/identities.h: the users, access keys, roles and policies that the server keeps: a state that is
// changed by entries alone, each checked against the state before.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "identity/policy.h"
#include "identity/quota.h"

namespace millrace::identity {

using PolicyPtr = std::shared_ptr<const Policy>;

struct StoredKey {
  std::string id;             // "AKIA…"
  std::string sealed_secret;  // identity/seal.h
  bool active = true;
  std::int64_t created_ms = 0;
};

// What users and roles have in common.
struct PolicyHolder {
  std::string name;
  std::string id;  // "AIDA…", "AROA…": never used again, unlike the name
  std::int64_t created_ms = 0;
  std::set<std::string> attached;            // names of policies
  std::map<std::string, PolicyPtr> inlined;  // by name
};
struct User : PolicyHolder {
  std::map<std::string, StoredKey> keys;  // by id
};
struct Role : PolicyHolder {
  PolicyPtr trust;
  std::shared_ptr<const std::string> trust_text;  // what the authorizer takes
  std::int32_t session_s_max = 3'600;
};
struct ManagedPolicy {
  PolicyPtr policy;
  std::int64_t created_ms = 0;
  std::int64_t changed_ms = 0;
};

struct Identities {
  std::map<std::string, User, std::less<>> users;  // by name, as the rest
  std::map<std::string, Role, std::less<>> roles;
  std::map<std::string, ManagedPolicy, std::less<>> policies;
  std::map<std::string, std::string, std::less<>> key_owners;  // user name by access key
  std::map<std::string, Quota, std::less<>> quotas;            // by whose they are: quota.h
};

// source: IAM quotas
inline constexpr std::size_t kUsersMax = 5'000, kRolesMax = 1'000, kPoliciesMax = 1'500, kKeysPerUserMax = 2,
                             kAttachedMax = 20, kInlinedMax = 20;
inline constexpr std::size_t kQuotasMax = 10'000;  // our own

enum class HolderKind : std::uint8_t { kUser, kRole };

struct UserAdded {
  std::string name, id;
  std::int64_t now_ms;
};
struct UserRemoved {  // with keys, inline policies and quota
  std::string name;
};
struct KeyCreated {
  std::string user, id, sealed_secret;
  std::int64_t now_ms;
};
struct KeySwitched {
  std::string id;
  bool active;
};
struct KeyDeleted {
  std::string id;
};
struct PolicyPut {
  std::string name, document;
  std::int64_t now_ms;
};
struct PolicyDeleted {
  std::string name;
};
struct RolePut {  // created, or its trust and session length changed
  bool create;
  std::string name, id, trust;
  std::int32_t session_s_max;
  std::int64_t now_ms;
};
struct RoleRemoved {
  std::string name;
};
struct PolicyAttached {
  HolderKind kind;
  std::string holder, policy;
};
struct PolicyDetached {
  HolderKind kind;
  std::string holder, policy;
};
struct InlinePut {
  HolderKind kind;
  std::string holder, policy, document;
};
struct InlineDeleted {
  HolderKind kind;
  std::string holder, policy;
};
struct QuotaPut {  // also in place of an older one
  std::string owner;
  Quota quota;
};
struct QuotaRemoved {
  std::string owner;
};

using IdentityChange = std::variant<UserAdded, UserRemoved, KeyCreated, KeySwitched, KeyDeleted, PolicyPut,
                                    PolicyDeleted, RolePut, RoleRemoved, PolicyAttached, PolicyDetached,
                                    InlinePut, InlineDeleted, QuotaPut, QuotaRemoved>;

// The state after `change`. errors   kNotFound, kConflict, kLimit, kInvalid: the text says why, for people
Result<Identities> apply_change(const Identities& identities, const IdentityChange& change);

// Of memory, about: policies weigh as they are compiled. In time in proportion to all there is.
std::uint64_t memory_bytes(const Identities& identities);

// As JSON: docs/format.md, "Identities". errors   kCorrupt: not what this version writes
std::string encode(const IdentityChange& change);
Result<IdentityChange> decode_identity_change(std::string_view json);
std::string encode(const Identities& identities);
Result<Identities> decode_identities(std::string_view json);

}  // namespace millrace::identity
