// source: AWS Kinesis API reference, UntagResource; texts as recorded by kinesalite's tests

#include "kinesis/operation.h"
#include "kinesis/resource_ref.h"
#include "kinesis/stream_tags.h"

namespace millrace::kinesis::untag_resource {
namespace {

struct UntagResourceRequest : ResourceRef {
  std::vector<std::string> tag_keys;

  Wanted access(Call& call) const {
    Wanted wanted = ResourceRef::access(call);
    if (auto* access = std::get_if<Access>(&wanted); access != nullptr) access->tag_keys = tag_keys;
    return wanted;
  }
};

constexpr Field kFields[] = {
    field<UntagResourceRequest, &UntagResourceRequest::tag_keys>("TagKeys", kTagKeyListRules),
    resource_arn<UntagResourceRequest>(),
    stream_id<UntagResourceRequest>(),
};

Task<Outcome> run(Call& call, UntagResourceRequest request) {
  auto result = find_resource(call, static_cast<const ResourceRef&>(request));
  if (auto* error = std::get_if<ApiError>(&result); error != nullptr) co_return std::move(*error);
  const FoundResource& found = *std::get_if<FoundResource>(&result);
  if (Outcome wrong = check_tag_keys(request.tag_keys, found.place); wrong.has_value()) co_return wrong;
  if (Outcome busy = check_taggable(found.place, *found.stream, found.consumer); busy.has_value())
    co_return busy;
  Task<Result<void>> removing =
      call.broker.remove_tags(found.place.name, found.consumer_id(), std::move(request.tag_keys));
  auto removed = co_await std::move(removing);
  if (!removed.ok()) co_return command_failed(removed.error(), found.place);
  co_return std::nullopt;
}

}  // namespace

extern const Operation kUntagResource;
const Operation kUntagResource = operation<UntagResourceRequest, kFields, run>("UntagResource");

}  // namespace millrace::kinesis::untag_resource
