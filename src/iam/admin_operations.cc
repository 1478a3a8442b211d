#include "iam/admin_operations.h"

#include <fmt/format.h>

#include <array>
#include <utility>

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

AdminPlanned add_user(AdminWish& wish) {
  std::string name = wish.text("User");
  std::string id = identity::new_id("AIDA", 17, wish.random);
  return AdminPlan{identity::UserAdded{name, id, wish.now_ms}, {{"User", name}, {"Id", id}}};
}
AdminPlanned remove_user(AdminWish& wish) { return AdminPlan{identity::UserRemoved{wish.text("User")}}; }
AdminPlanned list_users(AdminWish& wish) {
  AdminJson users = AdminJson::array();
  for (const auto& [name, user] : wish.keeper.identities().here()->users)
    users.push_back({{"User", name},
                     {"Id", user.id},
                     {"Keys", user.keys.size()},
                     {"Policies", user.attached},
                     {"InlinePolicies", names_of(user.inlined)}});
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
  if (!user.empty() && !state->users.contains(user))
    return Error{kNotFound, fmt::format("there is no user {}", user)};
  AdminJson keys = AdminJson::array();
  for (const auto& [name, each] : state->users)
    for (const auto& [id, key] : each.keys)
      if (user.empty() || user == name)
        keys.push_back({{"AccessKeyId", id},
                        {"User", name},
                        {"Status", key.active ? "Active" : "Inactive"},
                        {"CreatedMs", key.created_ms}});
  return AdminPlan{std::nullopt, {{"Keys", std::move(keys)}}};
}
AdminPlanned enable_key(AdminWish& wish) {
  return AdminPlan{identity::KeySwitched{wish.text("AccessKeyId"), true}};
}
AdminPlanned disable_key(AdminWish& wish) {
  return AdminPlan{identity::KeySwitched{wish.text("AccessKeyId"), false}};
}
AdminPlanned delete_key(AdminWish& wish) { return AdminPlan{identity::KeyDeleted{wish.text("AccessKeyId")}}; }

AdminPlanned put_policy(AdminWish& wish) {
  return AdminPlan{identity::PolicyPut{wish.text("Policy"), wish.text("Document"), wish.now_ms}};
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

AdminPlanned create_role(AdminWish& wish) {
  std::string name = wish.text("Role");
  std::string id = identity::new_id("AROA", 17, wish.random);
  return AdminPlan{identity::RolePut{true, name, id, wish.text("Trust"),
                                     wish.number("SessionSecondsMax", 3'600), wish.now_ms},
                   {{"Role", name}, {"Id", id}}};
}
AdminPlanned change_role(AdminWish& wish) {
  const std::string name = wish.text("Role");
  const auto state = wish.keeper.identities().here();
  const auto role = state->roles.find(name);
  if (role == state->roles.end()) return Error{kNotFound, fmt::format("there is no role {}", name)};
  std::string trust = wish.text_or_empty("Trust");
  if (trust.empty()) trust = role->second.trust->text();
  return AdminPlan{identity::RolePut{false, name, "", std::move(trust),
                                     wish.number("SessionSecondsMax", role->second.session_s_max),
                                     wish.now_ms}};
}
AdminPlanned remove_role(AdminWish& wish) { return AdminPlan{identity::RoleRemoved{wish.text("Role")}}; }
AdminPlanned get_role(AdminWish& wish) {
  const std::string name = wish.text("Role");
  const auto state = wish.keeper.identities().here();
  const auto role = state->roles.find(name);
  if (role == state->roles.end()) return Error{kNotFound, fmt::format("there is no role {}", name)};
  return AdminPlan{std::nullopt,
                   {{"Role", name},
                    {"Id", role->second.id},
                    {"Trust", role->second.trust->text()},
                    {"SessionSecondsMax", role->second.session_s_max},
                    {"Policies", role->second.attached},
                    {"InlinePolicies", names_of(role->second.inlined)}}};
}
AdminPlanned list_roles(AdminWish& wish) {
  AdminJson roles = AdminJson::array();
  for (const auto& [name, role] : wish.keeper.identities().here()->roles)
    roles.push_back({{"Role", name},
                     {"Id", role.id},
                     {"SessionSecondsMax", role.session_s_max},
                     {"Policies", role.attached},
                     {"InlinePolicies", names_of(role.inlined)}});
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
    AdminOperation{"AddUser", "iam:CreateUser", "user", "User", add_user},
    AdminOperation{"RemoveUser", "iam:DeleteUser", "user", "User", remove_user},
    AdminOperation{"ListUsers", "iam:ListUsers", nullptr, nullptr, list_users},
    AdminOperation{"CreateKey", "iam:CreateAccessKey", "user", "User", create_key},
    AdminOperation{"ListKeys", "iam:ListAccessKeys", "user", "User", list_keys},
    AdminOperation{"EnableKey", "iam:UpdateAccessKey", nullptr, nullptr, enable_key},
    AdminOperation{"DisableKey", "iam:UpdateAccessKey", nullptr, nullptr, disable_key},
    AdminOperation{"DeleteKey", "iam:DeleteAccessKey", nullptr, nullptr, delete_key},
    AdminOperation{"PutPolicy", "iam:CreatePolicyVersion", "policy", "Policy", put_policy},
    AdminOperation{"GetPolicy", "iam:GetPolicy", "policy", "Policy", get_policy, "iam:GetUserPolicy",
                   "iam:GetRolePolicy"},
    AdminOperation{"ListPolicies", "iam:ListPolicies", nullptr, nullptr, list_policies},
    AdminOperation{"DeletePolicy", "iam:DeletePolicy", "policy", "Policy", delete_policy},
    AdminOperation{"AttachPolicy", "iam:AttachUserPolicy", "user", "User", attach_policy, "",
                   "iam:AttachRolePolicy"},
    AdminOperation{"DetachPolicy", "iam:DetachUserPolicy", "user", "User", detach_policy, "",
                   "iam:DetachRolePolicy"},
    AdminOperation{"PutInlinePolicy", "iam:PutUserPolicy", "user", "User", put_inline_policy, "",
                   "iam:PutRolePolicy"},
    AdminOperation{"DeleteInlinePolicy", "iam:DeleteUserPolicy", "user", "User", delete_inline_policy, "",
                   "iam:DeleteRolePolicy"},
    AdminOperation{"CreateRole", "iam:CreateRole", "role", "Role", create_role},
    AdminOperation{"ChangeRole", "iam:UpdateAssumeRolePolicy", "role", "Role", change_role},
    AdminOperation{"RemoveRole", "iam:DeleteRole", "role", "Role", remove_role},
    AdminOperation{"GetRole", "iam:GetRole", "role", "Role", get_role},
    AdminOperation{"ListRoles", "iam:ListRoles", nullptr, nullptr, list_roles},
    AdminOperation{"PutQuota", "millrace:PutQuota", "quota", "Owner", put_quota},
    AdminOperation{"RemoveQuota", "millrace:DeleteQuota", "quota", "Owner", remove_quota},
    AdminOperation{"ListQuotas", "millrace:ListQuotas", nullptr, nullptr, list_quotas},
};

}  // namespace

std::string AdminWish::text(const char* name) {
  const auto found = body.find(name);
  if (found != body.end() && found->is_string() && !found->get_ref<const std::string&>().empty())
    return found->get<std::string>();
  if (wrong.empty()) wrong = fmt::format("{} is missing: must be a text", name);
  return {};
}
std::string AdminWish::text_or_empty(const char* name) {
  return body.contains(name) ? text(name) : std::string();
}
std::int32_t AdminWish::number(const char* name, std::int32_t otherwise) {
  const auto found = body.find(name);
  if (found == body.end()) return otherwise;
  if (found->is_number_integer() && *found >= 0 && *found <= 1'000'000) return found->get<std::int32_t>();
  if (wrong.empty()) wrong = fmt::format("{} must be a number, 0 to 1000000", name);
  return 0;
}
std::uint64_t AdminWish::figure(const identity::QuantityName& name) {
  constexpr std::size_t kShownMax = 40;
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

std::span<const AdminOperation> admin_operations() { return kOperations; }

}  // namespace millrace::iam
