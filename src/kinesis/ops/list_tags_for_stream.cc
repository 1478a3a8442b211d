// source: AWS Kinesis API reference, ListTagsForStream

#include "kinesis/operation.h"
#include "kinesis/stream_ref.h"
#include "kinesis/stream_tags.h"

namespace millrace::kinesis::list_tags_for_stream {
namespace {

struct ListTagsForStreamRequest : StreamRef {
  std::optional<std::int32_t> limit;
  std::optional<std::string> exclusive_start_tag_key;
};

constexpr Field kFields[] = {
    field<ListTagsForStreamRequest, &ListTagsForStreamRequest::limit>("Limit", {.min = 1, .max = 50}),
    field<ListTagsForStreamRequest, &ListTagsForStreamRequest::exclusive_start_tag_key>(
        "ExclusiveStartTagKey", {.min = 1, .max = 128}),
    stream_name<ListTagsForStreamRequest>(),
    stream_arn<ListTagsForStreamRequest>(),
    stream_id<ListTagsForStreamRequest>(),
};

Task<Outcome> run(Call& call, ListTagsForStreamRequest request) {
  auto result = find_stream(call, request);
  if (auto* error = std::get_if<ApiError>(&result); error != nullptr) co_return std::move(*error);
  const Tags& tags = std::get_if<FoundStream>(&result)->stream->tags;

  auto tag = request.exclusive_start_tag_key.has_value() ? tags.upper_bound(*request.exclusive_start_tag_key)
                                                         : tags.begin();
  Writer& writer = call.reply;
  writer.begin_object();
  writer.key("Tags");
  writer.begin_list();
  for (std::int32_t left = request.limit.value_or(50); left > 0 && tag != tags.end(); --left, ++tag) {
    writer.begin_object();
    writer.member("Key", tag->first);
    writer.member("Value", tag->second);
    writer.end_object();
  }
  writer.end_list();
  writer.member("HasMoreTags", tag != tags.end());
  writer.end_object();
  co_return std::nullopt;
}

}  // namespace

extern const Operation kListTagsForStream;
const Operation kListTagsForStream = operation<ListTagsForStreamRequest, kFields, run>("ListTagsForStream");

}  // namespace millrace::kinesis::list_tags_for_stream
