// source: AWS Kinesis API reference, GetResourcePolicy; the empty policy as moto's contributors have it

#include "identity/bound_policy.h"
#include "kinesis/operation.h"
#include "kinesis/resource_ref.h"

namespace millrace::kinesis::get_resource_policy {
namespace {

struct GetResourcePolicyRequest : ResourceRef {};

constexpr Field kFields[] = {
    resource_arn<GetResourcePolicyRequest>(),
    stream_id<GetResourcePolicyRequest>(),
};

Task<Outcome> run(Call& call, GetResourcePolicyRequest request) {
  auto result = find_resource(call, static_cast<const ResourceRef&>(request));
  if (auto* error = std::get_if<ApiError>(&result); error != nullptr) co_return std::move(*error);
  const broker::ResourcePolicy& policy = std::get_if<FoundResource>(&result)->policy();
  Writer& writer = call.reply;
  writer.begin_object();
  writer.member("Policy", policy != nullptr ? identity::document_of(*policy) : "{}");
  writer.end_object();
  co_return std::nullopt;
}

}  // namespace

extern const Operation kGetResourcePolicy;
const Operation kGetResourcePolicy = operation<GetResourcePolicyRequest, kFields, run>("GetResourcePolicy");

}  // namespace millrace::kinesis::get_resource_policy
