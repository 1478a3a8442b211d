// source: AWS Kinesis API reference, DeleteStream

#include <fmt/format.h>

#include "kinesis/operation.h"
#include "kinesis/stream_ref.h"

namespace millrace::kinesis::delete_stream {
namespace {

struct DeleteStreamRequest : StreamRef {
  std::optional<bool> enforce_consumer_deletion;
};

constexpr Field kFields[] = {
    stream_name<DeleteStreamRequest>(),
    field<DeleteStreamRequest, &DeleteStreamRequest::enforce_consumer_deletion>("EnforceConsumerDeletion"),
    stream_arn<DeleteStreamRequest>(),
    stream_id<DeleteStreamRequest>(),
};

ApiError has_consumers(const StreamPlace& place) {
  return in_use(fmt::format(
      "DeleteStream can't delete {0}:{1} because there are consumers associated with this data stream. To "
      "delete {1} anyway, set the EnforceConsumerDeletion parameter to true to force the deletion of all the "
      "consumers that are associated with it.",
      place.account, place.name));
}

Task<Outcome> run(Call& call, DeleteStreamRequest request) {
  auto found = find_stream(call, request);
  if (auto* error = std::get_if<ApiError>(&found); error != nullptr) co_return std::move(*error);
  const StreamPlace& place = std::get_if<FoundStream>(&found)->place;
  Task<Result<void>> deleting =
      call.broker.delete_stream(place.name, request.enforce_consumer_deletion.value_or(false));
  auto deleted = co_await std::move(deleting);
  if (!deleted.ok() && deleted.error().kind == ErrorKind::kConflict) co_return has_consumers(place);
  if (!deleted.ok()) co_return command_failed(deleted.error(), place);
  co_return std::nullopt;
}

}  // namespace

extern const Operation kDeleteStream;
const Operation kDeleteStream = operation<DeleteStreamRequest, kFields, run>("DeleteStream");

}  // namespace millrace::kinesis::delete_stream
