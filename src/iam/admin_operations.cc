#include "iam/admin_operations.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "iam/admin_asks.h"
#include "identity/bound_policy.h"
#include "identity/glob.h"
#include "identity/session.h"

namespace millrace::iam {
namespace {

using enum ErrorKind;

struct Holder {
  identity::HolderKind kind;
  std::string name;
};
Holder holder_of(AdminWish& wish) {
  const bool user = wish.body.contains("User");
  if (user == wish.body.contains("Role") && wish.wrong.empty()) wish.wrong = "say either User or Role";
  return {user ? identity::HolderKind::kUser : identity::HolderKind::kRole,
          wish.text(user ? "User" : "Role")};
}

AdminJson names_of(const auto& named) {
  AdminJson names = AdminJson::array();
  for (const auto& [name, each] : named) names.push_back(name);
  return names;
}

// Names that differ in case alone would be taken for one another.
// source: IAM API reference, CreateUser: "Names are not distinguished by case"
// named   what there is, by its name
Result<void> check_case(const auto& named, std::string_view kind, const std::string& name) {
  for (const auto& [other, each] : named)
    if (other != name && identity::folded(other) == identity::folded(name))
      return Error{kConflict, fmt::format("there is a {} {}: names that differ in case alone are the same",
                                          kind, other)};
  return {};
}

AdminPlanned add_user(AdminWish& wish) {
  std::string name = wish.text("User");
  MR_TRY(check_case(wish.keeper.identities().here()->users, "user", name));
  std::string id = identity::new_id("AIDA", 17, wish.random);
  return AdminPlan{identity::UserAdded{name, id, wish.now_ms}, {{"User", name}, {"Id", id}}};
}
AdminPlanned remove_user(AdminWish& wish) { return AdminPlan{identity::UserRemoved{wish.text("User")}}; }
AdminPlanned list_users(AdminWish& wish) {
  AdminJson users = AdminJson::array();
  for (const auto& [name, user] : wish.keeper.identities().here()->users) {
    AdminJson& shown = users.emplace_back(AdminJson{{"User", name}, {"Id", user.id}});
    const std::string subject = "user/" + name;
    if (wish.may({"iam:ListAccessKeys", subject})) shown["Keys"] = user.keys.size();
    if (wish.may({"iam:ListAttachedUserPolicies", subject})) shown["Policies"] = user.attached;
    if (wish.may({"iam:ListUserPolicies", subject})) shown["InlinePolicies"] = names_of(user.inlined);
  }
  return AdminPlan{std::nullopt, {{"Users", std::move(users)}}};
}

AdminPlanned create_key(AdminWish& wish) {
  std::string user = wish.text("User");
  std::string id = identity::new_id("AKIA", 16, wish.random);
  std::string secret = identity::new_secret(wish.random);
  std::string sealed = wish.keeper.seal().seal(secret, wish.random);
  return AdminPlan{identity::KeyCreated{user, id, std::move(sealed), wish.now_ms},
                   {{"User", user}, {"AccessKeyId", id}, {"SecretAccessKey", secret}}};
}
AdminPlanned list_keys(AdminWish& wish) {
  const std::string user = wish.text_or_empty("User");
  const auto state = wish.keeper.identities().here();
  const auto directory = wish.keeper.directory().here();
  const auto last_used = [&](const std::string& id) -> AdminJson {
    const auto use = directory->key_uses.find(id);
    if (use == directory->key_uses.end() || use->second->last_ms() == 0) return nullptr;
    return use->second->last_ms();
  };
  if (!user.empty() && !state->users.contains(user))
    return Error{kNotFound, fmt::format("there is no user {}", user)};
  AdminJson keys = AdminJson::array();
  for (const auto& [name, each] : state->users) {
    if (!user.empty() ? user != name : !wish.may({"iam:ListAccessKeys", "user/" + name})) continue;
    for (const auto& [id, key] : each.keys)
      keys.push_back({{"AccessKeyId", id},
                      {"User", name},
                      {"Status", key.active ? "Active" : "Inactive"},
                      {"CreatedMs", key.created_ms},
                      {"LastUsedMs", last_used(id)}});
  }
  return AdminPlan{std::nullopt, {{"Keys", std::move(keys)}, {"LastUsedKnownSinceMs", wish.started_ms}}};
}
AdminPlanned enable_key(AdminWish& wish) {
  return AdminPlan{identity::KeySwitched{wish.text("AccessKeyId"), true}};
}
AdminPlanned disable_key(AdminWish& wish) {
  return AdminPlan{identity::KeySwitched{wish.text("AccessKeyId"), false}};
}
AdminPlanned delete_key(AdminWish& wish) { return AdminPlan{identity::KeyDeleted{wish.text("AccessKeyId")}}; }

AdminPlanned put_policy(AdminWish& wish) {
  std::string name = wish.text("Policy");
  MR_TRY(check_case(wish.keeper.identities().here()->policies, "policy", name));
  return AdminPlan{identity::PolicyPut{std::move(name), wish.text("Document"), wish.now_ms}};
}
AdminPlanned get_policy(AdminWish& wish) {
  const std::string name = wish.text("Policy");
  const auto state = wish.keeper.identities().here();
  if (!wish.body.contains("User") && !wish.body.contains("Role")) {
    const auto found = state->policies.find(name);
    if (found == state->policies.end()) return Error{kNotFound, fmt::format("there is no policy {}", name)};
    return AdminPlan{std::nullopt, {{"Policy", name}, {"Document", found->second.policy->text()}}};
  }
  const Holder holder = holder_of(wish);
  const identity::PolicyHolder* found = nullptr;
  if (const auto user = state->users.find(holder.name);
      holder.kind == identity::HolderKind::kUser && user != state->users.end())
    found = &user->second;
  if (const auto role = state->roles.find(holder.name);
      holder.kind == identity::HolderKind::kRole && role != state->roles.end())
    found = &role->second;
  if (found == nullptr || !found->inlined.contains(name))
    return Error{kNotFound, fmt::format("{} has no inline policy {}", holder.name, name)};
  return AdminPlan{std::nullopt, {{"Policy", name}, {"Document", found->inlined.at(name)->text()}}};
}
AdminPlanned list_policies(AdminWish& wish) {
  const auto state = wish.keeper.identities().here();
  AdminJson policies = AdminJson::array();
  for (const auto& [name, policy] : state->policies) {
    if (!wish.may({"iam:ListEntitiesForPolicy", "policy/" + name})) {
      policies.push_back({{"Policy", name}});
      continue;
    }
    AdminJson holders = AdminJson::array();
    for (const auto& [user, each] : state->users)
      if (each.attached.contains(name)) holders.push_back("user/" + user);
    for (const auto& [role, each] : state->roles)
      if (each.attached.contains(name)) holders.push_back("role/" + role);
    policies.push_back({{"Policy", name}, {"AttachedTo", std::move(holders)}});
  }
  return AdminPlan{std::nullopt, {{"Policies", std::move(policies)}}};
}
AdminPlanned delete_policy(AdminWish& wish) {
  return AdminPlan{identity::PolicyDeleted{wish.text("Policy")}};
}
AdminPlanned attach_policy(AdminWish& wish) {
  Holder holder = holder_of(wish);
  return AdminPlan{identity::PolicyAttached{holder.kind, std::move(holder.name), wish.text("Policy")}};
}
AdminPlanned detach_policy(AdminWish& wish) {
  Holder holder = holder_of(wish);
  return AdminPlan{identity::PolicyDetached{holder.kind, std::move(holder.name), wish.text("Policy")}};
}
AdminPlanned put_inline_policy(AdminWish& wish) {
  Holder holder = holder_of(wish);
  return AdminPlan{
      identity::InlinePut{holder.kind, std::move(holder.name), wish.text("Policy"), wish.text("Document")}};
}
AdminPlanned delete_inline_policy(AdminWish& wish) {
  Holder holder = holder_of(wish);
  return AdminPlan{identity::InlineDeleted{holder.kind, std::move(holder.name), wish.text("Policy")}};
}

// A trust policy as it is stored. One that is no policy is left to be refused where it is put.
Result<std::string> bound_trust(const AdminWish& wish, std::string document) {
  const auto policy =
      identity::parse_policy(document, identity::PolicyKind::kTrust, identity::kTrustPolicyBytesMax);
  if (!policy.ok()) return policy.error();
  return identity::bind_principals(std::move(document), **policy, *wish.keeper.directory().here());
}

AdminPlanned create_role(AdminWish& wish) {
  std::string name = wish.text("Role");
  std::string document = wish.text("Trust");
  if (!wish.wrong.empty()) return AdminPlan{};
  MR_ASSIGN(std::string trust, bound_trust(wish, std::move(document)));
  MR_TRY(check_case(wish.keeper.identities().here()->roles, "role", name));
  std::string id = identity::new_id("AROA", 17, wish.random);
  return AdminPlan{identity::RolePut{true, name, id, std::move(trust),
                                     wish.number("SessionSecondsMax", 3'600), wish.now_ms},
                   {{"Role", name}, {"Id", id}}};
}
AdminPlanned change_role(AdminWish& wish) {
  const std::string name = wish.text("Role");
  const auto state = wish.keeper.identities().here();
  const auto role = state->roles.find(name);
  if (role == state->roles.end()) return Error{kNotFound, fmt::format("there is no role {}", name)};
  std::string trust = wish.text_or_empty("Trust");
  if (!wish.wrong.empty()) return AdminPlan{};
  if (trust.empty()) {
    trust = role->second.trust->text();
  } else {
    MR_ASSIGN(trust, bound_trust(wish, std::move(trust)));
  }
  return AdminPlan{identity::RolePut{false, name, "", std::move(trust),
                                     wish.number("SessionSecondsMax", role->second.session_s_max),
                                     wish.now_ms}};
}
AdminPlanned remove_role(AdminWish& wish) { return AdminPlan{identity::RoleRemoved{wish.text("Role")}}; }
void show_policies(const AdminWish& wish, const identity::Role& role, AdminJson& shown) {
  const std::string subject = "role/" + role.name;
  if (wish.may({"iam:ListAttachedRolePolicies", subject})) shown["Policies"] = role.attached;
  if (wish.may({"iam:ListRolePolicies", subject})) shown["InlinePolicies"] = names_of(role.inlined);
}
AdminPlanned get_role(AdminWish& wish) {
  const std::string name = wish.text("Role");
  const auto state = wish.keeper.identities().here();
  const auto role = state->roles.find(name);
  if (role == state->roles.end()) return Error{kNotFound, fmt::format("there is no role {}", name)};
  AdminJson shown = {{"Role", name},
                     {"Id", role->second.id},
                     {"Trust", identity::document_of(role->second.trust->text())},
                     {"SessionSecondsMax", role->second.session_s_max}};
  show_policies(wish, role->second, shown);
  return AdminPlan{std::nullopt, std::move(shown)};
}
AdminPlanned list_roles(AdminWish& wish) {
  AdminJson roles = AdminJson::array();
  for (const auto& [name, role] : wish.keeper.identities().here()->roles)
    show_policies(wish, role,
                  roles.emplace_back(
                      AdminJson{{"Role", name}, {"Id", role.id}, {"SessionSecondsMax", role.session_s_max}}));
  return AdminPlan{std::nullopt, {{"Roles", std::move(roles)}}};
}

AdminPlanned put_quota(AdminWish& wish) {
  identity::QuotaPut put{wish.text("Owner"), {}};
  for (std::size_t i = 0; i < identity::kQuantities; ++i)
    put.quota.a_second[i] = wish.figure(identity::name_of(static_cast<identity::Quantity>(i)));
  return AdminPlan{std::move(put)};
}
AdminPlanned remove_quota(AdminWish& wish) { return AdminPlan{identity::QuotaRemoved{wish.text("Owner")}}; }
AdminPlanned list_quotas(AdminWish& wish) {
  AdminJson quotas = AdminJson::array();
  for (const auto& [owner, quota] : wish.keeper.identities().here()->quotas) {
    AdminJson& json = quotas.emplace_back(AdminJson{{"Owner", owner}});
    for (std::size_t i = 0; i < identity::kQuantities; ++i)
      if (quota.a_second[i] != 0)
        json[std::string(identity::name_of(static_cast<identity::Quantity>(i)).field)] = quota.a_second[i];
  }
  return AdminPlan{std::nullopt, {{"Quotas", std::move(quotas)}}};
}

constexpr std::array kOperations = {
    AdminOperation{"AddUser", asks_to_add_user, add_user},
    AdminOperation{"RemoveUser", asks_to_remove_user, remove_user},
    AdminOperation{"ListUsers", asks_to_list_users, list_users},
    AdminOperation{"CreateKey", asks_to_create_key, create_key},
    AdminOperation{"ListKeys", asks_to_list_keys, list_keys},
    AdminOperation{"EnableKey", asks_to_switch_key, enable_key},
    AdminOperation{"DisableKey", asks_to_switch_key, disable_key},
    AdminOperation{"DeleteKey", asks_to_delete_key, delete_key},
    AdminOperation{"PutPolicy", asks_to_put_policy, put_policy},
    AdminOperation{"GetPolicy", asks_to_get_policy, get_policy},
    AdminOperation{"ListPolicies", asks_to_list_policies, list_policies},
    AdminOperation{"DeletePolicy", asks_to_delete_policy, delete_policy},
    AdminOperation{"AttachPolicy", asks_to_attach_policy, attach_policy},
    AdminOperation{"DetachPolicy", asks_to_detach_policy, detach_policy},
    AdminOperation{"PutInlinePolicy", asks_to_put_inline_policy, put_inline_policy},
    AdminOperation{"DeleteInlinePolicy", asks_to_delete_inline_policy, delete_inline_policy},
    AdminOperation{"CreateRole", asks_to_create_role, create_role},
    AdminOperation{"ChangeRole", asks_to_change_role, change_role},
    AdminOperation{"RemoveRole", asks_to_remove_role, remove_role},
    AdminOperation{"GetRole", asks_to_get_role, get_role},
    AdminOperation{"ListRoles", asks_to_list_roles, list_roles},
    AdminOperation{"PutQuota", asks_to_put_quota, put_quota, false},
    AdminOperation{"RemoveQuota", asks_to_remove_quota, remove_quota, false},
    AdminOperation{"ListQuotas", asks_to_list_quotas, list_quotas, false},
};

}  // namespace

std::string AdminWish::text(const char* name) {
  read.insert(name);
  const auto found = body.find(name);
  if (found != body.end() && found->is_string() && !found->get_ref<const std::string&>().empty())
    return found->get<std::string>();
  if (wrong.empty()) wrong = fmt::format("{} is missing: must be a text", name);
  return {};
}
std::string AdminWish::text_or_empty(const char* name) {
  read.insert(name);
  return body.contains(name) ? text(name) : std::string();
}
std::int32_t AdminWish::number(const char* name, std::int32_t otherwise) {
  read.insert(name);
  const auto found = body.find(name);
  if (found == body.end()) return otherwise;
  if (found->is_number_integer() && *found >= 0 && *found <= 1'000'000) return found->get<std::int32_t>();
  if (wrong.empty()) wrong = fmt::format("{} must be a number, 0 to 1000000", name);
  return 0;
}
std::uint64_t AdminWish::figure(const identity::QuantityName& name) {
  constexpr std::size_t kShownMax = 40;
  read.emplace(name.field);
  const auto found = body.find(name.field);
  if (found == body.end()) return 0;
  const std::uint64_t value = found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
  if (value >= 1 && value <= name.a_second_max) return value;
  if (wrong.empty())
    wrong = fmt::format("{} is {}: must be a whole number, 1 to {}", name.field,
                        found->dump(-1, ' ', true, AdminJson::error_handler_t::replace).substr(0, kShownMax),
                        name.a_second_max);
  return 0;
}

void AdminWish::refuse_unread() {
  constexpr std::size_t kShownMax = 100;
  for (const auto& [name, value] : body.items())
    if (wrong.empty() && !read.contains(name))
      wrong = fmt::format("{} is no member of this request", name.substr(0, kShownMax));
}

std::span<const AdminOperation> admin_operations() { return kOperations; }

}  // namespace millrace::iam
