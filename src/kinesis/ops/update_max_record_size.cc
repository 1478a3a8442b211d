// source: comments of @aws-sdk/client-kinesis, UpdateMaxRecordSize

#include "kinesis/operation.h"
#include "kinesis/stream_ref.h"
#include "kinesis/stream_settings.h"

namespace millrace::kinesis::update_max_record_size {
namespace {

struct UpdateMaxRecordSizeRequest {
  std::optional<std::string> stream_arn;
  std::int32_t max_record_kib = 0;
  std::optional<std::string> stream_id;

  Wanted access(Call& call) const {
    // The service's model does not ask for it, and has no other way to name the stream.
    if (!stream_arn.has_value())
      return validation(
          "1 validation error detected: Value null at 'streamARN' failed to satisfy constraint: Member must "
          "not be null");
    return access_to_resource(call, *stream_arn);
  }
};

constexpr Field kFields[] = {
    stream_arn<UpdateMaxRecordSizeRequest>(),
    field<UpdateMaxRecordSizeRequest, &UpdateMaxRecordSizeRequest::max_record_kib>("MaxRecordSizeInKiB",
                                                                                   {.min = kMaxRecordKiBMin}),
    stream_id<UpdateMaxRecordSizeRequest>(),
};

Task<Outcome> run(Call& call, UpdateMaxRecordSizeRequest request) {
  if (Outcome wrong = check_max_record_size(call, request.max_record_kib); wrong.has_value()) co_return wrong;
  auto result = find_resource(call, *request.stream_arn);
  if (auto* error = std::get_if<ApiError>(&result); error != nullptr) co_return std::move(*error);
  const FoundStream& found = *std::get_if<FoundStream>(&result);
  if (found.stream->status != broker::StreamStatus::kActive)
    co_return not_active(found.place, found.stream->status);

  broker::StreamSettings settings;
  settings.max_record_kib = request.max_record_kib;
  Task<Result<void>> configuring = call.broker.configure_stream(found.place.name, std::move(settings));
  auto configured = co_await std::move(configuring);
  if (!configured.ok()) co_return command_failed(configured.error(), found.place);
  co_return std::nullopt;
}

}  // namespace

extern const Operation kUpdateMaxRecordSize;
const Operation kUpdateMaxRecordSize =
    operation<UpdateMaxRecordSizeRequest, kFields, run>("UpdateMaxRecordSize");

}  // namespace millrace::kinesis::update_max_record_size
