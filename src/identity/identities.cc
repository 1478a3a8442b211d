#include "identity/identities.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "identity/bound_policy.h"
#include "identity/principal.h"

namespace millrace::identity {
namespace {

using enum ErrorKind;

Error not_found(std::string_view what, std::string_view name) {
  return {kNotFound, fmt::format("there is no {} {}", what, name)};
}

// source: IAM API reference: [\w+=,.@-]+
Result<void> check_name(std::string_view what, std::string_view name, std::size_t bytes_max) {
  const bool right =
      !name.empty() && name.size() <= bytes_max && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("_+=,.@-").find(c) != std::string_view::npos;
      });
  if (right) return {};
  return Error{kInvalid, fmt::format("{} \"{}\" must be 1 to {} letters, digits and _+=,.@-", what,
                                     name.substr(0, 200), bytes_max)};
}

constexpr std::size_t kHolderNameMax = 64, kPolicyNameMax = 128;

Result<PolicyHolder*> holder_of(Identities& state, HolderKind kind, const std::string& name) {
  if (kind == HolderKind::kUser) {
    const auto user = state.users.find(name);
    if (user == state.users.end()) return not_found("user", name);
    return static_cast<PolicyHolder*>(&user->second);
  }
  const auto role = state.roles.find(name);
  if (role == state.roles.end()) return not_found("role", name);
  return static_cast<PolicyHolder*>(&role->second);
}

Result<StoredKey*> key_of(Identities& state, const std::string& id) {
  const auto owner = state.key_owners.find(id);
  if (owner == state.key_owners.end()) return not_found("access key", id);
  return &state.users.at(owner->second).keys.at(id);
}

Result<void> change(Identities& state, const UserAdded& added) {
  MR_TRY(check_name("user name", added.name, kHolderNameMax));
  if (state.users.contains(added.name))
    return Error{kConflict, fmt::format("user {} exists already", added.name)};
  if (state.users.size() >= kUsersMax)
    return Error{kLimit, fmt::format("there are {} users already", kUsersMax)};
  User user;
  user.name = added.name;
  user.id = added.id;
  user.created_ms = added.now_ms;
  state.users.emplace(added.name, std::move(user));
  return {};
}

Result<void> change(Identities& state, const UserRemoved& removed) {
  const auto user = state.users.find(removed.name);
  if (user == state.users.end()) return not_found("user", removed.name);
  for (const auto& [id, key] : user->second.keys) state.key_owners.erase(id);
  state.users.erase(user);
  state.quotas.erase("user/" + removed.name);
  return {};
}

Result<void> change(Identities& state, const KeyCreated& created) {
  const auto user = state.users.find(created.user);
  if (user == state.users.end()) return not_found("user", created.user);
  if (state.key_owners.contains(created.id))
    return Error{kConflict, fmt::format("access key {} exists already", created.id)};
  if (user->second.keys.size() >= kKeysPerUserMax)
    return Error{kLimit, fmt::format("user {} has {} access keys already: delete one first", created.user,
                                     kKeysPerUserMax)};
  user->second.keys.emplace(created.id, StoredKey{created.id, created.sealed_secret, true, created.now_ms});
  state.key_owners.emplace(created.id, created.user);
  return {};
}

Result<void> change(Identities& state, const KeySwitched& switched) {
  MR_ASSIGN(StoredKey* const key, key_of(state, switched.id));
  key->active = switched.active;
  return {};
}

Result<void> change(Identities& state, const KeyDeleted& deleted) {
  MR_TRY(key_of(state, deleted.id));
  const auto owner = state.key_owners.find(deleted.id);
  state.users.at(owner->second).keys.erase(deleted.id);
  state.key_owners.erase(owner);
  return {};
}

Result<void> change(Identities& state, const PolicyPut& put) {
  MR_TRY(check_name("policy name", put.name, kPolicyNameMax));
  MR_ASSIGN(auto policy, parse_policy(put.document, PolicyKind::kIdentity, kIdentityPolicyBytesMax));
  if (!state.policies.contains(put.name) && state.policies.size() >= kPoliciesMax)
    return Error{kLimit, fmt::format("there are {} policies already", kPoliciesMax)};
  ManagedPolicy& stored = state.policies[put.name];
  if (stored.policy == nullptr) stored.created_ms = put.now_ms;
  stored.changed_ms = put.now_ms;
  stored.policy = std::move(policy);
  return {};
}

Result<void> change(Identities& state, const PolicyDeleted& deleted) {
  if (!state.policies.contains(deleted.name)) return not_found("policy", deleted.name);
  for (const auto& [name, user] : state.users)
    if (user.attached.contains(deleted.name))
      return Error{kConflict,
                   fmt::format("policy {} is attached to user {}: detach it first", deleted.name, name)};
  for (const auto& [name, role] : state.roles)
    if (role.attached.contains(deleted.name))
      return Error{kConflict,
                   fmt::format("policy {} is attached to role {}: detach it first", deleted.name, name)};
  state.policies.erase(deleted.name);
  return {};
}

Result<void> change(Identities& state, const RolePut& put) {
  MR_TRY(check_name("role name", put.name, kHolderNameMax));
  if (put.session_s_max < 3'600 || put.session_s_max > 43'200)
    return Error{kInvalid, fmt::format("longest session is {} s: must be 3600 to 43200", put.session_s_max)};
  MR_ASSIGN(auto trust, parse_stored_policy(put.trust, PolicyKind::kTrust, kTrustPolicyBytesMax));
  if (put.create && state.roles.contains(put.name))
    return Error{kConflict, fmt::format("role {} exists already", put.name)};
  if (!put.create && !state.roles.contains(put.name)) return not_found("role", put.name);
  if (put.create && state.roles.size() >= kRolesMax)
    return Error{kLimit, fmt::format("there are {} roles already", kRolesMax)};
  Role& role = state.roles[put.name];
  if (role.name.empty()) {
    role.name = put.name;
    role.id = put.id;
    role.created_ms = put.now_ms;
  }
  role.trust = std::move(trust);
  role.trust_text = std::make_shared<const std::string>(put.trust);
  role.session_s_max = put.session_s_max;
  return {};
}

Result<void> change(Identities& state, const RoleRemoved& removed) {
  if (state.roles.erase(removed.name) == 0) return not_found("role", removed.name);
  state.quotas.erase("role/" + removed.name);
  return {};
}

Result<void> change(Identities& state, const PolicyAttached& attached) {
  MR_ASSIGN(PolicyHolder* const holder, holder_of(state, attached.kind, attached.holder));
  if (!state.policies.contains(attached.policy)) return not_found("policy", attached.policy);
  if (holder->attached.size() >= kAttachedMax && !holder->attached.contains(attached.policy))
    return Error{kLimit, fmt::format("{} has {} policies attached already", attached.holder, kAttachedMax)};
  holder->attached.insert(attached.policy);
  return {};
}

Result<void> change(Identities& state, const PolicyDetached& detached) {
  MR_ASSIGN(PolicyHolder* const holder, holder_of(state, detached.kind, detached.holder));
  if (holder->attached.erase(detached.policy) == 0)
    return Error{kNotFound, fmt::format("policy {} is not attached to {}", detached.policy, detached.holder)};
  return {};
}

Result<void> change(Identities& state, const InlinePut& put) {
  MR_ASSIGN(PolicyHolder* const holder, holder_of(state, put.kind, put.holder));
  MR_TRY(check_name("policy name", put.policy, kPolicyNameMax));
  MR_ASSIGN(auto policy, parse_policy(put.document, PolicyKind::kIdentity, kIdentityPolicyBytesMax));
  if (holder->inlined.size() >= kInlinedMax && !holder->inlined.contains(put.policy))
    return Error{kLimit, fmt::format("{} has {} inline policies already", put.holder, kInlinedMax)};
  holder->inlined.insert_or_assign(put.policy, std::move(policy));
  return {};
}

Result<void> change(Identities& state, const InlineDeleted& deleted) {
  MR_ASSIGN(PolicyHolder* const holder, holder_of(state, deleted.kind, deleted.holder));
  if (holder->inlined.erase(deleted.policy) == 0)
    return Error{kNotFound, fmt::format("{} has no inline policy {}", deleted.holder, deleted.policy)};
  return {};
}

// errors   kInvalid: nobody's.  kNotFound: of a user or role who is not there
Result<void> check_owner(const Identities& state, std::string_view owner) {
  constexpr std::size_t kStreamNameMax = 128;
  if (owner == kDefaultQuota) return {};
  const std::string_view kind = owner.substr(0, owner.find('/'));
  const std::string_view name = owner.substr(std::min(kind.size() + 1, owner.size()));
  if (kind == "user") return state.users.contains(name) ? Result<void>{} : not_found("user", name);
  if (kind == "role") return state.roles.contains(name) ? Result<void>{} : not_found("role", name);
  if (kind != "stream") return Error{kInvalid, fmt::format("a quota cannot be of \"{}\"", owner)};
  const bool right =
      !name.empty() && name.size() <= kStreamNameMax && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
               c == '.' || c == '-';
      });
  if (right) return {};
  return Error{kInvalid, fmt::format("stream name \"{}\" must be 1 to {} letters, digits and _.-",
                                     name.substr(0, 200), kStreamNameMax)};
}

Result<void> change(Identities& state, const QuotaPut& put) {
  MR_TRY(check(put.quota));
  MR_TRY(check_owner(state, put.owner));
  if (state.quotas.size() >= kQuotasMax && !state.quotas.contains(put.owner))
    return Error{kLimit, fmt::format("there are {} quotas already", kQuotasMax)};
  state.quotas.insert_or_assign(put.owner, put.quota);
  return {};
}

Result<void> change(Identities& state, const QuotaRemoved& removed) {
  MR_TRY(check_owner(state, removed.owner));
  if (state.quotas.erase(removed.owner) == 0) return not_found("quota of", removed.owner);
  return {};
}

}  // namespace

std::uint64_t memory_bytes(const Identities& identities) {
  constexpr std::uint64_t kTextBytes = 96;  // of a short text with its place in a table
  const auto of_holder = [](const PolicyHolder& holder) {
    // In the state, and once more in the directory that is made of it.
    std::uint64_t bytes = 2 * (sizeof(User) + sizeof(Principal)) + 8 * holder.name.size();
    for (const std::string& name : holder.attached) bytes += 2 * (kTextBytes + name.size());
    for (const auto& [name, policy] : holder.inlined)
      bytes += 2 * (kTextBytes + name.size()) + policy->memory_bytes();
    return bytes;
  };
  std::uint64_t bytes = 0;
  for (const auto& [name, user] : identities.users) {
    bytes += of_holder(user);
    for (const auto& [id, key] : user.keys)
      bytes += 6 * kTextBytes + sizeof(StoredKey) + sizeof(Principal) + 3 * key.sealed_secret.size();
  }
  for (const auto& [name, role] : identities.roles)
    bytes += of_holder(role) + role.trust->memory_bytes() + role.trust_text->capacity();
  for (const auto& [name, managed] : identities.policies)
    bytes += 2 * (kTextBytes + name.size()) + managed.policy->memory_bytes();
  for (const auto& [owner, quota] : identities.quotas)
    bytes += 4 * (kTextBytes + owner.size() + sizeof(Quota));
  return bytes;
}

Result<Identities> apply_change(const Identities& identities, const IdentityChange& entry) {
  Identities changed = identities;
  MR_TRY(std::visit([&](const auto& kind) { return change(changed, kind); }, entry));
  return changed;
}

}  // namespace millrace::identity
