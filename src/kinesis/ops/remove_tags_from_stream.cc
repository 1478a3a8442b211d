// source: AWS Kinesis API reference, RemoveTagsFromStream; texts as recorded by kinesalite's tests

#include "kinesis/operation.h"
#include "kinesis/stream_ref.h"
#include "kinesis/stream_tags.h"

namespace millrace::kinesis::remove_tags_from_stream {
namespace {

struct RemoveTagsFromStreamRequest : StreamRef {
  std::vector<std::string> tag_keys;

  Wanted access(Call& call) const {
    Wanted wanted = StreamRef::access(call);
    if (auto* access = std::get_if<Access>(&wanted); access != nullptr) access->tag_keys = tag_keys;
    return wanted;
  }
};

constexpr Field kFields[] = {
    field<RemoveTagsFromStreamRequest, &RemoveTagsFromStreamRequest::tag_keys>("TagKeys", kTagKeyListRules),
    stream_name<RemoveTagsFromStreamRequest>(),
    stream_arn<RemoveTagsFromStreamRequest>(),
    stream_id<RemoveTagsFromStreamRequest>(),
};

Task<Outcome> run(Call& call, RemoveTagsFromStreamRequest request) {
  auto result = find_stream(call, request);
  if (auto* error = std::get_if<ApiError>(&result); error != nullptr) co_return std::move(*error);
  const FoundStream& found = *std::get_if<FoundStream>(&result);
  if (Outcome wrong = check_tag_keys(request.tag_keys, found.place); wrong.has_value()) co_return wrong;
  if (Outcome busy = check_taggable(found.place, *found.stream); busy.has_value()) co_return busy;
  Task<Result<void>> removing =
      call.broker.remove_tags(found.place.name, std::nullopt, std::move(request.tag_keys));
  auto removed = co_await std::move(removing);
  if (!removed.ok()) co_return command_failed(removed.error(), found.place);
  co_return std::nullopt;
}

}  // namespace

extern const Operation kRemoveTagsFromStream;
const Operation kRemoveTagsFromStream =
    operation<RemoveTagsFromStreamRequest, kFields, run>("RemoveTagsFromStream");

}  // namespace millrace::kinesis::remove_tags_from_stream
