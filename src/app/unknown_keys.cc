#include "app/unknown_keys.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>

#include "app/json_log.h"
#include "identity/bound_policy.h"
#include "identity/policy.h"

namespace millrace::app {
namespace {

void warn(const std::string& whose, const identity::Policy& policy) {
  const auto unknown = policy.unknown_keys();
  if (unknown.empty()) return;
  log_line(
      LogLevel::kWarn,
      "a policy has condition keys that this server does not know: its Deny denies, its Allow does not allow",
      {{"policy", whose}, {"keys", fmt::format("{}", fmt::join(unknown, ", "))}});
}

void warn(const std::string& whose, const std::shared_ptr<const std::string>& text) {
  if (text == nullptr) return;
  const auto policy =
      identity::parse_stored_policy(*text, identity::PolicyKind::kResource, identity::kKeyPolicyBytesMax);
  if (policy.ok()) warn(whose, **policy);
}

void warn(const std::string& whose, const identity::PolicyHolder& holder) {
  for (const auto& [name, policy] : holder.inlined) warn(fmt::format("{}: {}", whose, name), *policy);
}

}  // namespace

void warn_of_unknown_keys(const identity::Identities& identities, const broker::Catalog& catalog,
                          const keys::KeyState& keys) {
  for (const auto& [name, managed] : identities.policies) warn("policy/" + name, *managed.policy);
  for (const auto& [name, user] : identities.users) warn("user/" + name, user);
  for (const auto& [name, role] : identities.roles) {
    warn("role/" + name, role);
    warn(fmt::format("role/{}: trust", name), *role.trust);
  }
  for (const auto& [name, stream] : catalog.streams) {
    warn("stream/" + name, stream->policy);
    for (const auto& [consumer, each] : stream->consumers)
      warn(fmt::format("stream/{}/consumer/{}", name, consumer), each.policy);
  }
  for (const auto& [id, key] : keys.keys) warn("key/" + id, key->policy);
}

}  // namespace millrace::app
