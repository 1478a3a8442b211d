// What master keys there are, and whether they may be used.
// source: AWS KMS API reference, CreateKey, DescribeKey, ListKeys, EnableKey, DisableKey,
// UpdateKeyDescription, ScheduleKeyDeletion, CancelKeyDeletion; texts as LocalStack's tests recorded them

#include <fmt/format.h>

#include <algorithm>

#include "base/clock.h"
#include "kms/key_metadata.h"
#include "kms/key_policy.h"

namespace millrace::kms {

std::string_view state_text(const MasterKey& key) {
  if (key.deletion_ms) return "PendingDeletion";
  return key.enabled ? "Enabled" : "Disabled";
}

void write_metadata(Call& call, const MasterKey& key) {
  Writer& writer = call.reply;
  writer.begin_object();
  writer.member("AWSAccountId", call.service.options().account);
  writer.member("KeyId", key.id);
  writer.member("Arn", call.service.key_arn(key.id));
  writer.key("CreationDate");
  writer.timestamp(key.created_ms);
  writer.member("Enabled", key.enabled && !key.deletion_ms);
  writer.member("Description", key.description);
  writer.member("KeyUsage", "ENCRYPT_DECRYPT");
  writer.member("KeyState", state_text(key));
  if (key.deletion_ms) {
    writer.key("DeletionDate");
    writer.timestamp(*key.deletion_ms);
  }
  writer.member("Origin", "AWS_KMS");
  writer.member("KeyManager", key.aws_managed ? "AWS" : "CUSTOMER");
  writer.member("CustomerMasterKeySpec", "SYMMETRIC_DEFAULT");
  writer.member("KeySpec", "SYMMETRIC_DEFAULT");
  writer.key("EncryptionAlgorithms");
  writer.begin_list();
  writer.text("SYMMETRIC_DEFAULT");
  writer.end_list();
  writer.member("MultiRegion", false);
  writer.end_object();
}

namespace {

struct OfKey {
  std::string key_id;
};
constexpr Field kKeyIdField = field<OfKey, &OfKey::key_id>("KeyId", {.min = 1, .max = 2'048});

// --- CreateKey

constexpr std::string_view kUsages[] = {"SIGN_VERIFY", "ENCRYPT_DECRYPT", "GENERATE_VERIFY_MAC",
                                        "KEY_AGREEMENT"};

struct CreateKeyRequest {
  std::optional<std::string> description;
  std::optional<std::string> key_usage;
  std::optional<std::string> key_spec;
  std::optional<std::string> master_key_spec;
  std::optional<std::string> origin;
  std::optional<bool> multi_region;
  std::optional<std::vector<Tag>> tags;
  std::optional<std::string> policy;
  std::optional<bool> bypass;
};
constexpr Field kCreateKeyFields[] = {
    field<CreateKeyRequest, &CreateKeyRequest::policy>("Policy", kPolicyRules),
    field<CreateKeyRequest, &CreateKeyRequest::bypass>("BypassPolicyLockoutSafetyCheck"),
    field<CreateKeyRequest, &CreateKeyRequest::description>("Description", {.min = 0, .max = 8'192}),
    field<CreateKeyRequest, &CreateKeyRequest::key_usage>(
        "KeyUsage", {.allowed = kUsages, .allowed_count = std::size(kUsages)}),
    field<CreateKeyRequest, &CreateKeyRequest::key_spec>("KeySpec"),
    field<CreateKeyRequest, &CreateKeyRequest::master_key_spec>("CustomerMasterKeySpec"),
    field<CreateKeyRequest, &CreateKeyRequest::origin>("Origin"),
    field<CreateKeyRequest, &CreateKeyRequest::multi_region>("MultiRegion"),
    field<CreateKeyRequest, &CreateKeyRequest::tags>("Tags", {.min = 0, .max = 50}),
};

Outcome check_kind(const CreateKeyRequest& request) {
  const auto other = [](const std::optional<std::string>& value, std::string_view only) {
    return value.has_value() && *value != only;
  };
  if (other(request.key_spec, "SYMMETRIC_DEFAULT") || other(request.master_key_spec, "SYMMETRIC_DEFAULT") ||
      other(request.key_usage, "ENCRYPT_DECRYPT"))
    return ApiError{"UnsupportedOperationException",
                    "Only symmetric keys for ENCRYPT_DECRYPT are kept here."};
  if (other(request.origin, "AWS_KMS") || request.multi_region.value_or(false))
    return ApiError{"UnsupportedOperationException",
                    "Keys have their material from this server, and are of one region."};
  return std::nullopt;
}

Task<Outcome> create_key(Call& call, CreateKeyRequest request) {
  const bool bypass = request.bypass.value_or(false);
  std::map<std::string, std::string> tags;
  Outcome wrong_tags;
  if (request.tags.has_value()) wrong_tags = add_tags(*request.tags, tags);
  Said said = say_bypass(bypass);
  said.new_tags = &tags;
  say_kind(said);
  if (Outcome denied = authorize(call, call.action, "*", said); denied.has_value()) co_return denied;
  if (!tags.empty()) {
    // Of the key that is about to be, whose id nobody knows: what holds for all keys.
    Outcome denied = authorize(call, "kms:TagResource", call.service.key_arn("*"), said);
    if (denied.has_value()) co_return denied;
  }
  if (Outcome wrong = check_kind(request); wrong.has_value()) co_return wrong;
  if (wrong_tags.has_value()) co_return wrong_tags;
  std::shared_ptr<const std::string> policy;
  if (request.policy.has_value()) {
    Outcome wrong = check_key_policy(call, *request.policy, call.service.key_arn("*"), bypass);
    if (wrong.has_value()) co_return wrong;
    policy = std::make_shared<const std::string>(std::move(*request.policy));
  }
  auto making = call.service.create_key(request.description.value_or(""), std::move(tags), std::move(policy));
  auto made = co_await std::move(making);
  if (!made.ok()) co_return from_house(made.error());
  call.reply.begin_object();
  call.reply.key("KeyMetadata");
  write_metadata(call, **made);
  call.reply.end_object();
  co_return std::nullopt;
}

// --- DescribeKey, and the operations that say nothing when they go well

struct KeyRequest : OfKey {};
constexpr Field kKeyFields[] = {kKeyIdField};

Task<Outcome> describe_key(Call& call, KeyRequest request) {
  Outcome refused;
  const auto key = allowed_key(call, request.key_id, refused);
  if (refused.has_value()) co_return refused;
  call.reply.begin_object();
  call.reply.key("KeyMetadata");
  write_metadata(call, **key);
  call.reply.end_object();
  co_return std::nullopt;
}

Error pending_deletion(Call& call, const MasterKey& key, bool is) {
  return {ErrorKind::kKeyInvalidState,
          fmt::format("{} {} pending deletion.", call.service.key_arn(key.id), is ? "is" : "is not")};
}

Task<Outcome> edit(Call& call, std::string key_id, keys::KeyService::Edit change) {
  Outcome refused;
  const auto key = allowed_key(call, key_id, refused);
  if (refused.has_value()) co_return refused;
  auto editing = call.service.edit_key((*key)->id, std::move(change));
  auto edited = co_await std::move(editing);
  if (!edited.ok()) co_return from_house(edited.error());
  co_return std::nullopt;
}

Task<Outcome> set_enabled(Call& call, std::string key_id, bool enabled) {
  return edit(call, std::move(key_id), [&call, enabled](MasterKey& key) -> Result<void> {
    if (key.deletion_ms) return pending_deletion(call, key, true);
    key.enabled = enabled;
    return {};
  });
}
Task<Outcome> enable_key(Call& call, KeyRequest request) {
  return set_enabled(call, std::move(request.key_id), true);
}
Task<Outcome> disable_key(Call& call, KeyRequest request) {
  return set_enabled(call, std::move(request.key_id), false);
}

struct UpdateKeyDescriptionRequest : OfKey {
  std::string description;
};
constexpr Field kDescriptionFields[] = {
    kKeyIdField,
    field<UpdateKeyDescriptionRequest, &UpdateKeyDescriptionRequest::description>("Description",
                                                                                  {.min = 0, .max = 8'192}),
};
Task<Outcome> update_key_description(Call& call, UpdateKeyDescriptionRequest request) {
  return edit(call, std::move(request.key_id),
              [&call, text = std::move(request.description)](MasterKey& key) -> Result<void> {
                if (key.deletion_ms) return pending_deletion(call, key, true);
                key.description = text;
                return {};
              });
}

// --- Deletion

struct ScheduleKeyDeletionRequest : OfKey {
  std::optional<std::int32_t> days;
};
constexpr Field kScheduleFields[] = {
    kKeyIdField,
    field<ScheduleKeyDeletionRequest, &ScheduleKeyDeletionRequest::days>("PendingWindowInDays",
                                                                         {.min = 1, .max = 365}),
};
Task<Outcome> schedule_key_deletion(Call& call, ScheduleKeyDeletionRequest request) {
  const std::int32_t days = request.days.value_or(30);
  if (days < 7 || days > keys::kDeletionDaysMax)
    co_return ApiError{"ValidationException",
                       fmt::format("PendingWindowInDays is {}: must be between 7 and 30 days", days)};
  const std::int64_t at_ms = call.service.clock().wall_ms() + days * kMsPerDay;
  Outcome refused;
  const auto key = allowed_key(call, request.key_id, refused);
  if (refused.has_value()) co_return refused;
  auto editing = call.service.edit_key((*key)->id, [&call, at_ms, days](MasterKey& changed) -> Result<void> {
    if (changed.deletion_ms) return pending_deletion(call, changed, true);
    changed.deletion_ms = at_ms;
    changed.deletion_days = days;
    return {};
  });
  auto edited = co_await std::move(editing);
  if (!edited.ok()) co_return from_house(edited.error());
  call.reply.begin_object();
  call.reply.member("KeyId", call.service.key_arn((*edited)->id));
  call.reply.key("DeletionDate");
  call.reply.timestamp(at_ms);
  call.reply.member("KeyState", state_text(**edited));
  call.reply.member("PendingWindowInDays", std::int64_t{days});
  call.reply.end_object();
  co_return std::nullopt;
}

Task<Outcome> cancel_key_deletion(Call& call, KeyRequest request) {
  Outcome refused;
  const auto key = allowed_key(call, request.key_id, refused);
  if (refused.has_value()) co_return refused;
  auto editing = call.service.edit_key((*key)->id, [&call](MasterKey& changed) -> Result<void> {
    if (!changed.deletion_ms) return pending_deletion(call, changed, false);
    changed.deletion_ms.reset();
    changed.enabled = false;  // as the service does it: somebody must want it in so many words
    return {};
  });
  auto edited = co_await std::move(editing);
  if (!edited.ok()) co_return from_house(edited.error());
  call.reply.begin_object();
  call.reply.member("KeyId", call.service.key_arn((*edited)->id));
  call.reply.end_object();
  co_return std::nullopt;
}

// --- ListKeys

struct ListKeysRequest {
  std::optional<std::int32_t> limit;
  std::optional<std::string> marker;
};
constexpr Field kListKeysFields[] = {
    field<ListKeysRequest, &ListKeysRequest::limit>("Limit", {.min = 1, .max = 1'000}),
    field<ListKeysRequest, &ListKeysRequest::marker>("Marker", {.min = 1, .max = 1'024}),
};
Task<Outcome> list_keys(Call& call, ListKeysRequest request) {
  if (Outcome denied = authorize(call, call.action, "*"); denied.has_value()) co_return denied;
  const auto state = call.service.state();
  const auto limit = static_cast<std::size_t>(request.limit.value_or(100));
  auto at = request.marker.has_value() ? state->keys.upper_bound(*request.marker) : state->keys.begin();
  Writer& writer = call.reply;
  writer.begin_object();
  writer.key("Keys");
  writer.begin_list();
  std::string last;
  for (std::size_t count = 0; at != state->keys.end() && count < limit; ++at, ++count) {
    last = at->first;
    writer.begin_object();
    writer.member("KeyId", last);
    writer.member("KeyArn", call.service.key_arn(last));
    writer.end_object();
  }
  writer.end_list();
  if (at != state->keys.end()) writer.member("NextMarker", last);
  writer.member("Truncated", at != state->keys.end());
  writer.end_object();
  co_return std::nullopt;
}

}  // namespace

extern const Operation kCreateKey, kDescribeKey, kListKeys, kEnableKey, kDisableKey, kUpdateKeyDescription,
    kScheduleKeyDeletion, kCancelKeyDeletion;
const Operation kCreateKey = operation<CreateKeyRequest, kCreateKeyFields, create_key>("CreateKey");
const Operation kDescribeKey = operation<KeyRequest, kKeyFields, describe_key>("DescribeKey");
const Operation kListKeys = operation<ListKeysRequest, kListKeysFields, list_keys>("ListKeys");
const Operation kEnableKey = operation<KeyRequest, kKeyFields, enable_key>("EnableKey");
const Operation kDisableKey = operation<KeyRequest, kKeyFields, disable_key>("DisableKey");
const Operation kUpdateKeyDescription =
    operation<UpdateKeyDescriptionRequest, kDescriptionFields, update_key_description>(
        "UpdateKeyDescription");
const Operation kScheduleKeyDeletion =
    operation<ScheduleKeyDeletionRequest, kScheduleFields, schedule_key_deletion>("ScheduleKeyDeletion");
const Operation kCancelKeyDeletion =
    operation<KeyRequest, kKeyFields, cancel_key_deletion>("CancelKeyDeletion");

}  // namespace millrace::kms
