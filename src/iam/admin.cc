#include "iam/admin.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "api/access.h"
#include "identity/session.h"

namespace millrace::iam {

namespace {

using enum ErrorKind;
using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, 1> kServices = {"millrace"};
constexpr std::size_t kBodyBytesMax = 64 * 1'024;

struct Wish {
  Keeper& keeper;
  Random& random;
  std::int64_t now_ms;
  const Json& body;
  std::string wrong = {};  // set when a field is missing or of the wrong type

  std::string text(const char* name) {
    const auto found = body.find(name);
    if (found != body.end() && found->is_string() && !found->get_ref<const std::string&>().empty())
      return found->get<std::string>();
    if (wrong.empty()) wrong = fmt::format("{} is missing: must be a text", name);
    return {};
  }
  std::string text_or_empty(const char* name) { return body.contains(name) ? text(name) : std::string(); }
  std::int32_t number(const char* name, std::int32_t otherwise) {
    const auto found = body.find(name);
    if (found == body.end()) return otherwise;
    if (found->is_number_integer() && *found >= 0 && *found <= 1'000'000) return found->get<std::int32_t>();
    if (wrong.empty()) wrong = fmt::format("{} must be a number, 0 to 1000000", name);
    return 0;
  }
  // 0 where it is absent.
  std::uint64_t figure(const identity::QuantityName& name) {
    constexpr std::size_t kShownMax = 40;
    const auto found = body.find(name.field);
    if (found == body.end()) return 0;
    const std::uint64_t value = found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
    if (value >= 1 && value <= name.a_second_max) return value;
    if (wrong.empty())
      wrong = fmt::format("{} is {}: must be a whole number, 1 to {}", name.field,
                          found->dump(-1, ' ', true, Json::error_handler_t::replace).substr(0, kShownMax),
                          name.a_second_max);
    return 0;
  }
};

struct Holder {
  identity::HolderKind kind;
  std::string name;
};
Holder holder_of(Wish& wish) {
  const bool user = wish.body.contains("User");
  if (user == wish.body.contains("Role") && wish.wrong.empty()) wish.wrong = "say either User or Role";
  return {user ? identity::HolderKind::kUser : identity::HolderKind::kRole,
          wish.text(user ? "User" : "Role")};
}

Json names_of(const auto& named) {
  Json names = Json::array();
  for (const auto& [name, each] : named) names.push_back(name);
  return names;
}

// What an operation is going to do. A change, and what is answered once it is made; or an answer alone.
struct Plan {
  std::optional<identity::IdentityChange> change;
  Json answer = Json::object();
};
using Planned = Result<Plan>;

Planned add_user(Wish& wish) {
  std::string name = wish.text("User");
  std::string id = identity::new_id("AIDA", 17, wish.random);
  return Plan{identity::UserAdded{name, id, wish.now_ms}, {{"User", name}, {"Id", id}}};
}
Planned remove_user(Wish& wish) { return Plan{identity::UserRemoved{wish.text("User")}}; }
Planned list_users(Wish& wish) {
  Json users = Json::array();
  for (const auto& [name, user] : wish.keeper.identities().here()->users)
    users.push_back({{"User", name},
                     {"Id", user.id},
                     {"Keys", user.keys.size()},
                     {"Policies", user.attached},
                     {"InlinePolicies", names_of(user.inlined)}});
  return Plan{std::nullopt, {{"Users", std::move(users)}}};
}

Planned create_key(Wish& wish) {
  std::string user = wish.text("User");
  std::string id = identity::new_id("AKIA", 16, wish.random);
  std::string secret = identity::new_secret(wish.random);
  std::string sealed = wish.keeper.seal().seal(secret, wish.random);
  return Plan{identity::KeyCreated{user, id, std::move(sealed), wish.now_ms},
              {{"User", user}, {"AccessKeyId", id}, {"SecretAccessKey", secret}}};
}
Planned list_keys(Wish& wish) {
  const std::string user = wish.text_or_empty("User");
  const auto state = wish.keeper.identities().here();
  if (!user.empty() && !state->users.contains(user))
    return Error{kNotFound, fmt::format("there is no user {}", user)};
  Json keys = Json::array();
  for (const auto& [name, each] : state->users)
    for (const auto& [id, key] : each.keys)
      if (user.empty() || user == name)
        keys.push_back({{"AccessKeyId", id},
                        {"User", name},
                        {"Status", key.active ? "Active" : "Inactive"},
                        {"CreatedMs", key.created_ms}});
  return Plan{std::nullopt, {{"Keys", std::move(keys)}}};
}
Planned enable_key(Wish& wish) { return Plan{identity::KeySwitched{wish.text("AccessKeyId"), true}}; }
Planned disable_key(Wish& wish) { return Plan{identity::KeySwitched{wish.text("AccessKeyId"), false}}; }
Planned delete_key(Wish& wish) { return Plan{identity::KeyDeleted{wish.text("AccessKeyId")}}; }

Planned put_policy(Wish& wish) {
  return Plan{identity::PolicyPut{wish.text("Policy"), wish.text("Document"), wish.now_ms}};
}
Planned get_policy(Wish& wish) {
  const std::string name = wish.text("Policy");
  const auto state = wish.keeper.identities().here();
  if (!wish.body.contains("User") && !wish.body.contains("Role")) {
    const auto found = state->policies.find(name);
    if (found == state->policies.end()) return Error{kNotFound, fmt::format("there is no policy {}", name)};
    return Plan{std::nullopt, {{"Policy", name}, {"Document", found->second.policy->text()}}};
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
  return Plan{std::nullopt, {{"Policy", name}, {"Document", found->inlined.at(name)->text()}}};
}
Planned list_policies(Wish& wish) {
  const auto state = wish.keeper.identities().here();
  Json policies = Json::array();
  for (const auto& [name, policy] : state->policies) {
    Json holders = Json::array();
    for (const auto& [user, each] : state->users)
      if (each.attached.contains(name)) holders.push_back("user/" + user);
    for (const auto& [role, each] : state->roles)
      if (each.attached.contains(name)) holders.push_back("role/" + role);
    policies.push_back({{"Policy", name}, {"AttachedTo", std::move(holders)}});
  }
  return Plan{std::nullopt, {{"Policies", std::move(policies)}}};
}
Planned delete_policy(Wish& wish) { return Plan{identity::PolicyDeleted{wish.text("Policy")}}; }
Planned attach_policy(Wish& wish) {
  Holder holder = holder_of(wish);
  return Plan{identity::PolicyAttached{holder.kind, std::move(holder.name), wish.text("Policy")}};
}
Planned detach_policy(Wish& wish) {
  Holder holder = holder_of(wish);
  return Plan{identity::PolicyDetached{holder.kind, std::move(holder.name), wish.text("Policy")}};
}
Planned put_inline_policy(Wish& wish) {
  Holder holder = holder_of(wish);
  return Plan{
      identity::InlinePut{holder.kind, std::move(holder.name), wish.text("Policy"), wish.text("Document")}};
}
Planned delete_inline_policy(Wish& wish) {
  Holder holder = holder_of(wish);
  return Plan{identity::InlineDeleted{holder.kind, std::move(holder.name), wish.text("Policy")}};
}

Planned create_role(Wish& wish) {
  std::string name = wish.text("Role");
  std::string id = identity::new_id("AROA", 17, wish.random);
  return Plan{identity::RolePut{true, name, id, wish.text("Trust"), wish.number("SessionSecondsMax", 3'600),
                                wish.now_ms},
              {{"Role", name}, {"Id", id}}};
}
Planned change_role(Wish& wish) {
  const std::string name = wish.text("Role");
  const auto state = wish.keeper.identities().here();
  const auto role = state->roles.find(name);
  if (role == state->roles.end()) return Error{kNotFound, fmt::format("there is no role {}", name)};
  std::string trust = wish.text_or_empty("Trust");
  if (trust.empty()) trust = role->second.trust->text();
  return Plan{identity::RolePut{false, name, "", std::move(trust),
                                wish.number("SessionSecondsMax", role->second.session_s_max), wish.now_ms}};
}
Planned remove_role(Wish& wish) { return Plan{identity::RoleRemoved{wish.text("Role")}}; }
Planned get_role(Wish& wish) {
  const std::string name = wish.text("Role");
  const auto state = wish.keeper.identities().here();
  const auto role = state->roles.find(name);
  if (role == state->roles.end()) return Error{kNotFound, fmt::format("there is no role {}", name)};
  return Plan{std::nullopt,
              {{"Role", name},
               {"Id", role->second.id},
               {"Trust", role->second.trust->text()},
               {"SessionSecondsMax", role->second.session_s_max},
               {"Policies", role->second.attached},
               {"InlinePolicies", names_of(role->second.inlined)}}};
}
Planned list_roles(Wish& wish) {
  Json roles = Json::array();
  for (const auto& [name, role] : wish.keeper.identities().here()->roles)
    roles.push_back({{"Role", name},
                     {"Id", role.id},
                     {"SessionSecondsMax", role.session_s_max},
                     {"Policies", role.attached},
                     {"InlinePolicies", names_of(role.inlined)}});
  return Plan{std::nullopt, {{"Roles", std::move(roles)}}};
}

Planned put_quota(Wish& wish) {
  identity::QuotaPut put{wish.text("Owner"), {}};
  for (std::size_t i = 0; i < identity::kQuantities; ++i)
    put.quota.a_second[i] = wish.figure(identity::name_of(static_cast<identity::Quantity>(i)));
  return Plan{std::move(put)};
}
Planned remove_quota(Wish& wish) { return Plan{identity::QuotaRemoved{wish.text("Owner")}}; }
Planned list_quotas(Wish& wish) {
  Json quotas = Json::array();
  for (const auto& [owner, quota] : wish.keeper.identities().here()->quotas) {
    Json& json = quotas.emplace_back(Json{{"Owner", owner}});
    for (std::size_t i = 0; i < identity::kQuantities; ++i)
      if (quota.a_second[i] != 0)
        json[std::string(identity::name_of(static_cast<identity::Quantity>(i)).field)] = quota.a_second[i];
  }
  return Plan{std::nullopt, {{"Quotas", std::move(quotas)}}};
}

// What of the request names the resource: kind and field; nullptr: "*". Where the request names a user or a
// role, another action may stand in its place, and is on that user or role.
struct Operation {
  std::string_view name, action;
  const char* kind;
  const char* field;
  Planned (*plan)(Wish&);
  std::string_view user_action = {}, role_action = {};
};
constexpr std::array kOperations = {
    Operation{"AddUser", "iam:CreateUser", "user", "User", add_user},
    Operation{"RemoveUser", "iam:DeleteUser", "user", "User", remove_user},
    Operation{"ListUsers", "iam:ListUsers", nullptr, nullptr, list_users},
    Operation{"CreateKey", "iam:CreateAccessKey", "user", "User", create_key},
    Operation{"ListKeys", "iam:ListAccessKeys", "user", "User", list_keys},
    Operation{"EnableKey", "iam:UpdateAccessKey", nullptr, nullptr, enable_key},
    Operation{"DisableKey", "iam:UpdateAccessKey", nullptr, nullptr, disable_key},
    Operation{"DeleteKey", "iam:DeleteAccessKey", nullptr, nullptr, delete_key},
    Operation{"PutPolicy", "iam:CreatePolicyVersion", "policy", "Policy", put_policy},
    Operation{"GetPolicy", "iam:GetPolicy", "policy", "Policy", get_policy, "iam:GetUserPolicy",
              "iam:GetRolePolicy"},
    Operation{"ListPolicies", "iam:ListPolicies", nullptr, nullptr, list_policies},
    Operation{"DeletePolicy", "iam:DeletePolicy", "policy", "Policy", delete_policy},
    Operation{"AttachPolicy", "iam:AttachUserPolicy", "user", "User", attach_policy, "",
              "iam:AttachRolePolicy"},
    Operation{"DetachPolicy", "iam:DetachUserPolicy", "user", "User", detach_policy, "",
              "iam:DetachRolePolicy"},
    Operation{"PutInlinePolicy", "iam:PutUserPolicy", "user", "User", put_inline_policy, "",
              "iam:PutRolePolicy"},
    Operation{"DeleteInlinePolicy", "iam:DeleteUserPolicy", "user", "User", delete_inline_policy, "",
              "iam:DeleteRolePolicy"},
    Operation{"CreateRole", "iam:CreateRole", "role", "Role", create_role},
    Operation{"ChangeRole", "iam:UpdateAssumeRolePolicy", "role", "Role", change_role},
    Operation{"RemoveRole", "iam:DeleteRole", "role", "Role", remove_role},
    Operation{"GetRole", "iam:GetRole", "role", "Role", get_role},
    Operation{"ListRoles", "iam:ListRoles", nullptr, nullptr, list_roles},
    Operation{"PutQuota", "millrace:PutQuota", "quota", "Owner", put_quota},
    Operation{"RemoveQuota", "millrace:DeleteQuota", "quota", "Owner", remove_quota},
    Operation{"ListQuotas", "millrace:ListQuotas", nullptr, nullptr, list_quotas},
};
// Quotas are of streams, too.
bool is_of_users(const Operation& operation) { return operation.action.starts_with("iam:"); }

int status_of(ErrorKind kind) {
  switch (kind) {
    case kInvalid:
      return 400;
    case kNotFound:
      return 404;
    case kConflict:
    case kLimit:
      return 409;
    case kThrottled:
    case kUnavailable:
      return 503;
    case kUnknown:
    case kFenced:
    case kCorrupt:
    case kKeyNotFound:  // of no call that is made here, as the next ones
    case kKeyDisabled:
    case kKeyInvalidState:
    case kKeyDenied:
    case kKeyOptIn:
    case kKeyThrottled:
      return 500;
  }
  MR_ASSERT(false);
  __builtin_unreachable();
}

net::Response response_of(int status, const Json& json) {
  net::Response response;
  response.status = status;
  response.headers.emplace_back("Content-Type", "application/json");
  response.headers.emplace_back("Cache-Control", "no-store");
  response.body = Bytes(json.dump(-1, ' ', false, Json::error_handler_t::replace));
  return response;
}
net::Response refusal(int status, std::string_view text) { return response_of(status, {{"error", text}}); }

}  // namespace

// One request, until its answer.
class AdminCourse {
 public:
  AdminCourse(Admin& admin, std::unique_ptr<net::Request> request, net::Responder responder)
      : admin_(admin), request_(std::move(request)), responder_(std::move(responder)) {}
  AdminCourse(AdminCourse&&) = default;

  static Task<void> run(AdminCourse course) {
    const std::int64_t now_ms = course.admin_.clock_.wall_ms();
    const auto* operation = course.admit(now_ms);
    if (operation == nullptr) co_return;
    Wish wish{course.admin_.keeper_, course.admin_.random_, now_ms, course.body_};
    Planned planned = operation->plan(wish);
    if (!wish.wrong.empty()) planned = Error{kInvalid, wish.wrong};
    if (planned.ok() && planned->change.has_value()) {
      auto changed =
          co_await course.admin_.keeper_.change(std::move(*planned->change), *course.request_->loop);
      if (!changed.ok()) planned = changed.error();
    }
    course.answer(planned.ok() ? response_of(200, planned->answer)
                               : refusal(status_of(planned.error().kind), planned.error().text));
  }

 private:
  // nullptr: it was answered.
  const Operation* admit(std::int64_t now_ms) {
    const auto circumstances = api::circumstances_of(*request_, now_ms);
    const auto checked = api::verify(*request_, admin_.verifier_, admin_.authorizer_, kServices, now_ms);
    if (const auto* failure = std::get_if<identity::AuthFailure>(&checked); failure != nullptr)
      return answer(refusal(403, fmt::format("{}: {}", failure->type, failure->message)));
    const identity::Caller& caller = *std::get_if<identity::Caller>(&checked);
    constexpr std::string_view kPrefix = "/admin/";
    const std::string_view path = request_->target;
    const std::string_view name = path.substr(std::min(kPrefix.size(), path.size()));
    const Operation* found = nullptr;
    for (const Operation& each : kOperations)
      if (each.name == name) found = &each;
    if (found == nullptr || request_->method != "POST")
      return answer(refusal(404, fmt::format("there is no operation {} {}", request_->method, path)));
    if (caller.principal->kind == identity::Principal::Kind::kUnchecked && is_of_users(*found))
      return answer(refusal(403,
                            "this server checks no signatures, so it needs no users: start it with "
                            "MILLRACE_ROOT_ACCESS_KEY and MILLRACE_ROOT_SECRET_KEY"));
    if (request_->body.size() > kBodyBytesMax)
      return answer(refusal(400, fmt::format("the body has more than {} bytes", kBodyBytesMax)));
    const std::string_view text = request_->body.text();
    body_ = Json::parse(text.begin(), text.end(), nullptr, false);
    if (!body_.is_object()) return answer(refusal(400, "the body must be a JSON object"));
    const Wanted wanted = wanted_by(*found);
    const std::string resource = resource_of(wanted);
    const identity::AccessRequest request{.action = wanted.action, .resource = resource};
    if (const auto denial = admin_.authorizer_.check(caller, circumstances, request); denial.has_value())
      return answer(refusal(403, denial->message));
    return found;
  }

  struct Wanted {
    std::string_view action;
    const char* kind;
    const char* field;
  };
  Wanted wanted_by(const Operation& operation) const {
    if (!operation.role_action.empty() && body_.contains("Role"))
      return {operation.role_action, "role", "Role"};
    if (!operation.user_action.empty() && body_.contains("User"))
      return {operation.user_action, "user", "User"};
    return {operation.action, operation.kind, operation.field};
  }

  std::string resource_of(const Wanted& wanted) const {
    if (wanted.kind == nullptr) return "*";
    const auto name = body_.find(wanted.field);
    if (name == body_.end() || !name->is_string()) return "*";
    return identity::iam_arn(admin_.account_, wanted.kind, name->get<std::string>());
  }

  const Operation* answer(net::Response response) {
    std::move(responder_).respond(std::move(response));
    return nullptr;
  }

  Admin& admin_;
  std::unique_ptr<net::Request> request_;
  net::Responder responder_;
  Json body_;
};

void Admin::handle(std::unique_ptr<net::Request> request, net::Responder responder) {
  AdminCourse course(*this, std::move(request), std::move(responder));
  spawn(AdminCourse::run(std::move(course)));
}

}  // namespace millrace::iam
