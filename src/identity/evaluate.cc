#include "identity/evaluate.h"

#include <algorithm>
#include <utility>

namespace millrace::identity {
namespace {

// What one policy says, to whom it is about.
struct Saying {
  bool denies = false;
  Named allows = Named::kNot;
};

Saying saying_of(const Policy& policy, const RequestContext& context, bool names_principals, bool& varies) {
  Saying saying;
  for (const Statement& statement : policy.statements()) {
    const Named named = names_principals ? statement.names(context.principal()) : Named::kItself;
    if (named == Named::kNot) continue;
    varies = varies || statement.varies;
    if (!statement.is_about(context) || !statement.holds(context)) continue;
    if (statement.allow) {
      saying.allows = std::max(saying.allows, named);
    } else {
      saying.denies = true;
    }
  }
  return saying;
}

// Of a list of policies: who denies, who allows.
struct Sayings {
  const NamedPolicy* denying = nullptr;
  const NamedPolicy* allowing = nullptr;
};

Sayings sayings_of(const std::vector<NamedPolicy>& policies, const RequestContext& context, bool& varies) {
  Sayings sayings;
  for (const NamedPolicy& named : policies) {
    const Saying saying = saying_of(*named.policy, context, false, varies);
    if (saying.denies && sayings.denying == nullptr) sayings.denying = &named;
    if (saying.allows != Named::kNot && sayings.allowing == nullptr) sayings.allowing = &named;
  }
  return sayings;
}

}  // namespace

Verdict evaluate(const RequestContext& context, const ResourcePolicies<const Policy*>& policies) {
  const Principal& principal = context.principal();
  if (principal.may_do_everything()) return {Reason::kRoot, ""};
  bool varies = false;
  const auto verdict = [&](Reason reason, const NamedPolicy* by) {
    return Verdict{reason, by != nullptr ? by->name : std::string(), varies};
  };
  // Everything is read first, so that `varies` holds for all that could have decided.
  const Sayings identity = sayings_of(principal.policies, context, varies);
  const Sayings session = sayings_of(principal.session_policies, context, varies);
  Saying resource;
  if (policies.own != nullptr) resource = saying_of(*policies.own, context, true, varies);
  if (policies.enclosing != nullptr && saying_of(*policies.enclosing, context, true, varies).denies)
    resource.denies = true;

  if (identity.denying != nullptr) return verdict(Reason::kIdentityDenies, identity.denying);
  if (resource.denies) return verdict(Reason::kResourceDenies, nullptr);
  if (session.denying != nullptr) return verdict(Reason::kSessionDenies, session.denying);

  const bool session_allows = principal.session_policies.empty() || session.allowing != nullptr;
  if (resource.allows == Named::kItself) return verdict(Reason::kResourceAllows, nullptr);
  if (resource.allows == Named::kByRole)
    return verdict(session_allows ? Reason::kResourceAllows : Reason::kNoSessionAllows, nullptr);
  const bool must = context.request().weight == AccessRequest::Weight::kMustAllow;
  if (must && resource.allows != Named::kByAccount) return verdict(Reason::kNoResourceAllows, nullptr);
  if (identity.allowing == nullptr) return verdict(Reason::kNoIdentityAllows, nullptr);
  if (!session_allows) return verdict(Reason::kNoSessionAllows, nullptr);
  return verdict(Reason::kIdentityAllows, identity.allowing);
}

}  // namespace millrace::identity
