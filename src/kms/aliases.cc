// Names of master keys.
// source: AWS KMS API reference, CreateAlias, UpdateAlias, DeleteAlias, ListAliases

#include <fmt/format.h>

#include <algorithm>

#include "kms/operation.h"

namespace millrace::kms {
namespace {

bool is_alias_name(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ':' ||
           c == '/' || c == '_' || c == '-';
  });
}
constexpr api::Pattern kAliasPattern{"^[a-zA-Z0-9:/_-]+$", is_alias_name};

struct AliasRequest {
  std::string alias_name;
  std::string target;
};
constexpr Field kAliasName = field<AliasRequest, &AliasRequest::alias_name>(
    "AliasName", {.pattern = &kAliasPattern, .min = 1, .max = 256});
constexpr Field kAliasFields[] = {
    kAliasName,
    field<AliasRequest, &AliasRequest::target>("TargetKeyId", {.min = 1, .max = 2'048}),
};
constexpr Field kNameFields[] = {kAliasName};

// Names of keys that are the server's own are its own too.
Outcome check_name(std::string_view name) {
  if (name.starts_with("alias/aws/")) return ApiError{"NotAuthorizedException"};
  if (name.starts_with("alias/") && name.size() > 6 && name.find(':') == std::string_view::npos)
    return std::nullopt;
  return ApiError{"ValidationException",
                  "Alias must start with the prefix \"alias/\". Please see "
                  "https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html"};
}

// The call's own action on the key that the alias names now, where there is one.
Outcome authorize_target(Call& call, const std::string& alias) {
  const auto key = call.service.find(alias);
  return key.ok() ? authorize_key(call, call.action, **key, alias) : std::nullopt;
}

Task<Outcome> set_alias(Call& call, AliasRequest request, bool exists) {
  if (Outcome denied = authorize(call, call.action, call.service.alias_arn(request.alias_name));
      denied.has_value())
    co_return denied;
  if (Outcome wrong = check_name(request.alias_name); wrong.has_value()) co_return wrong;
  if (request.target.starts_with("alias/") || request.target.find(":alias/") != std::string::npos)
    co_return ApiError{"ValidationException", "Aliases must refer to keys. Not aliases"};
  // The caller must be allowed the key too, and the one that the alias leaves.
  if (exists) {
    if (Outcome denied = authorize_target(call, request.alias_name); denied.has_value()) co_return denied;
  }
  Outcome refused;
  const auto key = allowed_key(call, request.target, refused);
  if (refused.has_value()) co_return refused;
  auto setting = call.service.set_alias(std::move(request.alias_name), (*key)->id, exists);
  auto set = co_await std::move(setting);
  if (!set.ok()) co_return from_house(set.error());
  co_return std::nullopt;
}
Task<Outcome> create_alias(Call& call, AliasRequest request) {
  return set_alias(call, std::move(request), false);
}
Task<Outcome> update_alias(Call& call, AliasRequest request) {
  return set_alias(call, std::move(request), true);
}

Task<Outcome> delete_alias(Call& call, AliasRequest request) {
  if (Outcome denied = authorize(call, call.action, call.service.alias_arn(request.alias_name));
      denied.has_value())
    co_return denied;
  if (Outcome wrong = check_name(request.alias_name); wrong.has_value()) co_return wrong;
  if (Outcome denied = authorize_target(call, request.alias_name); denied.has_value()) co_return denied;
  auto removing = call.service.remove_alias(std::move(request.alias_name));
  auto removed = co_await std::move(removing);
  if (!removed.ok()) co_return from_house(removed.error());
  co_return std::nullopt;
}

struct ListAliasesRequest {
  std::optional<std::string> key_id;
  std::optional<std::int32_t> limit;
  std::optional<std::string> marker;
};
constexpr Field kListAliasesFields[] = {
    field<ListAliasesRequest, &ListAliasesRequest::key_id>("KeyId", {.min = 1, .max = 2'048}),
    field<ListAliasesRequest, &ListAliasesRequest::limit>("Limit", {.min = 1, .max = 100}),
    field<ListAliasesRequest, &ListAliasesRequest::marker>("Marker", {.min = 1, .max = 1'024}),
};

Task<Outcome> list_aliases(Call& call, ListAliasesRequest request) {
  if (Outcome denied = authorize(call, call.action, "*"); denied.has_value()) co_return denied;
  std::string only;
  if (request.key_id.has_value()) {
    const auto key = call.service.find(*request.key_id);
    if (!key.ok()) co_return from_house(key.error());
    only = (*key)->id;
  }
  const auto state = call.service.state();
  const auto limit = static_cast<std::size_t>(request.limit.value_or(50));
  Writer& writer = call.reply;
  writer.begin_object();
  writer.key("Aliases");
  writer.begin_list();
  std::string last;
  std::size_t count = 0;
  auto at = request.marker.has_value() ? state->aliases.upper_bound(*request.marker) : state->aliases.begin();
  for (; at != state->aliases.end(); ++at) {
    const keys::Alias& alias = at->second;
    if (!only.empty() && alias.key != only) continue;
    if (count++ == limit) break;
    last = alias.name;
    writer.begin_object();
    writer.member("AliasName", alias.name);
    writer.member("AliasArn", call.service.alias_arn(alias.name));
    writer.member("TargetKeyId", alias.key);
    writer.key("CreationDate");
    writer.timestamp(alias.created_ms);
    writer.key("LastUpdatedDate");
    writer.timestamp(alias.updated_ms);
    writer.end_object();
  }
  writer.end_list();
  if (at != state->aliases.end()) writer.member("NextMarker", last);
  writer.member("Truncated", at != state->aliases.end());
  writer.end_object();
  co_return std::nullopt;
}

}  // namespace

extern const Operation kCreateAlias, kUpdateAlias, kDeleteAlias, kListAliases;
const Operation kCreateAlias = operation<AliasRequest, kAliasFields, create_alias>("CreateAlias");
const Operation kUpdateAlias = operation<AliasRequest, kAliasFields, update_alias>("UpdateAlias");
const Operation kDeleteAlias = operation<AliasRequest, kNameFields, delete_alias>("DeleteAlias");
const Operation kListAliases = operation<ListAliasesRequest, kListAliasesFields, list_aliases>("ListAliases");

}  // namespace millrace::kms
