#include "identity/policy.h"

#include <algorithm>

namespace millrace::identity {

bool Statement::is_about(const RequestContext& context) const {
  const AccessRequest& request = context.request();
  const bool action = std::any_of(actions.begin(), actions.end(),
                                  [&](const Glob& glob) { return glob.matches(request.action); });
  if (action == not_action) return false;
  if (resources.empty() && variable_resources.empty()) return true;  // a role's own policy
  bool resource = std::any_of(resources.begin(), resources.end(),
                              [&](const Glob& glob) { return glob.matches(request.resource); });
  bool unresolved = false;
  const Glob::Variables variables = [&](std::string_view name) { return context.value(name); };
  for (const std::string& pattern : variable_resources) {
    const auto glob = Glob::with_variables(pattern, variables);
    unresolved = unresolved || !glob.has_value();
    resource = resource || (glob.has_value() && glob->matches(request.resource));
  }
  // A NotResource that cannot be told must neither allow nor spare from a deny.
  if (not_resource && unresolved) return !allow;
  return resource != not_resource;
}

bool Statement::holds(const RequestContext& context) const {
  return std::all_of(conditions.begin(), conditions.end(),
                     [&](const Condition& condition) { return condition.holds(context, !allow); });
}

namespace {

Named how_named(const PrincipalPattern& pattern, const Principal& principal) {
  switch (pattern.kind) {
    case PrincipalPattern::Kind::kAnyone:
      return Named::kByRole;
    case PrincipalPattern::Kind::kAccount:
      return pattern.text == principal.account ? Named::kByAccount : Named::kNot;
    case PrincipalPattern::Kind::kArn:
      if (pattern.text == principal.arn) return Named::kItself;
      return !principal.role_arn.empty() && pattern.text == principal.role_arn ? Named::kByRole : Named::kNot;
    case PrincipalPattern::Kind::kNobodyHere:
      return Named::kNot;
  }
  MR_ASSERT(false);
  __builtin_unreachable();
}

}  // namespace

Named Statement::names(const Principal& principal) const {
  if (!not_principal) {
    Named named = Named::kNot;
    for (const PrincipalPattern& pattern : principals) named = std::max(named, how_named(pattern, principal));
    return named;
  }
  // It spares only whom it lists with all that they are: the user, or the session and its role, and the
  // account. source: IAM User Guide, "AWS JSON policy elements: NotPrincipal"
  bool account = false, self = false, role = principal.role_arn.empty();
  for (const PrincipalPattern& pattern : principals) {
    if (pattern.kind == PrincipalPattern::Kind::kAnyone) return Named::kNot;
    if (pattern.kind == PrincipalPattern::Kind::kAccount)
      account = account || pattern.text == principal.account;
    if (pattern.kind != PrincipalPattern::Kind::kArn) continue;
    self = self || pattern.text == principal.arn;
    role = role || pattern.text == principal.role_arn;
  }
  return account && self && role ? Named::kNot : Named::kItself;
}

}  // namespace millrace::identity
