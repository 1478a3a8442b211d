#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "identity/condition_keys.h"
#include "identity/policy.h"

namespace millrace::identity {
namespace {

using enum ErrorKind;
using Json = nlohmann::json;

constexpr int kDepthMax = 16;

Error malformed(std::string text) { return {kInvalid, std::move(text)}; }

// JSON in which no name comes twice in one object: of two Effects, which one counts?
Result<Json> parse_strictly(std::string_view text) {
  std::vector<std::set<std::string>> names;
  std::string wrong;
  const auto watch = [&](int depth, Json::parse_event_t event, Json& parsed) {
    if (depth > kDepthMax && wrong.empty()) wrong = fmt::format("nested deeper than {}", kDepthMax);
    if (event == Json::parse_event_t::object_start) names.emplace_back();
    if (event == Json::parse_event_t::object_end) names.pop_back();
    if (event == Json::parse_event_t::key && !names.back().insert(parsed.get<std::string>()).second &&
        wrong.empty())
      wrong = fmt::format("{} comes twice in one object", parsed.dump());
    return wrong.empty();
  };
  try {
    Json parsed = Json::parse(text.begin(), text.end(), watch);
    if (!wrong.empty()) return malformed("Syntax errors in policy: " + wrong);
    return parsed;
  } catch (const Json::parse_error& error) {
    return malformed(fmt::format("Syntax errors in policy, at byte {}", error.byte));
  } catch (const Json::exception&) {
    return malformed(wrong.empty() ? "Syntax errors in policy" : "Syntax errors in policy: " + wrong);
  }
}

// A string, or a list of them; `what` names it in messages. At least one.
Result<std::vector<std::string>> strings_of(const Json& value, const std::string& what) {
  std::vector<std::string> strings;
  const auto add = [&](const Json& item) {
    if (item.is_string()) strings.push_back(item.get<std::string>());
    return item.is_string();
  };
  bool right = false;
  if (value.is_array()) {
    right = !value.empty() && std::all_of(value.begin(), value.end(), add);
  } else {
    right = add(value);
  }
  if (!right) return malformed(what + " must be a string, or a list of at least one string");
  return strings;
}

bool is_account(std::string_view text) {
  return text.size() == 12 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

Result<PrincipalPattern> aws_principal(const std::string& text, const std::string& where) {
  using Kind = PrincipalPattern::Kind;
  if (text == "*") return PrincipalPattern{Kind::kAnyone, ""};
  if (is_account(text)) return PrincipalPattern{Kind::kAccount, text};
  // arn:aws:iam::ACCOUNT:WHAT, or arn:aws:sts::ACCOUNT:assumed-role/…; the partition may be another.
  std::string_view rest = text;
  std::vector<std::string_view> parts;
  for (int i = 0; i < 5 && rest.find(':') != std::string_view::npos; ++i) {
    parts.push_back(rest.substr(0, rest.find(':')));
    rest.remove_prefix(rest.find(':') + 1);
  }
  const bool arn = parts.size() == 5 && parts[0] == "arn" && (parts[2] == "iam" || parts[2] == "sts") &&
                   parts[3].empty() && is_account(parts[4]);
  if (!arn || rest.empty() || text.find_first_of("*?") != std::string::npos)
    return malformed(
        fmt::format("Invalid principal in policy: {}: \"AWS\":\"{}\" must be \"*\", an account, or the ARN "
                    "of a user, a role or a session, without wildcards",
                    where, text));
  if (rest == "root") return PrincipalPattern{Kind::kAccount, std::string(parts[4])};
  return PrincipalPattern{Kind::kArn, text};
}

Result<std::vector<PrincipalPattern>> principals_of(const Json& value, const std::string& where) {
  using Kind = PrincipalPattern::Kind;
  if (value == "*") return std::vector<PrincipalPattern>{{Kind::kAnyone, ""}};
  if (!value.is_object() || value.empty())
    return malformed(where + " must be \"*\" or an object such as {\"AWS\":\"123456789012\"}");
  std::vector<PrincipalPattern> patterns;
  for (const auto& [key, names] : value.items()) {
    MR_ASSIGN(const auto texts, strings_of(names, fmt::format("{}.{}", where, key)));
    if (key == "AWS") {
      for (const std::string& text : texts) {
        MR_ASSIGN(auto pattern, aws_principal(text, where));
        patterns.push_back(std::move(pattern));
      }
    } else if (key == "Service" || key == "Federated" || key == "CanonicalUser") {
      patterns.push_back({Kind::kNobodyHere, ""});
    } else {
      return malformed(
          fmt::format("{}: \"{}\" must be AWS, Service, Federated or CanonicalUser", where, key));
    }
  }
  return patterns;
}

Result<std::vector<Glob>> actions_of(const Json& value, const std::string& where) {
  MR_ASSIGN(const auto texts, strings_of(value, where));
  std::vector<Glob> actions;
  for (const std::string& text : texts) {
    const std::size_t colon = text.find(':');
    if (text != "*" && (colon == 0 || colon == std::string::npos || colon + 1 == text.size()))
      return malformed(fmt::format(
          "{}: \"{}\" must be prefaced by a vendor, such as kinesis:PutRecord, or be \"*\"", where, text));
    // Anything else names no action: a Deny of it would deny nothing.
    const bool fits = std::all_of(text.begin(), text.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             std::string_view("-_:*?").find(c) != std::string_view::npos;
    });
    if (!fits || text.find(':') != text.rfind(':'))
      return malformed(
          fmt::format("{}: \"{}\" is no action: it has letters, digits, '-', '_', '*' and '?', and one ':'",
                      where, text));
    actions.push_back(Glob::plain(text, Glob::Case::kFolded));
  }
  return actions;
}

Result<void> read_resources(const Json& value, const std::string& where, bool variables,
                            Statement& statement) {
  MR_ASSIGN(const auto texts, strings_of(value, where));
  for (const std::string& text : texts) {
    const bool arn = text.starts_with("arn:") && std::count(text.begin(), text.end(), ':') >= 2;
    const bool begins_so = text.find('*') != std::string::npos &&
                           std::string_view("arn:").starts_with(text.substr(0, text.find('*')));
    if (!arn && !begins_so)
      return malformed(fmt::format("{}: \"{}\" must be in ARN format or \"*\"", where, text));
    if (variables && Glob::has_variables(text)) {
      statement.variable_resources.push_back(text);
      statement.varies = true;
      for (const std::string_view name : Glob::variable_names(text)) {
        if (is_known_condition_key(name)) continue;
        statement.unknown_keys.push_back(fmt::format("${{{}}}", name));
        statement.unknown_resource = true;
      }
    } else {
      statement.resources.push_back(Glob::plain(text));
    }
  }
  return {};
}

Result<void> read_conditions(const Json& value, const std::string& where, bool variables,
                             Statement& statement) {
  if (!value.is_object()) return malformed(where + " must be an object");
  for (const auto& [op, keys] : value.items()) {
    if (!keys.is_object()) return malformed(fmt::format("{}.{} must be an object", where, op));
    for (const auto& [key, values] : keys.items()) {
      std::vector<std::string> texts;
      const Json list = values.is_array() ? values : Json::array({values});
      for (const Json& item : list) {
        if (item.is_string()) {
          texts.push_back(item.get<std::string>());
        } else if (item.is_boolean() || item.is_number()) {
          texts.push_back(item.dump());
        } else {
          return malformed(
              fmt::format("{}.{}.{}: values must be strings, numbers or booleans", where, op, key));
        }
      }
      auto condition = Condition::make(op, key, std::move(texts), variables);
      if (!condition.ok()) return malformed(fmt::format("{}: {}", where, condition.error().text));
      statement.varies = statement.varies || condition->varies();
      statement.unknown_keys.insert(statement.unknown_keys.end(), condition->unknown_keys().begin(),
                                    condition->unknown_keys().end());
      statement.conditions.push_back(std::move(*condition));
    }
  }
  return {};
}

// The one of two names that is there; both, or neither where one is required, is wrong.
Result<const Json*> one_of(const Json& object, const char* plain, const char* negated, bool required,
                           const std::string& where) {
  const bool has_plain = object.contains(plain);
  const bool has_negated = object.contains(negated);
  if (has_plain && has_negated) return malformed(fmt::format("{} has both {} and {}", where, plain, negated));
  if (required && !has_plain && !has_negated)
    return malformed(fmt::format("{} must have {} or {}", where, plain, negated));
  return has_plain ? &object[plain] : has_negated ? &object[negated] : nullptr;
}

Result<void> check_names(const Json& object, std::initializer_list<std::string_view> known,
                         const std::string& where) {
  for (const auto& [name, value] : object.items())
    if (std::find(known.begin(), known.end(), name) == known.end())
      return malformed(fmt::format("{}: \"{}\" is no element of it", where, name));
  return {};
}

Result<void> read_principal(const Json& object, PolicyKind kind, const std::string& where,
                            Statement& statement) {
  if (kind == PolicyKind::kIdentity) {
    if (object.contains("Principal") || object.contains("NotPrincipal"))
      return malformed(where + ": Policy document should not specify a principal");
    return {};
  }
  MR_ASSIGN(const Json* const principal, one_of(object, "Principal", "NotPrincipal", true, where));
  statement.not_principal = object.contains("NotPrincipal");
  if (statement.not_principal && statement.allow)
    return malformed(where + ": NotPrincipal must be used with Effect Deny");
  MR_ASSIGN(statement.principals,
            principals_of(*principal, where + (statement.not_principal ? ".NotPrincipal" : ".Principal")));
  return {};
}

Result<Statement> statement_of(const Json& object, PolicyKind kind, bool variables,
                               const std::string& where) {
  if (!object.is_object()) return malformed(where + " must be an object");
  MR_TRY(check_names(object,
                     {"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource",
                      "NotResource", "Condition"},
                     where));
  Statement statement;
  if (object.contains("Sid")) {
    if (!object["Sid"].is_string()) return malformed(where + ".Sid must be a string");
    statement.sid = object["Sid"].get<std::string>();
  }
  const Json effect = object.value("Effect", Json());
  if (effect != "Allow" && effect != "Deny") return malformed(where + ".Effect must be Allow or Deny");
  statement.allow = effect == "Allow";
  MR_TRY(read_principal(object, kind, where, statement));

  MR_ASSIGN(const Json* const action, one_of(object, "Action", "NotAction", true, where));
  statement.not_action = object.contains("NotAction");
  MR_ASSIGN(statement.actions,
            actions_of(*action, where + (statement.not_action ? ".NotAction" : ".Action")));

  if (kind == PolicyKind::kTrust && (object.contains("Resource") || object.contains("NotResource")))
    return malformed(where + ": Has prohibited field Resource");
  MR_ASSIGN(const Json* const resource,
            one_of(object, "Resource", "NotResource", kind != PolicyKind::kTrust, where));
  statement.not_resource = object.contains("NotResource");
  if (resource != nullptr)
    MR_TRY(read_resources(*resource, where + (statement.not_resource ? ".NotResource" : ".Resource"),
                          variables, statement));
  if (object.contains("Condition"))
    MR_TRY(read_conditions(object["Condition"], where + ".Condition", variables, statement));
  return statement;
}

Result<std::vector<Statement>> statements_of(const Json& document, PolicyKind kind) {
  if (!document.is_object()) return malformed("Syntax errors in policy: it must be an object");
  MR_TRY(check_names(document, {"Version", "Id", "Statement"}, "Policy"));
  const Json version = document.value("Version", Json("2008-10-17"));
  if (version != "2012-10-17" && version != "2008-10-17")
    return malformed("Version must be 2012-10-17 or 2008-10-17");
  if (document.contains("Id") && !document["Id"].is_string()) return malformed("Id must be a string");
  if (!document.contains("Statement")) return malformed("Policy must have Statement");
  const Json list =
      document["Statement"].is_array() ? document["Statement"] : Json::array({document["Statement"]});
  if (list.empty()) return malformed("Statement must have at least one statement");
  std::vector<Statement> statements;
  std::set<std::string> sids;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string where = list.size() == 1 ? "Statement" : fmt::format("Statement[{}]", i);
    MR_ASSIGN(Statement statement, statement_of(list[i], kind, version == "2012-10-17", where));
    if (!statement.sid.empty() && !sids.insert(statement.sid).second)
      return malformed(
          fmt::format("Statement IDs (SID) in a single policy must be unique: \"{}\"", statement.sid));
    statements.push_back(std::move(statement));
  }
  return statements;
}

}  // namespace

Result<std::shared_ptr<const Policy>> parse_policy(std::string_view json, PolicyKind kind,
                                                   std::size_t bytes_max) {
  if (json.size() > bytes_max)
    return Error{kLimit, fmt::format("Policy has {} bytes: must have at most {}", json.size(), bytes_max)};
  MR_ASSIGN(const Json document, parse_strictly(json));
  MR_ASSIGN(auto statements, statements_of(document, kind));
  return std::shared_ptr<const Policy>(std::make_shared<Policy>(std::string(json), std::move(statements)));
}

}  // namespace millrace::identity
