#include <utility>

#include "base/state_json.h"
#include "identity/bound_policy.h"
#include "identity/identities.h"

namespace millrace::identity {
namespace {

const char* to_text(HolderKind kind) { return kind == HolderKind::kUser ? "user" : "role"; }
HolderKind kind_of(const StateJson& json) {
  const auto kind = json.at("kind").get<std::string>();
  if (kind != "user" && kind != "role") throw StateJson::other_error::create(501, "kind is " + kind, nullptr);
  return kind == "user" ? HolderKind::kUser : HolderKind::kRole;
}

// The figures that there are.
void write_quota(const Quota& quota, StateJson& json) {
  for (std::size_t i = 0; i < kQuantities; ++i)
    if (quota.a_second[i] != 0) json[name_of(static_cast<Quantity>(i)).field] = quota.a_second[i];
}
Quota read_quota(const StateJson& json) {
  Quota quota;
  for (std::size_t i = 0; i < kQuantities; ++i)
    quota.a_second[i] = json.value(name_of(static_cast<Quantity>(i)).field, std::uint64_t{0});
  return quota;
}

struct Encode {
  StateJson operator()(const UserAdded& c) const {
    return {{"type", "UserAdded"}, {"name", c.name}, {"id", c.id}, {"now_ms", c.now_ms}};
  }
  StateJson operator()(const UserRemoved& c) const { return {{"type", "UserRemoved"}, {"name", c.name}}; }
  StateJson operator()(const KeyCreated& c) const {
    return {{"type", "KeyCreated"},
            {"user", c.user},
            {"id", c.id},
            {"sealed", c.sealed_secret},
            {"now_ms", c.now_ms}};
  }
  StateJson operator()(const KeySwitched& c) const {
    return {{"type", "KeySwitched"}, {"id", c.id}, {"active", c.active}};
  }
  StateJson operator()(const KeyDeleted& c) const { return {{"type", "KeyDeleted"}, {"id", c.id}}; }
  StateJson operator()(const PolicyPut& c) const {
    return {{"type", "PolicyPut"}, {"name", c.name}, {"document", c.document}, {"now_ms", c.now_ms}};
  }
  StateJson operator()(const PolicyDeleted& c) const { return {{"type", "PolicyDeleted"}, {"name", c.name}}; }
  StateJson operator()(const RolePut& c) const {
    return {{"type", "RolePut"}, {"create", c.create}, {"name", c.name},
            {"id", c.id},        {"trust", c.trust},   {"session_s_max", c.session_s_max},
            {"now_ms", c.now_ms}};
  }
  StateJson operator()(const RoleRemoved& c) const { return {{"type", "RoleRemoved"}, {"name", c.name}}; }
  StateJson operator()(const PolicyAttached& c) const {
    return {
        {"type", "PolicyAttached"}, {"kind", to_text(c.kind)}, {"holder", c.holder}, {"policy", c.policy}};
  }
  StateJson operator()(const PolicyDetached& c) const {
    return {
        {"type", "PolicyDetached"}, {"kind", to_text(c.kind)}, {"holder", c.holder}, {"policy", c.policy}};
  }
  StateJson operator()(const InlinePut& c) const {
    return {{"type", "InlinePut"},
            {"kind", to_text(c.kind)},
            {"holder", c.holder},
            {"policy", c.policy},
            {"document", c.document}};
  }
  StateJson operator()(const InlineDeleted& c) const {
    return {{"type", "InlineDeleted"}, {"kind", to_text(c.kind)}, {"holder", c.holder}, {"policy", c.policy}};
  }
  StateJson operator()(const QuotaPut& c) const {
    StateJson json = {{"type", "QuotaPut"}, {"owner", c.owner}};
    write_quota(c.quota, json);
    return json;
  }
  StateJson operator()(const QuotaRemoved& c) const { return {{"type", "QuotaRemoved"}, {"owner", c.owner}}; }
};

IdentityChange change_of(const StateJson& j) {
  const auto type = j.at("type").get<std::string>();
  const auto text = [&](const char* name) { return j.at(name).get<std::string>(); };
  const auto number = [&](const char* name) { return j.at(name).get<std::int64_t>(); };
  if (type == "UserAdded") return UserAdded{text("name"), text("id"), number("now_ms")};
  if (type == "UserRemoved") return UserRemoved{text("name")};
  if (type == "KeyCreated") return KeyCreated{text("user"), text("id"), text("sealed"), number("now_ms")};
  if (type == "KeySwitched") return KeySwitched{text("id"), j.at("active").get<bool>()};
  if (type == "KeyDeleted") return KeyDeleted{text("id")};
  if (type == "PolicyPut") return PolicyPut{text("name"), text("document"), number("now_ms")};
  if (type == "PolicyDeleted") return PolicyDeleted{text("name")};
  if (type == "RolePut")
    return RolePut{j.at("create").get<bool>(),
                   text("name"),
                   text("id"),
                   text("trust"),
                   j.at("session_s_max").get<std::int32_t>(),
                   number("now_ms")};
  if (type == "RoleRemoved") return RoleRemoved{text("name")};
  if (type == "PolicyAttached") return PolicyAttached{kind_of(j), text("holder"), text("policy")};
  if (type == "PolicyDetached") return PolicyDetached{kind_of(j), text("holder"), text("policy")};
  if (type == "InlinePut") return InlinePut{kind_of(j), text("holder"), text("policy"), text("document")};
  if (type == "InlineDeleted") return InlineDeleted{kind_of(j), text("holder"), text("policy")};
  if (type == "QuotaPut") return QuotaPut{text("owner"), read_quota(j)};
  if (type == "QuotaRemoved") return QuotaRemoved{text("owner")};
  throw StateJson::other_error::create(501, "type is " + type, nullptr);
}

StateJson holder_json(const PolicyHolder& holder) {
  StateJson inlined = StateJson::object();
  for (const auto& [name, policy] : holder.inlined) inlined[name] = policy->text();
  return {{"name", holder.name},
          {"id", holder.id},
          {"created_ms", holder.created_ms},
          {"attached", holder.attached},
          {"inlined", std::move(inlined)}};
}

PolicyPtr policy_of(const std::string& text, PolicyKind kind) {
  auto policy = parse_stored_policy(text, kind, kResourcePolicyBytesMax);
  if (!policy.ok()) throw StateJson::other_error::create(501, policy.error().text, nullptr);
  return std::move(*policy);
}

void read_holder(const StateJson& json, PolicyHolder& holder) {
  holder.name = json.at("name").get<std::string>();
  holder.id = json.at("id").get<std::string>();
  holder.created_ms = json.at("created_ms").get<std::int64_t>();
  holder.attached = json.at("attached").get<std::set<std::string>>();
  for (const auto& [name, text] : json.at("inlined").items())
    holder.inlined.emplace(name, policy_of(text.get<std::string>(), PolicyKind::kIdentity));
}

Identities identities_of(const StateJson& json) {
  Identities state;
  for (const StateJson& each : json.at("policies"))
    state.policies.emplace(
        each.at("name").get<std::string>(),
        ManagedPolicy{policy_of(each.at("document").get<std::string>(), PolicyKind::kIdentity),
                      each.at("created_ms").get<std::int64_t>(), each.at("changed_ms").get<std::int64_t>()});
  for (const StateJson& each : json.at("users")) {
    User user;
    read_holder(each, user);
    for (const StateJson& key : each.at("keys")) {
      StoredKey stored{key.at("id").get<std::string>(), key.at("sealed").get<std::string>(),
                       key.at("active").get<bool>(), key.at("created_ms").get<std::int64_t>()};
      state.key_owners.emplace(stored.id, user.name);
      user.keys.emplace(stored.id, std::move(stored));
    }
    state.users.emplace(user.name, std::move(user));
  }
  for (const StateJson& each : json.at("roles")) {
    Role role;
    read_holder(each, role);
    const auto trust = each.at("trust").get<std::string>();
    role.trust = policy_of(trust, PolicyKind::kTrust);
    role.trust_text = std::make_shared<const std::string>(trust);
    role.session_s_max = each.at("session_s_max").get<std::int32_t>();
    state.roles.emplace(role.name, std::move(role));
  }
  // Before there were quotas, snapshots had none.
  for (const StateJson& each : json.value("quotas", StateJson::array()))
    state.quotas.emplace(each.at("owner").get<std::string>(), read_quota(each));
  return state;
}

}  // namespace

std::string encode(const IdentityChange& change) { return std::visit(Encode{}, change).dump(); }

Result<IdentityChange> decode_identity_change(std::string_view json) {
  return read_state(json, "identities", change_of);
}

std::string encode(const Identities& identities) {
  StateJson users = StateJson::array(), roles = StateJson::array(), policies = StateJson::array();
  for (const auto& [name, user] : identities.users) {
    StateJson json = holder_json(user);
    json["keys"] = StateJson::array();
    for (const auto& [id, key] : user.keys)
      json["keys"].push_back({{"id", id},
                              {"sealed", key.sealed_secret},
                              {"active", key.active},
                              {"created_ms", key.created_ms}});
    users.push_back(std::move(json));
  }
  for (const auto& [name, role] : identities.roles) {
    StateJson json = holder_json(role);
    json["trust"] = role.trust->text();
    json["session_s_max"] = role.session_s_max;
    roles.push_back(std::move(json));
  }
  for (const auto& [name, stored] : identities.policies)
    policies.push_back({{"name", name},
                        {"document", stored.policy->text()},
                        {"created_ms", stored.created_ms},
                        {"changed_ms", stored.changed_ms}});
  StateJson quotas = StateJson::array();
  for (const auto& [owner, quota] : identities.quotas) {
    write_quota(quota, quotas.emplace_back(StateJson{{"owner", owner}}));
  }
  return StateJson{
      {"version", 1}, {"users", users}, {"roles", roles}, {"policies", policies}, {"quotas", quotas}}
      .dump();
}

Result<Identities> decode_identities(std::string_view json) {
  return read_state(json, "identities", identities_of);
}

}  // namespace millrace::identity
