// source: AWS Kinesis API reference, DeleteResourcePolicy; the text where there is none as moto's tests have
// it

#include <fmt/format.h>

#include "kinesis/operation.h"
#include "kinesis/resource_ref.h"

namespace millrace::kinesis::delete_resource_policy {
namespace {

struct DeleteResourcePolicyRequest : ResourceRef {};

constexpr Field kFields[] = {
    resource_arn<DeleteResourcePolicyRequest>(),
    stream_id<DeleteResourcePolicyRequest>(),
};

ApiError no_policy(const FoundResource& found) {
  return not_found(fmt::format("No resource policy found for resource ARN {}.", found.arn));
}

Task<Outcome> run(Call& call, DeleteResourcePolicyRequest request) {
  auto result = find_resource(call, static_cast<const ResourceRef&>(request));
  if (auto* error = std::get_if<ApiError>(&result); error != nullptr) co_return std::move(*error);
  const FoundResource& found = *std::get_if<FoundResource>(&result);
  if (found.policy() == nullptr) co_return no_policy(found);
  if (Outcome busy = check_active(found); busy.has_value()) co_return busy;
  Task<Result<void>> removing = call.broker.set_policy(found.place.name, found.consumer_id(), std::nullopt);
  auto removed = co_await std::move(removing);
  if (!removed.ok() && removed.error().kind == ErrorKind::kNotFound) co_return no_policy(found);
  if (!removed.ok()) co_return command_failed(removed.error(), found.place);
  co_return std::nullopt;
}

}  // namespace

extern const Operation kDeleteResourcePolicy;
const Operation kDeleteResourcePolicy =
    operation<DeleteResourcePolicyRequest, kFields, run>("DeleteResourcePolicy");

}  // namespace millrace::kinesis::delete_resource_policy
