// Who may do what with a master key: its policy.
// source: AWS KMS API reference, GetKeyPolicy, PutKeyPolicy, ListKeyPolicies; the comments of
// @aws-sdk/client-kms

#include "kms/key_policy.h"

#include <memory>

#include "api/access.h"
#include "identity/bound_policy.h"
#include "identity/policy.h"

namespace millrace::kms {

Said say_bypass(bool bypass) {
  return {.more = {{"kms:BypassPolicyLockoutSafetyCheck", {bypass ? "true" : "false"}}}};
}

namespace {

constexpr std::string_view kPolicyName = "default";

// Tab, line feed, carriage return, and U+0020 to U+00FF. text   UTF-8
bool is_policy_text(std::string_view text) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto byte = static_cast<std::uint8_t>(text[at]);
    if (byte == 0xc2 || byte == 0xc3) {
      ++at;
      continue;
    }
    if (byte >= 0x80 || (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r')) return false;
  }
  return true;
}

ApiError malformed(std::string text) { return {"MalformedPolicyDocumentException", std::move(text)}; }

}  // namespace

Outcome check_key_policy(Call& call, std::string& text, const std::string& arn, bool bypass) {
  if (!is_policy_text(text))
    return ApiError{"ValidationException",
                    "Policy must have tabs, line ends and characters from U+0020 to U+00FF only."};
  const auto policy =
      identity::parse_policy(text, identity::PolicyKind::kResource, identity::kKeyPolicyBytesMax);
  if (!policy.ok() && policy.error().kind == ErrorKind::kLimit)
    return ApiError{"LimitExceededException", policy.error().text};
  if (!policy.ok()) return malformed(policy.error().text);
  if (const auto known = call.authorizer.check_keys(**policy); !known.ok())
    return malformed(known.error().text);
  auto bound = call.authorizer.bind(text, **policy);
  if (!bound.ok()) return malformed("Policy contains a statement with one or more invalid principals.");
  text = std::move(*bound);
  if (bypass) return std::nullopt;
  const Said said = say_bypass(false);
  const identity::AccessRequest again{.action = "kms:PutKeyPolicy",
                                      .resource = arn,
                                      .weight = identity::AccessRequest::Weight::kMustAllow,
                                      .more = said.more};
  if (!call.authorizer.would_allow(call.caller, api::circumstances_of(call.request, call.clock.wall_ms()),
                                   again, **policy))
    return malformed("The new key policy will not allow you to update the key policy in the future.");
  return std::nullopt;
}

namespace {

ApiError no_such_policy() { return {"NotFoundException", "No such policy exists"}; }

struct PolicyRequest {
  std::string key_id;
  std::optional<std::string> policy_name;
};
constexpr Field kPolicyKeyField =
    field<PolicyRequest, &PolicyRequest::key_id>("KeyId", {.min = 1, .max = 2'048});
constexpr Field kPolicyNameField =
    field<PolicyRequest, &PolicyRequest::policy_name>("PolicyName", {.min = 1, .max = 128});

// --- GetKeyPolicy

constexpr Field kGetPolicyFields[] = {kPolicyKeyField, kPolicyNameField};

Task<Outcome> get_key_policy(Call& call, PolicyRequest request) {
  Outcome refused;
  const auto key = allowed_key(call, request.key_id, refused);
  if (refused.has_value()) co_return refused;
  if (request.policy_name.value_or(std::string(kPolicyName)) != kPolicyName) co_return no_such_policy();
  call.reply.begin_object();
  call.reply.member("Policy", identity::document_of(*call.service.policy_of(**key)));
  call.reply.member("PolicyName", kPolicyName);
  call.reply.end_object();
  co_return std::nullopt;
}

// --- PutKeyPolicy

struct PutKeyPolicyRequest : PolicyRequest {
  std::string policy;
  std::optional<bool> bypass;
};
constexpr Field kPutPolicyFields[] = {
    kPolicyKeyField,
    kPolicyNameField,
    field<PutKeyPolicyRequest, &PutKeyPolicyRequest::policy>("Policy", kPolicyRules),
    field<PutKeyPolicyRequest, &PutKeyPolicyRequest::bypass>("BypassPolicyLockoutSafetyCheck"),
};

Task<Outcome> put_key_policy(Call& call, PutKeyPolicyRequest request) {
  const bool bypass = request.bypass.value_or(false);
  Outcome refused;
  const auto key = allowed_key(call, request.key_id, refused, say_bypass(bypass));
  if (refused.has_value()) co_return refused;
  if (request.policy_name.value_or(std::string(kPolicyName)) != kPolicyName) co_return no_such_policy();
  if (Outcome wrong = check_key_policy(call, request.policy, call.service.key_arn((*key)->id), bypass);
      wrong.has_value())
    co_return wrong;
  auto text = std::make_shared<const std::string>(std::move(request.policy));
  auto editing = call.service.edit_key((*key)->id, [text](MasterKey& changed) -> Result<void> {
    changed.policy = text;
    return {};
  });
  auto edited = co_await std::move(editing);
  if (!edited.ok()) co_return from_house(edited.error());
  co_return std::nullopt;
}

// --- ListKeyPolicies: a key has one.

struct ListKeyPoliciesRequest {
  std::string key_id;
  std::optional<std::int32_t> limit;
  std::optional<std::string> marker;
};
constexpr Field kListPoliciesFields[] = {
    field<ListKeyPoliciesRequest, &ListKeyPoliciesRequest::key_id>("KeyId", {.min = 1, .max = 2'048}),
    field<ListKeyPoliciesRequest, &ListKeyPoliciesRequest::limit>("Limit", {.min = 1, .max = 1'000}),
    field<ListKeyPoliciesRequest, &ListKeyPoliciesRequest::marker>("Marker", {.min = 1, .max = 1'024}),
};

Task<Outcome> list_key_policies(Call& call, ListKeyPoliciesRequest request) {
  Outcome refused;
  const auto key = allowed_key(call, request.key_id, refused);
  if (refused.has_value()) co_return refused;
  call.reply.begin_object();
  call.reply.key("PolicyNames");
  call.reply.begin_list();
  call.reply.text(kPolicyName);
  call.reply.end_list();
  call.reply.member("Truncated", false);
  call.reply.end_object();
  co_return std::nullopt;
}

}  // namespace

extern const Operation kGetKeyPolicy, kPutKeyPolicy, kListKeyPolicies;
const Operation kGetKeyPolicy = operation<PolicyRequest, kGetPolicyFields, get_key_policy>("GetKeyPolicy");
const Operation kPutKeyPolicy =
    operation<PutKeyPolicyRequest, kPutPolicyFields, put_key_policy>("PutKeyPolicy");
const Operation kListKeyPolicies =
    operation<ListKeyPoliciesRequest, kListPoliciesFields, list_key_policies>("ListKeyPolicies");

}  // namespace millrace::kms
