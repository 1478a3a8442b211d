// source: AWS Kinesis API reference, ListTagsForResource

#include "kinesis/operation.h"
#include "kinesis/resource_ref.h"

namespace millrace::kinesis::list_tags_for_resource {
namespace {

struct ListTagsForResourceRequest : ResourceRef {};

constexpr Field kFields[] = {
    resource_arn<ListTagsForResourceRequest>(),
    stream_id<ListTagsForResourceRequest>(),
};

Task<Outcome> run(Call& call, ListTagsForResourceRequest request) {
  auto result = find_resource(call, static_cast<const ResourceRef&>(request));
  if (auto* error = std::get_if<ApiError>(&result); error != nullptr) co_return std::move(*error);

  Writer& writer = call.reply;
  writer.begin_object();
  writer.key("Tags");
  writer.begin_list();
  for (const auto& [key, value] : std::get_if<FoundResource>(&result)->tags()) {
    writer.begin_object();
    writer.member("Key", key);
    writer.member("Value", value);
    writer.end_object();
  }
  writer.end_list();
  writer.end_object();
  co_return std::nullopt;
}

}  // namespace

extern const Operation kListTagsForResource;
const Operation kListTagsForResource =
    operation<ListTagsForResourceRequest, kFields, run>("ListTagsForResource");

}  // namespace millrace::kinesis::list_tags_for_resource
