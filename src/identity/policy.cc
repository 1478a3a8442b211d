#include "identity/policy.h"

#include <algorithm>
#include <utility>

namespace millrace::identity {

bool Statement::is_about(const RequestContext& context) const {
  const AccessRequest& request = context.request();
  const bool action = std::any_of(actions.begin(), actions.end(),
                                  [&](const Glob& glob) { return glob.matches(request.action); });
  if (action == not_action) return false;
  if (resources.empty() && variable_resources.empty()) return true;  // a role's own policy
  if (unknown_resource) return !allow;
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

std::size_t Statement::memory_bytes() const {
  std::size_t bytes = sid.capacity() + principals.capacity() * sizeof(PrincipalPattern) +
                      (actions.capacity() + resources.capacity()) * sizeof(Glob) +
                      variable_resources.capacity() * sizeof(std::string) +
                      conditions.capacity() * sizeof(Condition) +
                      unknown_keys.capacity() * sizeof(std::string);
  for (const PrincipalPattern& pattern : principals) bytes += pattern.text.capacity();
  for (const std::vector<Glob>* globs : {&actions, &resources})
    for (const Glob& glob : *globs) bytes += glob.memory_bytes();
  for (const std::string& pattern : variable_resources) bytes += pattern.capacity();
  for (const std::string& key : unknown_keys) bytes += key.capacity();
  for (const Condition& condition : conditions) bytes += condition.memory_bytes();
  return bytes;
}

Policy::Policy(std::string text, std::vector<Statement> statements)
    : text_(std::move(text)),
      statements_(std::move(statements)),
      memory_bytes_(sizeof(Policy) + text_.capacity() + statements_.capacity() * sizeof(Statement)) {
  for (const Statement& statement : statements_) memory_bytes_ += statement.memory_bytes();
}

std::vector<std::string> Policy::unknown_keys() const {
  std::vector<std::string> keys;
  for (const Statement& statement : statements_)
    for (const std::string& key : statement.unknown_keys)
      if (std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(key);
  return keys;
}

bool Statement::holds(const RequestContext& context) const {
  return std::all_of(conditions.begin(), conditions.end(),
                     [&](const Condition& condition) { return condition.holds(context, !allow); });
}

namespace {

// Whether the pattern, whose ARN is one of the principal's, is bound to that principal.
bool is_bound_to(const PrincipalPattern& pattern, const Principal& principal) {
  const std::string_view id = principal.id;
  return pattern.id.empty() || id == pattern.id ||
         (id.starts_with(pattern.id) && id.substr(pattern.id.size()).starts_with(':'));
}

Named how_named(const PrincipalPattern& pattern, const Principal& principal) {
  switch (pattern.kind) {
    case PrincipalPattern::Kind::kAnyone:
      return Named::kByRole;
    case PrincipalPattern::Kind::kAccount:
      return pattern.text == principal.account ? Named::kByAccount : Named::kNot;
    case PrincipalPattern::Kind::kArn:
      if (!is_bound_to(pattern, principal)) return Named::kNot;
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
    if (pattern.kind != PrincipalPattern::Kind::kArn || !is_bound_to(pattern, principal)) continue;
    self = self || pattern.text == principal.arn;
    role = role || pattern.text == principal.role_arn;
  }
  return account && self && role ? Named::kNot : Named::kItself;
}

}  // namespace millrace::identity
