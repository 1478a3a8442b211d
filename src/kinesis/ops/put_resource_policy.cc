// source: AWS Kinesis API reference, PutResourcePolicy

#include <fmt/format.h>

#include <algorithm>

#include "identity/policy.h"
#include "kinesis/operation.h"
#include "kinesis/resource_ref.h"

namespace millrace::kinesis::put_resource_policy {
namespace {

struct PutResourcePolicyRequest : ResourceRef {
  std::string policy;
};

constexpr Field kFields[] = {
    resource_arn<PutResourcePolicyRequest>(),
    field<PutResourcePolicyRequest, &PutResourcePolicyRequest::policy>("Policy"),
    stream_id<PutResourcePolicyRequest>(),
};

bool is_any_action(const identity::Glob& glob) {
  for (std::size_t i = 0; i < all_operations().size(); ++i)
    if (glob.matches(action_of(i))) return true;
  return false;
}

// Of what a statement lists, at least this could ever fit: what never fits is a mistake that would go unseen.
// What it excepts (NotAction, NotResource) may be anything.
Outcome check_statement(const identity::Statement& statement, const std::string& arn) {
  if (!statement.not_action &&
      !std::all_of(statement.actions.begin(), statement.actions.end(), is_any_action))
    return invalid_argument("Policy has an Action that is none of Kinesis.");
  const bool fits = std::all_of(statement.resources.begin(), statement.resources.end(),
                                [&](const identity::Glob& glob) { return glob.matches(arn); });
  if (!statement.not_resource && !fits)
    return invalid_argument(fmt::format("Policy has a Resource that is not {}.", arn));
  return std::nullopt;
}

// text   becomes what is to be stored
Outcome check_policy(const Call& call, std::string& text, const std::string& arn) {
  const auto policy =
      identity::parse_policy(text, identity::PolicyKind::kResource, identity::kResourcePolicyBytesMax);
  if (!policy.ok()) return invalid_argument(policy.error().text);
  if (const auto known = call.authorizer.check_keys(**policy); !known.ok())
    return invalid_argument(known.error().text);
  for (const identity::Statement& statement : (*policy)->statements())
    if (Outcome wrong = check_statement(statement, arn); wrong.has_value()) return wrong;
  auto bound = call.authorizer.bind(std::move(text), **policy);
  if (!bound.ok()) return invalid_argument(bound.error().text);
  text = std::move(*bound);
  return std::nullopt;
}

Task<Outcome> run(Call& call, PutResourcePolicyRequest request) {
  auto result = find_resource(call, static_cast<const ResourceRef&>(request));
  if (auto* error = std::get_if<ApiError>(&result); error != nullptr) co_return std::move(*error);
  const FoundResource& found = *std::get_if<FoundResource>(&result);
  if (Outcome wrong = check_policy(call, request.policy, found.arn); wrong.has_value()) co_return wrong;
  if (Outcome busy = check_active(found); busy.has_value()) co_return busy;
  Task<Result<void>> setting =
      call.broker.set_policy(found.place.name, found.consumer_id(), std::move(request.policy));
  auto set = co_await std::move(setting);
  if (!set.ok()) co_return command_failed(set.error(), found.place);
  co_return std::nullopt;
}

}  // namespace

extern const Operation kPutResourcePolicy;
const Operation kPutResourcePolicy = operation<PutResourcePolicyRequest, kFields, run>("PutResourcePolicy");

}  // namespace millrace::kinesis::put_resource_policy
