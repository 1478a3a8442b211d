// kinesis/resource_ref.h: the stream or the consumer that a request names by ResourceARN.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "kinesis/consumer_ref.h"

namespace millrace::kinesis {

// A request begins with one: struct Request : ResourceRef { … }.
struct ResourceRef {
  std::string resource_arn;
  std::optional<std::string> stream_id;  // reserved by the service, which ignores it

  Wanted access(Call& call) const;
};
template <typename Request>
constexpr Field resource_arn() {
  return field<Request, &Request::resource_arn>("ResourceARN",
                                                {.pattern = &kResourceArnPattern, .min = 1, .max = 2'048});
}

struct FoundResource {
  std::string arn;  // as this server writes it
  StreamPlace place;
  std::shared_ptr<const broker::Stream> stream;
  const broker::Consumer* consumer = nullptr;  // in *stream; nullptr: it is the stream itself

  const broker::ResourcePolicy& policy() const {
    return consumer != nullptr ? consumer->policy : stream->policy;
  }
  const std::map<std::string, std::string>& tags() const {
    return consumer != nullptr ? consumer->tags : stream->tags;
  }
  std::optional<std::uint64_t> consumer_id() const {
    return consumer != nullptr ? std::optional(consumer->id) : std::nullopt;
  }
};
// errors   InvalidArgumentException: the ARN names neither.  ResourceNotFoundException
std::variant<FoundResource, ApiError> find_resource(const Call& call, const ResourceRef& ref);

// ResourceInUseException where it is not ACTIVE.
Outcome check_active(const FoundResource& found);

}  // namespace millrace::kinesis
