// source: AWS Kinesis API reference, DeleteStream

#include "kinesis/operation.h"
#include "kinesis/stream_ref.h"

namespace millrace::kinesis {
namespace {

struct DeleteStreamRequest : StreamRef {
  std::optional<bool>
      enforce_consumer_deletion;  // there are no registered consumers that could stand against it
};

constexpr Field kFields[] = {
    stream_name<DeleteStreamRequest>(),
    field<DeleteStreamRequest, &DeleteStreamRequest::enforce_consumer_deletion>("EnforceConsumerDeletion"),
    stream_arn<DeleteStreamRequest>(),
    stream_id<DeleteStreamRequest>(),
};

Task<Outcome> run(Call& call, DeleteStreamRequest request) {
  auto found = find_stream(call, request);
  if (auto* error = std::get_if<ApiError>(&found); error != nullptr) co_return std::move(*error);
  const StreamPlace& place = std::get_if<FoundStream>(&found)->place;
  Task<Result<void>> deleting = call.broker.delete_stream(place.name);
  auto deleted = co_await std::move(deleting);
  if (!deleted.ok()) co_return command_failed(deleted.error(), place);
  co_return std::nullopt;
}

}  // namespace

extern const Operation kDeleteStream;
const Operation kDeleteStream = operation<DeleteStreamRequest, kFields, run>("DeleteStream");

}  // namespace millrace::kinesis
