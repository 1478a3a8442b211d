#include "identity/directory.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace millrace::identity {
namespace {

std::vector<NamedPolicy> policies_of(const PolicyHolder& holder, const Identities& identities) {
  std::vector<NamedPolicy> policies;
  for (const std::string& name : holder.attached) {
    const auto managed = identities.policies.find(name);
    MR_ASSERT(managed != identities.policies.end());  // what is attached cannot be deleted
    policies.push_back({"policy/" + name, managed->second.policy});
  }
  for (const auto& [name, policy] : holder.inlined) policies.push_back({"inline/" + name, policy});
  return policies;
}

bool are_same(const std::vector<NamedPolicy>& a, const std::vector<NamedPolicy>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const NamedPolicy& x, const NamedPolicy& y) {
    return x.policy == y.policy && x.name == y.name;
  });
}

// nullptr: there was none such
std::shared_ptr<const Principal> same_user(const Directory* before, const User& user,
                                           const std::vector<NamedPolicy>& policies) {
  if (before == nullptr) return nullptr;
  const auto found = before->users.find(user.id);
  if (found == before->users.end()) return nullptr;
  const Principal& known = *found->second;
  return known.name == user.name && are_same(known.policies, policies) ? found->second : nullptr;
}

const AccessKey* same_key(const Directory& before, const User& user, const StoredKey& key) {
  const auto found = before.keys.find(key.id);
  if (found == before.keys.end()) return nullptr;
  const AccessKey& known = found->second;
  return known.sealed_secret == key.sealed_secret && known.principal->id == user.id ? &known : nullptr;
}

std::shared_ptr<KeyUse> use_of(const Directory* before, const std::string& key) {
  if (before != nullptr)
    if (const auto known = before->key_uses.find(key); known != before->key_uses.end()) return known->second;
  return std::make_shared<KeyUse>();
}

}  // namespace

std::string iam_arn(std::string_view account, std::string_view kind, std::string_view name) {
  return fmt::format("arn:aws:iam::{}:{}/{}", account, kind, name);
}

std::shared_ptr<const Principal> root_principal(std::string account, std::string access_key) {
  auto root = std::make_shared<Principal>();
  root->kind = Principal::Kind::kRoot;
  root->arn = fmt::format("arn:aws:iam::{}:root", account);
  root->id = account;
  root->name = "root";
  root->account = std::move(account);
  root->access_key = std::move(access_key);
  root->serial = next_serial();
  return root;
}

std::shared_ptr<const Principal> unchecked_principal() {
  static const auto everybody = [] {
    auto made = std::make_shared<Principal>();
    made->serial = next_serial();
    return std::shared_ptr<const Principal>(std::move(made));
  }();
  return everybody;
}

Result<std::shared_ptr<const Directory>> make_directory(const Identities& identities, const Seal& secrets,
                                                        std::string account, const RootKey& root,
                                                        const Directory* before) {
  auto directory = std::make_shared<Directory>();
  directory->serial = next_serial();
  directory->checks_signatures = !root.access_key.empty();
  for (const auto& [name, user] : identities.users) {
    Principal principal;
    principal.policies = policies_of(user, identities);
    const auto same = same_user(before, user, principal.policies);
    principal.kind = Principal::Kind::kUser;
    principal.account = account;
    principal.arn = iam_arn(account, "user", name);
    principal.id = user.id;
    principal.name = name;
    for (const auto& [id, key] : user.keys) {
      const std::shared_ptr<KeyUse>& use = directory->key_uses.emplace(id, use_of(before, id)).first->second;
      if (const AccessKey* known = same != nullptr ? same_key(*before, user, key) : nullptr;
          known != nullptr && key.active) {
        directory->keys.emplace(id, *known);
        continue;
      }
      const auto secret = secrets.open(key.sealed_secret);
      if (!secret.has_value())
        return Error{
            ErrorKind::kCorrupt,
            fmt::format("the secret of access key {} does not open with the server's key for identities",
                        id)};
      if (!key.active) continue;
      auto own = std::make_shared<Principal>(principal);
      own->access_key = id;
      own->serial = next_serial();
      directory->keys.emplace(id, AccessKey{*secret, "", std::move(own), key.sealed_secret, use});
    }
    if (same != nullptr) {
      directory->users.emplace(user.id, same);
      continue;
    }
    principal.serial = next_serial();
    directory->users.emplace(user.id, std::make_shared<const Principal>(std::move(principal)));
  }
  for (const auto& [name, role] : identities.roles) {
    directory->roles.emplace(
        role.id, RoleEntry{name, role.id, iam_arn(account, "role", name), role.trust_text, role.session_s_max,
                           policies_of(role, identities)});
    directory->role_ids.emplace(name, role.id);
  }
  for (const auto& [name, managed] : identities.policies) directory->policies.emplace(name, managed.policy);
  // Last, so that no user's key can take its place.
  if (!root.access_key.empty())
    directory->keys.insert_or_assign(
        root.access_key, AccessKey{root.secret_key, "", root_principal(account, root.access_key)});
  directory->account = std::move(account);
  return std::shared_ptr<const Directory>(std::move(directory));
}

}  // namespace millrace::identity
