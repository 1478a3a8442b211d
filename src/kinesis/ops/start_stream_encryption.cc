// source: AWS Kinesis API reference, StartStreamEncryption
// What it does to records is in docs/decisions/0012-encryption-at-rest.md.

#include "kinesis/encryption_fields.h"
#include "kinesis/operation.h"
#include "kinesis/stream_ref.h"

namespace millrace::kinesis::start_stream_encryption {
namespace {

struct StartStreamEncryptionRequest : StreamRef {
  EncryptionMembers encryption;
};

constexpr Field kFields[] = {
    encryption_type<StartStreamEncryptionRequest>(), key_id<StartStreamEncryptionRequest>(),
    stream_name<StartStreamEncryptionRequest>(),     stream_arn<StartStreamEncryptionRequest>(),
    stream_id<StartStreamEncryptionRequest>(),
};

// As the service has it, who names a key must be allowed to look at it; who puts and who reads needs more of
// it. source: Kinesis Developer Guide, "Permissions to use user-generated KMS keys", of stream administrators
Outcome check_key(Call& call, const std::string& key_id, const std::string& master_key,
                  const std::string& stream) {
  if (is_for_everybody(call, key_id, master_key)) return std::nullopt;
  return authorize_key(call, "kms:DescribeKey", master_key, stream);
}

// What is known of the key without another service. That there is none is told only to who might look at it.
Outcome check_known_key(Call& call, const std::string& key_id, const std::string& stream) {
  if (call.options.own_key.empty()) return std::nullopt;
  const auto key = call.broker.options().master_keys->access_to(key_id);
  return check_key(call, key_id, key.has_value() ? key->arn : "*", stream);
}

Task<Outcome> run(Call& call, StartStreamEncryptionRequest request) {
  auto result = find_stream(call, request);
  if (auto* error = std::get_if<ApiError>(&result); error != nullptr) co_return std::move(*error);
  const FoundStream& found = *std::get_if<FoundStream>(&result);
  if (Outcome wrong = check_type(request.encryption); wrong.has_value()) co_return wrong;
  if (found.stream->status != broker::StreamStatus::kActive)
    co_return not_active(found.place, found.stream->status);
  const std::string& key_id = request.encryption.key_id;
  if (Outcome denied = check_known_key(call, key_id, found.place.name); denied.has_value()) co_return denied;
  // Asked again: an alias may have moved meanwhile.
  broker::Broker::KeyCheck may_use = [&](const std::string& master_key) -> Result<void> {
    const Outcome denied = check_key(call, key_id, master_key, found.place.name);
    if (denied.has_value()) return Error{ErrorKind::kKeyDenied, denied->message};
    return {};
  };
  Task<Result<void>> starting = call.broker.start_encryption(found.place.name, key_id, std::move(may_use));
  auto started = co_await std::move(starting);
  if (!started.ok()) co_return command_failed(started.error(), found.place);
  co_return std::nullopt;
}

}  // namespace

extern const Operation kStartStreamEncryption;
const Operation kStartStreamEncryption =
    operation<StartStreamEncryptionRequest, kFields, run>("StartStreamEncryption");

}  // namespace millrace::kinesis::start_stream_encryption
