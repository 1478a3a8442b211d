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

Task<Outcome> run(Call& call, StartStreamEncryptionRequest request) {
  auto result = find_stream(call, request);
  if (auto* error = std::get_if<ApiError>(&result); error != nullptr) co_return std::move(*error);
  const FoundStream& found = *std::get_if<FoundStream>(&result);
  if (Outcome wrong = check_type(request.encryption); wrong.has_value()) co_return wrong;
  if (found.stream->status != broker::StreamStatus::kActive) co_return not_active(found);
  Task<Result<void>> starting =
      call.broker.start_encryption(found.place.name, std::move(request.encryption.key_id));
  auto started = co_await std::move(starting);
  if (!started.ok()) co_return command_failed(started.error(), found.place);
  co_return std::nullopt;
}

}  // namespace

extern const Operation kStartStreamEncryption;
const Operation kStartStreamEncryption =
    operation<StartStreamEncryptionRequest, kFields, run>("StartStreamEncryption");

}  // namespace millrace::kinesis::start_stream_encryption
