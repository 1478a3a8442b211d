#include "kinesis/access.h"

#include "api/access.h"

namespace millrace::kinesis {

namespace {

// What a caller must also be allowed to do with the master key of a stream whose records are encrypted;
// empty: nothing. The server's own key is for everybody.
std::string_view key_action(const Call& call, const broker::Stream* stream) {
  if (stream == nullptr || stream->key_id.empty() || stream->key_id.ends_with("alias/aws/kinesis")) return {};
  if (call.action == "kinesis:PutRecord" || call.action == "kinesis:PutRecords") return "kms:GenerateDataKey";
  if (call.action == "kinesis:GetRecords" || call.action == "kinesis:SubscribeToShard") return "kms:Decrypt";
  return {};
}

}  // namespace

Outcome authorize(Call& call, const Wanted& wanted) {
  if (const auto* error = std::get_if<ApiError>(&wanted); error != nullptr) return *error;
  const Access& access = *std::get_if<Access>(&wanted);
  const identity::AccessRequest request{.action = call.action,
                                        .resource = access.resource,
                                        .resource_policy = access.policy,
                                        .enclosing_policy = access.enclosing_policy,
                                        .resource_tags = access.tags,
                                        .request_tags = access.new_tags,
                                        .tag_keys = access.tag_keys,
                                        .frequent = access.frequent};
  const auto denial =
      call.authorizer.check(call.caller, api::circumstances_of(call.request, call.clock.wall_ms()), request);
  if (denial.has_value()) return api::access_denied(*denial);
  if (const std::string_view action = key_action(call, access.stream.get()); !action.empty()) {
    const identity::AccessRequest use{.action = action,
                                      .resource = access.stream->data_keys.back().master_key,
                                      .frequent = access.frequent};
    const auto refusal =
        call.authorizer.check(call.caller, api::circumstances_of(call.request, call.clock.wall_ms()), use);
    if (refusal.has_value()) return ApiError{"KMSAccessDeniedException", refusal->message};
  }
  call.allowed = true;
  return std::nullopt;
}

}  // namespace millrace::kinesis
