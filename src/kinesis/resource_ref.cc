#include "kinesis/resource_ref.h"

#include <utility>

namespace millrace::kinesis {

Wanted ResourceRef::access(Call& call) const {
  if (kConsumerArnPattern.matches(resource_arn))
    return access_to(call, place_of_consumer(call, resource_arn));
  return access_to_resource(call, resource_arn);
}

std::variant<FoundResource, ApiError> find_resource(const Call& call, const ResourceRef& ref) {
  if (kConsumerArnPattern.matches(ref.resource_arn)) {
    auto result = find_consumer(call, place_of_consumer(call, ref.resource_arn));
    if (auto* error = std::get_if<ApiError>(&result); error != nullptr) return std::move(*error);
    FoundConsumer& found = *std::get_if<FoundConsumer>(&result);
    std::string arn = arn_of(call, *found.stream, *found.consumer);
    return FoundResource{std::move(arn), std::move(found.place.stream), found.stream, found.consumer};
  }
  auto result = find_resource(call, ref.resource_arn);
  if (auto* error = std::get_if<ApiError>(&result); error != nullptr) return std::move(*error);
  FoundStream& found = *std::get_if<FoundStream>(&result);
  std::string arn = arn_of(call, found.stream->name);
  return FoundResource{std::move(arn), std::move(found.place), found.stream};
}

Outcome check_active(const FoundResource& found) {
  if (found.consumer != nullptr) {
    if (found.consumer->status == broker::ConsumerStatus::kActive) return std::nullopt;
    return consumer_not_active(found.place, *found.consumer);
  }
  if (found.stream->status == broker::StreamStatus::kActive) return std::nullopt;
  return not_active(found.place, found.stream->status);
}

}  // namespace millrace::kinesis
