// source: AWS Kinesis API reference, AddTagsToStream; texts as recorded by kinesalite's tests

#include "kinesis/operation.h"
#include "kinesis/stream_ref.h"
#include "kinesis/stream_tags.h"

namespace millrace::kinesis::add_tags_to_stream {
namespace {

struct AddTagsToStreamRequest : StreamRef {
  Tags tags;

  Wanted access(Call& call) const {
    Wanted wanted = StreamRef::access(call);
    if (auto* access = std::get_if<Access>(&wanted); access != nullptr) access->new_tags = &tags;
    return wanted;
  }
};

constexpr Field kFields[] = {
    field<AddTagsToStreamRequest, &AddTagsToStreamRequest::tags>("Tags", kTagMapRules),
    stream_name<AddTagsToStreamRequest>(),
    stream_arn<AddTagsToStreamRequest>(),
    stream_id<AddTagsToStreamRequest>(),
};

Task<Outcome> run(Call& call, AddTagsToStreamRequest request) {
  auto result = find_stream(call, request);
  if (auto* error = std::get_if<ApiError>(&result); error != nullptr) co_return std::move(*error);
  const FoundStream& found = *std::get_if<FoundStream>(&result);
  if (Outcome wrong = check_new_tags(request.tags, found.stream->tags, found.place); wrong.has_value())
    co_return wrong;
  if (Outcome busy = check_taggable(found.place, *found.stream); busy.has_value()) co_return busy;
  Task<Result<void>> adding = call.broker.add_tags(found.place.name, std::nullopt, std::move(request.tags));
  auto added = co_await std::move(adding);
  if (!added.ok()) co_return command_failed(added.error(), found.place);
  co_return std::nullopt;
}

}  // namespace

extern const Operation kAddTagsToStream;
const Operation kAddTagsToStream = operation<AddTagsToStreamRequest, kFields, run>("AddTagsToStream");

}  // namespace millrace::kinesis::add_tags_to_stream
