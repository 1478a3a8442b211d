#include "sts/operations.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "identity/glob.h"
#include "identity/tag_characters.h"

namespace millrace::sts {
namespace {

using identity::Principal;
using identity::Session;

QueryError validation(std::string message) { return {"ValidationError", std::move(message)}; }
QueryError constraint(std::string_view value, std::string_view field, std::string_view rule) {
  return validation(
      fmt::format("1 validation error detected: Value '{}' at '{}' failed to satisfy constraint: {}", value,
                  field, rule));
}
QueryError access_denied(std::string message) { return {"AccessDenied", std::move(message), 403}; }

struct Length {
  std::size_t min, max;
};
std::optional<QueryError> check_length(std::string_view value, std::string_view field, Length length) {
  if (value.size() < length.min)
    return constraint(value, field,
                      fmt::format("Member must have length greater than or equal to {}", length.min));
  if (value.size() > length.max)
    return constraint(value, field,
                      fmt::format("Member must have length less than or equal to {}", length.max));
  return std::nullopt;
}
std::optional<QueryError> check_characters(std::string_view value, std::string_view field,
                                           std::string_view more, std::string_view pattern) {
  const bool right = std::all_of(value.begin(), value.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           more.find(c) != std::string_view::npos;
  });
  if (right) return std::nullopt;
  return constraint(value, field, fmt::format("Member must satisfy regular expression pattern: {}", pattern));
}

std::variant<std::int64_t, QueryError> duration(const Call& call, std::int64_t otherwise, std::int64_t max) {
  const std::string* text = call.parameters.find("DurationSeconds");
  if (text == nullptr) return otherwise;
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), seconds);
  if (error != std::errc() || end != text->data() + text->size())
    return QueryError{"MalformedInput", "DurationSeconds is not a number"};
  if (seconds < 900)
    return constraint(*text, "durationSeconds", "Member must have value greater than or equal to 900");
  if (seconds > max)
    return constraint(*text, "durationSeconds",
                      fmt::format("Member must have value less than or equal to {}", max));
  return seconds;
}

std::string credentials_xml(const identity::TemporaryCredentials& credentials, std::int64_t expires_s) {
  return fmt::format("<Credentials>{}{}{}<Expiration>{:%Y-%m-%dT%H:%M:%S}Z</Expiration></Credentials>",
                     xml_element("AccessKeyId", credentials.access_key),
                     xml_element("SecretAccessKey", credentials.secret_key),
                     xml_element("SessionToken", credentials.token),
                     fmt::gmtime(static_cast<std::time_t>(expires_s)));
}

// The role's name of "arn:aws:iam::ACCOUNT:role/PATH/NAME" in this account; empty: no such ARN.
std::string_view role_name(std::string_view arn, std::string_view account) {
  const std::string prefix = fmt::format("arn:aws:iam::{}:role/", account);
  if (!arn.starts_with(prefix)) return {};
  arn.remove_prefix(prefix.size());
  const std::size_t slash = arn.rfind('/');
  return slash == std::string_view::npos ? arn : arn.substr(slash + 1);
}

std::optional<QueryError> check_assume_role(const Call& call, const std::string& arn,
                                            const std::string& name) {
  if (auto wrong = check_length(arn, "roleArn", {20, 2'048})) return wrong;
  if (auto wrong = check_length(name, "roleSessionName", {2, 64})) return wrong;
  if (auto wrong = check_characters(name, "roleSessionName", "_+=,.@-", R"([\w+=,.@-]*)")) return wrong;
  if (const std::string* id = call.parameters.find("ExternalId"); id != nullptr) {
    if (auto wrong = check_length(*id, "externalId", {2, 1'224})) return wrong;
    if (auto wrong = check_characters(*id, "externalId", "_+=,.@:/-", R"([\w+=,.@:\/-]*)")) return wrong;
  }
  return std::nullopt;
}

// many   '+' or '*', of the pattern that the message names
std::optional<QueryError> check_tag(const std::string& text, const std::string& field, char many) {
  if (identity::has_tag_characters_only(text, "_.:/=+-@ ")) return std::nullopt;
  return constraint(
      text, field,
      fmt::format(R"(Member must satisfy regular expression pattern: [\p{{L}}\p{{Z}}\p{{N}}_.:/=+\-@]{})",
                  many));
}

// Tags.member.N.Key and .Value, TransitiveTagKeys.member.N, and what the caller's own session passes on.
// source: IAM User Guide, "Pass session tags in AWS STS", "Chaining roles with session tags"
std::optional<QueryError> read_tags(const Call& call, Session& session) {
  constexpr int kTagsMax = 50;
  constexpr std::size_t kTagBytesMax = 4'096;  // its token goes with each of its requests
  const Principal& caller = *call.caller.principal;
  const auto same = [](std::string_view name) {
    return [folded = identity::folded(name)](const auto& other) { return identity::folded(other) == folded; };
  };
  std::vector<std::string> names;
  for (int i = 1;; ++i) {
    const std::string* key = call.parameters.find(fmt::format("Tags.member.{}.Key", i));
    const std::string* value = call.parameters.find(fmt::format("Tags.member.{}.Value", i));
    if (key == nullptr && value == nullptr) break;
    if (i > kTagsMax) return constraint("…", "tags", "Member must have length less than or equal to 50");
    for (const auto& [text, member] : {std::pair(key, "key"), std::pair(value, "value")})
      if (text == nullptr)
        return constraint("null", fmt::format("tags.{}.member.{}", i, member), "Member must not be null");
    const std::string key_field = fmt::format("tags.{}.member.key", i);
    const std::string value_field = fmt::format("tags.{}.member.value", i);
    if (auto wrong = check_length(*key, key_field, {1, 128})) return wrong;
    if (auto wrong = check_length(*value, value_field, {0, 256})) return wrong;
    if (auto wrong = check_tag(*key, key_field, '+')) return wrong;
    if (auto wrong = check_tag(*value, value_field, '*')) return wrong;
    if (identity::folded(*key).starts_with("aws:"))
      return QueryError{"InvalidParameterValue", "Tag keys that begin with aws: are reserved."};
    // As the service has it, one in another case is the same.
    if (std::any_of(names.begin(), names.end(), same(*key)))
      return QueryError{"InvalidParameterValue",
                        "Duplicate tag keys found. Please note that Tag keys are case insensitive."};
    if (std::any_of(caller.transitive_tags.begin(), caller.transitive_tags.end(), same(*key)))
      return QueryError{
          "InvalidParameterValue",
          fmt::format("The tag {} comes from the caller's session and cannot be replaced.", *key)};
    names.push_back(*key);
    session.tags.emplace(*key, *value);
  }
  for (const std::string& name : call.parameters.list("TransitiveTagKeys")) {
    const auto tag = std::find_if(names.begin(), names.end(), same(name));
    if (tag == names.end())
      return QueryError{"InvalidParameterValue", fmt::format("The transitive tag key {} is no tag.", name)};
    session.transitive_tags.push_back(*tag);
  }
  for (const std::string& name : caller.transitive_tags) {
    session.tags.insert_or_assign(name, caller.tags.at(name));
    session.transitive_tags.push_back(name);
  }
  std::size_t bytes = 0;
  for (const auto& [name, value] : session.tags) bytes += name.size() + value.size();
  if (session.tags.size() > std::size_t{kTagsMax} || bytes > kTagBytesMax)
    return QueryError{
        "PackedPolicyTooLarge",
        fmt::format("A session has at most {} tags of {} bytes together", kTagsMax, kTagBytesMax)};
  return std::nullopt;
}

// The policies that are to limit the session.
std::optional<QueryError> read_session_policies(const Call& call, Session& session) {
  if (const std::string* document = call.parameters.find("Policy"); document != nullptr) {
    if (document->size() > identity::kSessionPolicyBytesMax)
      return constraint("…", "policy", "Member must have length less than or equal to 2048");
    const auto policy =
        identity::parse_policy(*document, identity::PolicyKind::kIdentity, identity::kSessionPolicyBytesMax);
    if (!policy.ok()) return QueryError{"MalformedPolicyDocument", policy.error().text};
    if (const auto known = call.authorizer.check_keys(**policy); !known.ok())
      return QueryError{"MalformedPolicyDocument", known.error().text};
    session.documents.push_back(*document);
    session.limited = true;
  }
  const auto arns = call.parameters.list("PolicyArns", ".arn");
  if (arns.size() > 10)
    return constraint("…", "policyArns", "Member must have length less than or equal to 10");
  for (const std::string& arn : arns) {
    const std::string prefix = identity::iam_arn(call.directory.account, "policy", "");
    const std::string name = arn.starts_with(prefix) ? arn.substr(prefix.size()) : std::string();
    if (!call.directory.policies.contains(name))
      return QueryError{"MalformedPolicyDocument",
                        fmt::format("Policy {} does not exist or is not attachable.", arn)};
    session.policies.push_back(name);
    session.limited = true;
  }
  return std::nullopt;
}

Outcome assume_role(const Call& call) {
  const std::string* arn = call.parameters.find("RoleArn");
  const std::string* name = call.parameters.find("RoleSessionName");
  for (const auto& [value, field] : {std::pair(arn, "roleArn"), std::pair(name, "roleSessionName")})
    if (value == nullptr)
      return validation(
          fmt::format("1 validation error detected: Value null at '{}' failed to satisfy constraint: "
                      "Member must not be null",
                      field));
  if (auto wrong = check_assume_role(call, *arn, *name)) return std::move(*wrong);
  auto asked = duration(call, 3'600, 43'200);
  if (auto* wrong = std::get_if<QueryError>(&asked)) return std::move(*wrong);
  const std::int64_t seconds = *std::get_if<std::int64_t>(&asked);
  Session session{.of = Session::Of::kRole, .name = *name};

  const Principal& caller = *call.caller.principal;
  const auto id = call.directory.role_ids.find(role_name(*arn, call.directory.account));
  const identity::RoleEntry* role =
      id == call.directory.role_ids.end() ? nullptr : &call.directory.roles.find(id->second)->second;
  // A role that is not there is refused as one that is not allowed.
  static const auto nobodys = std::make_shared<const std::string>(
      R"({"Statement":{"Effect":"Allow","Principal":{"Service":"nobody"},"Action":"sts:AssumeRole"}})");
  std::vector<identity::ConditionValue> more = {{"sts:RoleSessionName", {*name}}};
  if (const std::string* external = call.parameters.find("ExternalId"); external != nullptr)
    more.push_back({"sts:ExternalId", {*external}});
  if (auto wrong = read_tags(call, session)) return std::move(*wrong);
  if (!session.transitive_tags.empty()) more.push_back({"sts:TransitiveTagKeys", session.transitive_tags});
  identity::AccessRequest wish{.action = "sts:AssumeRole",
                               .resource = role == nullptr ? *arn : role->arn,
                               .policies = {.own = role == nullptr ? nobodys : role->trust},
                               .weight = identity::AccessRequest::Weight::kMustAllow,
                               .request_tags = session.tags.empty() ? nullptr : &session.tags,
                               .more = more};
  // Who passes tags on, be it those that his own session has, tags the session that begins.
  for (const std::string_view action : {"sts:AssumeRole", "sts:TagSession"}) {
    if (action == "sts:TagSession" && session.tags.empty()) continue;
    wish.action = action;
    if (auto denial = call.authorizer.check(call.caller, call.circumstances, wish); denial.has_value())
      return access_denied(denial->message.substr(0, denial->message.find(" because ")));
  }
  if (role == nullptr)  // whom everything is allowed learns it
    return access_denied(fmt::format("User: {} is not authorized to perform: sts:AssumeRole on resource: {}",
                                     caller.arn, *arn));
  // Only now: it tells which policies there are.
  if (auto wrong = read_session_policies(call, session)) return std::move(*wrong);
  if (caller.temporary && seconds > 3'600)
    return validation(
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining");
  if (seconds > role->session_s_max)
    return validation("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.");

  session.holder_id = role->id;
  session.issued_s = call.circumstances.now_ms / 1'000;
  session.expires_s = session.issued_s + seconds;
  const std::size_t packed = session.documents.empty() ? 0 : session.documents.front().size() * 100 / 2'048;
  const bool limited = session.limited;
  const auto credentials = call.sessions.issue(session, call.random);
  std::string result = credentials_xml(credentials, session.expires_s);
  result += fmt::format("<AssumedRoleUser>{}{}</AssumedRoleUser>",
                        xml_element("AssumedRoleId", role->id + ":" + session.name),
                        xml_element("Arn", fmt::format("arn:aws:sts::{}:assumed-role/{}/{}",
                                                       call.directory.account, role->name, session.name)));
  if (limited) result += xml_element("PackedPolicySize", std::to_string(std::max<std::size_t>(1, packed)));
  return result;
}

Outcome get_session_token(const Call& call) {
  const Principal& caller = *call.caller.principal;
  if (caller.temporary) return access_denied("Cannot call GetSessionToken with session credentials");
  const bool root = caller.may_do_everything();
  auto asked = duration(call, root ? 3'600 : 43'200, 129'600);
  if (auto* wrong = std::get_if<QueryError>(&asked)) return std::move(*wrong);
  std::int64_t seconds = *std::get_if<std::int64_t>(&asked);
  if (root) seconds = std::min<std::int64_t>(seconds, 3'600);
  Session session{.of = root ? Session::Of::kRoot : Session::Of::kUser};
  if (!root) session.holder_id = caller.id;
  session.issued_s = call.circumstances.now_ms / 1'000;
  session.expires_s = session.issued_s + seconds;
  return credentials_xml(call.sessions.issue(session, call.random), session.expires_s);
}

Outcome get_caller_identity(const Call& call) {
  const Principal& caller = *call.caller.principal;
  const bool unchecked = caller.kind == Principal::Kind::kUnchecked;
  const std::string& account = call.directory.account;
  return xml_element("Arn", unchecked ? fmt::format("arn:aws:iam::{}:root", account) : caller.arn) +
         xml_element("UserId", unchecked ? account : caller.id) + xml_element("Account", account);
}

constexpr std::array<std::string_view, 11> kAssumeRole = {"Action",
                                                          "Version",
                                                          "RoleArn",
                                                          "RoleSessionName",
                                                          "Policy",
                                                          "DurationSeconds",
                                                          "ExternalId",
                                                          "PolicyArns.member.N.arn",
                                                          "Tags.member.N.Key",
                                                          "Tags.member.N.Value",
                                                          "TransitiveTagKeys.member.N"};
constexpr std::array<std::string_view, 3> kGetSessionToken = {"Action", "Version", "DurationSeconds"};
constexpr std::array<std::string_view, 2> kGetCallerIdentity = {"Action", "Version"};

constexpr std::array kOperations = {
    Operation{"AssumeRole", kAssumeRole, assume_role},
    Operation{"GetSessionToken", kGetSessionToken, get_session_token},
    Operation{"GetCallerIdentity", kGetCallerIdentity, get_caller_identity},
};

}  // namespace

const Operation* find_operation(std::string_view name) {
  const auto* found = std::find_if(kOperations.begin(), kOperations.end(),
                                   [&](const Operation& each) { return each.name == name; });
  return found == kOperations.end() ? nullptr : found;
}

}  // namespace millrace::sts
