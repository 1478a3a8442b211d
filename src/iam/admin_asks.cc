#include "iam/admin_asks.h"

#include <utility>

namespace millrace::iam {
namespace {

// Empty where the member is not a string; the operation then fails before it does anything.
std::string name_in(const AdminWish& wish, const char* field) {
  const auto found = wish.body.find(field);
  return found != wish.body.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// "user/alice" of the request's member User; empty as name_in().
std::string subject(const AdminWish& wish, std::string_view kind, const char* field) {
  std::string name = name_in(wish, field);
  return name.empty() ? name : std::string(kind) + "/" + name;
}
std::string user_of(const AdminWish& wish) { return subject(wish, "user", "User"); }
std::string role_of(const AdminWish& wish) { return subject(wish, "role", "Role"); }
std::string policy_of(const AdminWish& wish) { return subject(wish, "policy", "Policy"); }

// The user that a key belongs to. For a key that does not exist: all users, so that only callers with rights
// on all of them learn that.
std::string owner_of_key(const AdminWish& wish) {
  const auto state = wish.keeper.identities().here();
  const auto owner = state->key_owners.find(name_in(wish, "AccessKeyId"));
  return owner == state->key_owners.end() ? std::string(kEveryUser) : "user/" + owner->second;
}

AdminAsk of_holder(const AdminWish& wish, std::string_view user_action, std::string_view role_action) {
  if (wish.body.contains("Role")) return {role_action, role_of(wish)};
  return {user_action, user_of(wish)};
}

// What is removed along with a user or a role.
void ask_for_rest(const identity::PolicyHolder& holder, const std::string& subject, bool has_quota,
                  std::pair<std::string_view, std::string_view> detach_and_delete, AdminAsks& asks) {
  for (const std::string& name : holder.attached) asks.push_back({detach_and_delete.first, subject, name});
  if (!holder.inlined.empty()) asks.push_back({detach_and_delete.second, subject});
  if (has_quota) asks.push_back({"millrace:DeleteQuota", "quota/" + subject});
}

}  // namespace

AdminAsks asks_to_add_user(const AdminWish& wish) { return {{"iam:CreateUser", user_of(wish)}}; }
AdminAsks asks_to_remove_user(const AdminWish& wish) {
  const std::string removed = user_of(wish);
  AdminAsks asks = {{"iam:DeleteUser", removed}};
  const auto state = wish.keeper.identities().here();
  const auto user = state->users.find(name_in(wish, "User"));
  if (user == state->users.end()) return asks;
  if (!user->second.keys.empty()) asks.push_back({"iam:DeleteAccessKey", removed});
  ask_for_rest(user->second, removed, state->quotas.contains(removed),
               {"iam:DetachUserPolicy", "iam:DeleteUserPolicy"}, asks);
  return asks;
}
AdminAsks asks_to_list_users(const AdminWish&) { return {{"iam:ListUsers", ""}}; }

AdminAsks asks_to_create_key(const AdminWish& wish) { return {{"iam:CreateAccessKey", user_of(wish)}}; }
AdminAsks asks_to_list_keys(const AdminWish& wish) {
  if (wish.body.contains("User")) return {{"iam:ListAccessKeys", user_of(wish)}};
  for (const auto& [name, user] : wish.keeper.identities().here()->users) {
    AdminAsk ask{"iam:ListAccessKeys", "user/" + name};
    if (wish.may(ask)) return {std::move(ask)};
  }
  return {{"iam:ListAccessKeys", std::string(kEveryUser)}};
}
AdminAsks asks_to_switch_key(const AdminWish& wish) { return {{"iam:UpdateAccessKey", owner_of_key(wish)}}; }
AdminAsks asks_to_delete_key(const AdminWish& wish) { return {{"iam:DeleteAccessKey", owner_of_key(wish)}}; }

AdminAsks asks_to_put_policy(const AdminWish& wish) {
  const bool exists = wish.keeper.identities().here()->policies.contains(name_in(wish, "Policy"));
  return {{exists ? "iam:CreatePolicyVersion" : "iam:CreatePolicy", policy_of(wish)}};
}
AdminAsks asks_to_get_policy(const AdminWish& wish) {
  if (wish.body.contains("User") || wish.body.contains("Role"))
    return {of_holder(wish, "iam:GetUserPolicy", "iam:GetRolePolicy")};
  return {{"iam:GetPolicy", policy_of(wish)}, {"iam:GetPolicyVersion", policy_of(wish)}};
}
AdminAsks asks_to_list_policies(const AdminWish&) { return {{"iam:ListPolicies", ""}}; }
AdminAsks asks_to_delete_policy(const AdminWish& wish) { return {{"iam:DeletePolicy", policy_of(wish)}}; }
AdminAsks asks_to_attach_policy(const AdminWish& wish) {
  AdminAsk ask = of_holder(wish, "iam:AttachUserPolicy", "iam:AttachRolePolicy");
  ask.policy = name_in(wish, "Policy");
  return {std::move(ask)};
}
AdminAsks asks_to_detach_policy(const AdminWish& wish) {
  AdminAsk ask = of_holder(wish, "iam:DetachUserPolicy", "iam:DetachRolePolicy");
  ask.policy = name_in(wish, "Policy");
  return {std::move(ask)};
}
AdminAsks asks_to_put_inline_policy(const AdminWish& wish) {
  return {of_holder(wish, "iam:PutUserPolicy", "iam:PutRolePolicy")};
}
AdminAsks asks_to_delete_inline_policy(const AdminWish& wish) {
  return {of_holder(wish, "iam:DeleteUserPolicy", "iam:DeleteRolePolicy")};
}

AdminAsks asks_to_create_role(const AdminWish& wish) { return {{"iam:CreateRole", role_of(wish)}}; }
AdminAsks asks_to_change_role(const AdminWish& wish) {
  AdminAsks asks;
  if (wish.body.contains("Trust")) asks.push_back({"iam:UpdateAssumeRolePolicy", role_of(wish)});
  if (wish.body.contains("SessionSecondsMax") || asks.empty())
    asks.push_back({"iam:UpdateRole", role_of(wish)});
  return asks;
}
AdminAsks asks_to_remove_role(const AdminWish& wish) {
  const std::string removed = role_of(wish);
  AdminAsks asks = {{"iam:DeleteRole", removed}};
  const auto state = wish.keeper.identities().here();
  const auto role = state->roles.find(name_in(wish, "Role"));
  if (role != state->roles.end())
    ask_for_rest(role->second, removed, state->quotas.contains(removed),
                 {"iam:DetachRolePolicy", "iam:DeleteRolePolicy"}, asks);
  return asks;
}
AdminAsks asks_to_get_role(const AdminWish& wish) { return {{"iam:GetRole", role_of(wish)}}; }
AdminAsks asks_to_list_roles(const AdminWish&) { return {{"iam:ListRoles", ""}}; }

AdminAsks asks_to_put_quota(const AdminWish& wish) {
  return {{"millrace:PutQuota", subject(wish, "quota", "Owner")}};
}
AdminAsks asks_to_remove_quota(const AdminWish& wish) {
  return {{"millrace:DeleteQuota", subject(wish, "quota", "Owner")}};
}
AdminAsks asks_to_list_quotas(const AdminWish&) { return {{"millrace:ListQuotas", ""}}; }

}  // namespace millrace::iam
