// New secrets for master keys: by the calendar, or now.
// source: AWS KMS API reference, EnableKeyRotation, DisableKeyRotation, GetKeyRotationStatus,
// RotateKeyOnDemand

#include <fmt/format.h>

#include "base/clock.h"
#include "kms/operation.h"

namespace millrace::kms {
namespace {

struct RotationRequest {
  std::string key_id;
  std::optional<std::int32_t> days;
};
constexpr Field kRotationKeyIdField =
    field<RotationRequest, &RotationRequest::key_id>("KeyId", {.min = 1, .max = 2'048});
constexpr Field kEnableFields[] = {
    kRotationKeyIdField,
    field<RotationRequest, &RotationRequest::days>("RotationPeriodInDays", {.min = 90, .max = 2'560}),
};
constexpr Field kRotationKeyFields[] = {kRotationKeyIdField};

Task<Outcome> set_rotation(Call& call, RotationRequest request, bool rotates) {
  Outcome refused;
  const auto key = allowed_key(call, request.key_id, refused);
  if (refused.has_value()) co_return refused;
  auto editing = call.service.edit_key(
      (*key)->id, [&call, rotates, days = request.days](MasterKey& changed) -> Result<void> {
        const std::string arn = call.service.key_arn(changed.id);
        if (changed.deletion_ms)
          return Error{ErrorKind::kKeyInvalidState, fmt::format("{} is pending deletion.", arn)};
        if (!changed.enabled) return Error{ErrorKind::kKeyDisabled, fmt::format("{} is disabled.", arn)};
        changed.rotates = rotates;
        if (rotates) changed.rotation_days = days.value_or(365);
        return {};
      });
  auto edited = co_await std::move(editing);
  if (!edited.ok()) co_return from_house(edited.error());
  co_return std::nullopt;
}
Task<Outcome> enable_rotation(Call& call, RotationRequest request) {
  return set_rotation(call, std::move(request), true);
}
Task<Outcome> disable_rotation(Call& call, RotationRequest request) {
  return set_rotation(call, std::move(request), false);
}

Task<Outcome> rotation_status(Call& call, RotationRequest request) {
  Outcome refused;
  const auto key = allowed_key(call, request.key_id, refused);
  if (refused.has_value()) co_return refused;
  const bool rotates = ((*key)->rotates || (*key)->aws_managed) && !(*key)->deletion_ms;
  Writer& writer = call.reply;
  writer.begin_object();
  writer.member("KeyId", call.service.key_arn((*key)->id));
  writer.member("KeyRotationEnabled", rotates);
  if (rotates) {
    writer.member("RotationPeriodInDays", (*key)->rotation_days);
    writer.key("NextRotationDate");
    writer.timestamp((*key)->materials.back().made_ms + (*key)->rotation_days * kMsPerDay);
  }
  writer.end_object();
  co_return std::nullopt;
}

Task<Outcome> rotate_now(Call& call, RotationRequest request) {
  Outcome refused;
  const auto key = allowed_key(call, request.key_id, refused);
  if (refused.has_value()) co_return refused;
  if ((*key)->aws_managed)
    co_return ApiError{"UnsupportedOperationException", "Keys that AWS manages rotate by themselves."};
  auto rotating = call.service.rotate_key((*key)->id);
  auto rotated = co_await std::move(rotating);
  if (!rotated.ok()) co_return from_house(rotated.error());
  call.reply.begin_object();
  call.reply.member("KeyId", (*rotated)->id);
  call.reply.end_object();
  co_return std::nullopt;
}

}  // namespace

extern const Operation kEnableKeyRotation, kDisableKeyRotation, kGetKeyRotationStatus, kRotateKeyOnDemand;
const Operation kEnableKeyRotation =
    operation<RotationRequest, kEnableFields, enable_rotation>("EnableKeyRotation");
const Operation kDisableKeyRotation =
    operation<RotationRequest, kRotationKeyFields, disable_rotation>("DisableKeyRotation");
const Operation kGetKeyRotationStatus =
    operation<RotationRequest, kRotationKeyFields, rotation_status>("GetKeyRotationStatus");
const Operation kRotateKeyOnDemand =
    operation<RotationRequest, kRotationKeyFields, rotate_now>("RotateKeyOnDemand");

}  // namespace millrace::kms
