#include "kms/operation.h"

#include <algorithm>
#include <array>

#include "api/access.h"
#include "api/fault.h"

namespace millrace::kms {

#define OPERATION(name) extern const Operation k##name;
#include "kms/operations.def"
#undef OPERATION

namespace {

struct Entry {
  std::string_view name;
  std::string_view action;
  const Operation* operation;
};

constexpr std::array kEntries = {
#define OPERATION(name) Entry{#name, "kms:" #name, &k##name},
#include "kms/operations.def"
#undef OPERATION
};

const Entry* entry_of(std::string_view name) {
  const auto* found = std::find_if(kEntries.begin(), kEntries.end(),
                                   [name](const Entry& entry) { return entry.name == name; });
  return found == kEntries.end() ? nullptr : found;
}

}  // namespace

const Operation* find_operation(std::string_view name) {
  const Entry* entry = entry_of(name);
  return entry == nullptr ? nullptr : entry->operation;
}

std::string_view action_of(const Operation& operation) {
  const Entry* entry = entry_of(operation.name);
  MR_ASSERT(entry != nullptr);
  return entry->action;
}

void say_kind(Said& said) {
  said.more.push_back({"kms:KeySpec", {"SYMMETRIC_DEFAULT"}});
  said.more.push_back({"kms:KeyUsage", {"ENCRYPT_DECRYPT"}});
  said.more.push_back({"kms:KeyOrigin", {"AWS_KMS"}});
  said.more.push_back({"kms:MultiRegion", {"false"}});
}

namespace {

Outcome ask(Call& call, const identity::AccessRequest& wish) {
  const auto denial =
      call.authorizer.check(call.caller, api::circumstances_of(call.request, call.clock.wall_ms()), wish);
  if (denial.has_value()) return api::access_denied(*denial);
  call.allowed = true;
  call.resource = wish.resource;
  return std::nullopt;
}

}  // namespace

Outcome authorize(Call& call, std::string_view action, const std::string& resource, const Said& said) {
  return ask(call, {.action = action,
                    .resource = resource,
                    .request_tags = said.new_tags,
                    .tag_keys = said.tag_keys,
                    .more = said.more});
}

Outcome authorize_key(Call& call, std::string_view action, const MasterKey& key, std::string_view name,
                      Said said) {
  say_kind(said);
  if (const std::size_t alias = name.find("alias/"); alias != std::string_view::npos)
    said.more.push_back({"kms:RequestAlias", {std::string(name.substr(alias))}});
  const std::string arn = call.service.key_arn(key.id);
  return ask(call, {.action = action,
                    .resource = arn,
                    .policies = {.own = call.service.policy_of(key)},
                    .weight = identity::AccessRequest::Weight::kMustAllow,
                    .resource_tags = &key.tags,
                    .request_tags = said.new_tags,
                    .tag_keys = said.tag_keys,
                    .more = said.more});
}

Result<std::shared_ptr<const MasterKey>> allowed_key(Call& call, std::string_view name, Outcome& refused,
                                                     Said said) {
  auto key = call.service.find(name);
  // Whether there is such a key is told only to who might use it.
  refused = key.ok() ? authorize_key(call, call.action, **key, name, std::move(said))
                     : authorize(call, call.action, "*", said);
  if (!refused.has_value() && !key.ok()) refused = from_house(key.error());
  return key;
}

ApiError from_house(const Error& error) {
  switch (error.kind) {
    case ErrorKind::kInvalid:
      return {"ValidationException", error.text};
    case ErrorKind::kNotFound:
    case ErrorKind::kKeyNotFound:
      return {"NotFoundException", error.text};
    case ErrorKind::kConflict:
      return {"AlreadyExistsException", error.text};
    case ErrorKind::kLimit:
      return {"LimitExceededException", error.text};
    case ErrorKind::kThrottled:
    case ErrorKind::kKeyThrottled:
      return {"ThrottlingException", error.text};
    case ErrorKind::kKeyDisabled:
      return {"DisabledException", error.text};
    case ErrorKind::kKeyInvalidState:
      return {"KMSInvalidStateException", error.text};
    case ErrorKind::kKeyDenied:
      return {"AccessDeniedException", error.text};
    case ErrorKind::kKeyOptIn:
      return {"OptInRequired", error.text};
    case ErrorKind::kCorrupt:
      return {"InvalidCiphertextException", error.text};
    case ErrorKind::kUnavailable:
      return {"KeyUnavailableException", api::fault_text(error), 500};
    case ErrorKind::kUnknown:
    case ErrorKind::kFenced:
      return {"KMSInternalException", api::fault_text(error), 500};
  }
  MR_ASSERT(false);
  __builtin_unreachable();
}

}  // namespace millrace::kms
