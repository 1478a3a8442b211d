// identity/evaluate.h: what a caller's policies and a resource's say of one request.
// source: IAM User Guide, "Policy evaluation logic" and "How AWS enforcement code logic evaluates requests"
#pragma once

#include <cstdint>
#include <string>

#include "identity/policy.h"
#include "identity/request_context.h"

namespace millrace::identity {

enum class Reason : std::uint8_t {
  kRoot,
  kIdentityAllows,
  kResourceAllows,
  kIdentityDenies,  // explicitly, as the next two
  kResourceDenies,
  kSessionDenies,
  kNoIdentityAllows,
  kNoResourceAllows,
  kNoSessionAllows,
};
constexpr bool is_allowed(Reason reason) { return reason <= Reason::kResourceAllows; }

struct Verdict {
  Reason reason;
  std::string policy;   // the name of the one that decided, where one did: "policy/readers"
  bool varies = false;  // another request of that principal for that action and resource may end differently
};

Verdict evaluate(const RequestContext& context, const ResourcePolicies<const Policy*>& policies);

}  // namespace millrace::identity
