// source: AWS Kinesis API reference, TagResource; texts as recorded by kinesalite's tests

#include "kinesis/operation.h"
#include "kinesis/resource_ref.h"
#include "kinesis/stream_tags.h"

namespace millrace::kinesis::tag_resource {
namespace {

struct TagResourceRequest : ResourceRef {
  Tags tags;

  Wanted access(Call& call) const {
    Wanted wanted = ResourceRef::access(call);
    if (auto* access = std::get_if<Access>(&wanted); access != nullptr) access->new_tags = &tags;
    return wanted;
  }
};

constexpr Field kFields[] = {
    field<TagResourceRequest, &TagResourceRequest::tags>("Tags", kTagMapRules),
    resource_arn<TagResourceRequest>(),
    stream_id<TagResourceRequest>(),
};

Task<Outcome> run(Call& call, TagResourceRequest request) {
  auto result = find_resource(call, static_cast<const ResourceRef&>(request));
  if (auto* error = std::get_if<ApiError>(&result); error != nullptr) co_return std::move(*error);
  const FoundResource& found = *std::get_if<FoundResource>(&result);
  if (Outcome wrong = check_new_tags(request.tags, found.tags(), found.place); wrong.has_value())
    co_return wrong;
  if (Outcome busy = check_taggable(found.place, *found.stream, found.consumer); busy.has_value())
    co_return busy;
  Task<Result<void>> adding =
      call.broker.add_tags(found.place.name, found.consumer_id(), std::move(request.tags));
  auto added = co_await std::move(adding);
  if (!added.ok()) co_return command_failed(added.error(), found.place);
  co_return std::nullopt;
}

}  // namespace

extern const Operation kTagResource;
const Operation kTagResource = operation<TagResourceRequest, kFields, run>("TagResource");

}  // namespace millrace::kinesis::tag_resource
