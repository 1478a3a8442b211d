// source: AWS Kinesis API reference, StopStreamEncryption
// Records that are encrypted stay so, and stay readable. The key that is given need not be the one in use.

#include "kinesis/encryption_fields.h"
#include "kinesis/operation.h"
#include "kinesis/stream_ref.h"

namespace millrace::kinesis::stop_stream_encryption {
namespace {

struct StopStreamEncryptionRequest : StreamRef {
  EncryptionMembers encryption;
};

constexpr Field kFields[] = {
    encryption_type<StopStreamEncryptionRequest>(), key_id<StopStreamEncryptionRequest>(),
    stream_name<StopStreamEncryptionRequest>(),     stream_arn<StopStreamEncryptionRequest>(),
    stream_id<StopStreamEncryptionRequest>(),
};

Task<Outcome> run(Call& call, StopStreamEncryptionRequest request) {
  auto result = find_stream(call, request);
  if (auto* error = std::get_if<ApiError>(&result); error != nullptr) co_return std::move(*error);
  const FoundStream& found = *std::get_if<FoundStream>(&result);
  if (Outcome wrong = check_type(request.encryption); wrong.has_value()) co_return wrong;
  if (found.stream->status != broker::StreamStatus::kActive)
    co_return not_active(found.place, found.stream->status);
  Task<Result<void>> stopping = call.broker.stop_encryption(found.place.name);
  auto stopped = co_await std::move(stopping);
  if (!stopped.ok()) co_return command_failed(stopped.error(), found.place);
  co_return std::nullopt;
}

}  // namespace

extern const Operation kStopStreamEncryption;
const Operation kStopStreamEncryption =
    operation<StopStreamEncryptionRequest, kFields, run>("StopStreamEncryption");

}  // namespace millrace::kinesis::stop_stream_encryption
