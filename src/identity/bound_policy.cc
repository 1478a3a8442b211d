#include "identity/bound_policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

namespace millrace::identity {
namespace {

// JSON takes it neither in a string nor between its tokens.
constexpr char kSeparator = '\x1e';

// "arn:aws:iam::ACCOUNT:user/alice" is the user "alice"; the partition may be another.
struct ArnParts {
  std::string_view account, kind, name;
};
ArnParts parts_of(std::string_view arn) {
  ArnParts parts;
  for (int colons = 0; colons < 5; ++colons) {
    if (colons == 4) parts.account = arn.substr(0, arn.find(':'));
    arn.remove_prefix(arn.find(':') + 1);
  }
  parts.kind = arn.substr(0, arn.find('/'));
  parts.name = arn.substr(std::min(parts.kind.size() + 1, arn.size()));
  return parts;
}

// Empty: there is nobody of that name.
std::string id_of(const ArnParts& parts, const Directory& directory) {
  if (parts.kind == "user") {
    for (const auto& [id, user] : directory.users)
      if (user->name == parts.name) return id;
    return {};
  }
  if (parts.kind != "role" && parts.kind != "assumed-role") return {};
  // Of a session, the role's: "assumed-role/ROLE/SESSION".
  const std::string_view role =
      parts.kind == "role" ? parts.name : parts.name.substr(0, parts.name.find('/'));
  const auto found = directory.role_ids.find(role);
  return found == directory.role_ids.end() ? std::string() : found->second;
}

std::map<std::string, std::string, std::less<>> ids_in(std::string_view lines) {
  std::map<std::string, std::string, std::less<>> ids;
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(std::min(lines.size(), line.size() + 1));
    const std::size_t blank = std::min(line.rfind(' '), line.size());
    ids.emplace(line.substr(0, blank), line.substr(std::min(blank + 1, line.size())));
  }
  return ids;
}

}  // namespace

Result<std::string> bind_principals(std::string document, const Policy& policy, const Directory& directory) {
  if (!directory.checks_signatures) return document;
  std::map<std::string, std::string> ids;
  for (const Statement& statement : policy.statements()) {
    for (const PrincipalPattern& pattern : statement.principals) {
      if (pattern.kind != PrincipalPattern::Kind::kArn) continue;
      const ArnParts parts = parts_of(pattern.text);
      if (parts.account != directory.account) continue;
      std::string id = id_of(parts, directory);
      if (id.empty())
        return Error{ErrorKind::kInvalid,
                     fmt::format(R"(Invalid principal in policy: "AWS":"{}")", pattern.text)};
      ids.emplace(pattern.text, std::move(id));
    }
  }
  if (ids.empty()) return document;
  document += kSeparator;
  for (const auto& [arn, id] : ids) document += fmt::format("{} {}\n", arn, id);
  return document;
}

std::string_view document_of(std::string_view stored) { return stored.substr(0, stored.find(kSeparator)); }

Result<std::shared_ptr<const Policy>> parse_stored_policy(std::string_view stored, PolicyKind kind,
                                                          std::size_t bytes_max) {
  const std::string_view document = document_of(stored);
  MR_ASSIGN(auto policy, parse_policy(document, kind, bytes_max));
  if (document.size() == stored.size()) return policy;
  const auto ids = ids_in(stored.substr(document.size() + 1));
  std::vector<Statement> statements = policy->statements();
  for (Statement& statement : statements)
    for (PrincipalPattern& pattern : statement.principals)
      if (const auto found = ids.find(pattern.text); found != ids.end()) pattern.id = found->second;
  return std::shared_ptr<const Policy>(std::make_shared<Policy>(std::string(stored), std::move(statements)));
}

}  // namespace millrace::identity
