#include "kinesis/access.h"

#include <fmt/format.h>

#include <utility>

#include "api/access.h"
#include "kinesis/stream_ref.h"

namespace millrace::kinesis {
namespace {

std::optional<identity::Denial> check(const Call& call, const identity::AccessRequest& request) {
  const auto circumstances = api::circumstances_of(call.request, call.clock.wall_ms());
  if (call.asked_again && call.authorizer.may(call.caller, circumstances, request)) return std::nullopt;
  return call.authorizer.check(call.caller, circumstances, request);
}

}  // namespace

bool is_for_everybody(const Call& call, std::string_view key_id, std::string_view master_key) {
  if (!call.options.own_key.empty()) return master_key == call.options.own_key;
  return key_id == "alias/aws/kinesis" || key_id.ends_with(":alias/aws/kinesis");
}

Outcome authorize_key(Call& call, std::string_view action, const std::string& master_key,
                      std::string_view stream, bool frequent) {
  const auto* const service = call.broker.options().master_keys;
  const auto key = service != nullptr ? service->access_to(master_key) : std::nullopt;
  const identity::ConditionValue said[] = {
      {"kms:ViaService", {fmt::format("kinesis.{}.amazonaws.com", call.region())}},
      {"kms:EncryptionContext:aws:kinesis:arn", {arn_of(call, stream)}},
      {"kms:EncryptionContextKeys", {"aws:kinesis:arn"}}};
  identity::AccessRequest use{.action = action, .resource = master_key, .more = said, .frequent = frequent};
  // One that is not known here is another service's, whose policy it asks itself; or it is gone, and of no
  // use.
  if (key.has_value()) {
    use.policies.own = key->policy;
    use.weight = identity::AccessRequest::Weight::kMustAllow;
    use.resource_tags = key->tags.get();
  }
  const auto refusal = check(call, use);
  if (refusal.has_value()) return ApiError{"KMSAccessDeniedException", refusal->message};
  return std::nullopt;
}

namespace {

// Whether a record that was written with this data key may still be there.
bool has_records(const broker::Stream& stream, std::size_t data_key, std::int64_t now_ms) {
  constexpr std::int64_t kHourMs = 3'600'000;
  if (data_key + 1 == stream.data_keys.size() || stream.retention_hours < 0) return true;
  const std::int64_t replaced_ms = stream.data_keys[data_key + 1].made_ms;
  return replaced_ms + (stream.retention_hours + 1) * kHourMs >= now_ms;  // a put may have had it for a while
}

// Beside the stream, its master keys: who writes needs the one that encrypts, who reads all with which its
// records were encrypted.
Outcome authorize_keys(Call& call, const Access& access) {
  if (access.stream == nullptr || access.stream->data_keys.empty()) return std::nullopt;
  const broker::Stream& stream = *access.stream;
  const std::int64_t now_ms = call.clock.wall_ms();
  const bool puts = call.action == "kinesis:PutRecord" || call.action == "kinesis:PutRecords";
  const bool reads = call.action == "kinesis:GetRecords" || call.action == "kinesis:SubscribeToShard";
  if (!reads && (!puts || stream.key_id.empty())) return std::nullopt;
  const std::string* asked = nullptr;
  for (std::size_t i = puts ? stream.data_keys.size() - 1 : 0; i < stream.data_keys.size(); ++i) {
    const std::string& master_key = stream.data_keys[i].master_key;
    const bool newest = master_key == stream.data_keys.back().master_key;  // which key_id names
    if ((asked != nullptr && *asked == master_key) || !has_records(stream, i, now_ms) ||
        is_for_everybody(call, newest ? stream.key_id : std::string_view(), master_key))
      continue;
    asked = &master_key;
    Outcome refused = authorize_key(call, puts ? "kms:GenerateDataKey" : "kms:Decrypt", master_key,
                                    stream.name, access.frequent);
    if (refused.has_value()) return refused;
  }
  return std::nullopt;
}

Outcome ask(const Call& call, const Access& access) {
  const identity::AccessRequest request{.action = access.action.empty() ? call.action : access.action,
                                        .resource = access.resource,
                                        .shown = access.shown,
                                        .policies = access.policies,
                                        .resource_tags = access.tags,
                                        .request_tags = access.new_tags,
                                        .tag_keys = access.tag_keys,
                                        .frequent = access.frequent};
  const auto denial = check(call, request);
  if (denial.has_value()) return api::access_denied(*denial);
  return std::nullopt;
}

}  // namespace

Outcome authorize(Call& call, const Wanted& wanted) {
  if (const auto* error = std::get_if<ApiError>(&wanted); error != nullptr) return *error;
  const Access& access = *std::get_if<Access>(&wanted);
  if (Outcome denied = ask(call, access); denied.has_value()) return denied;
  for (const Access& more : access.also)
    if (Outcome denied = ask(call, more); denied.has_value()) return denied;
  if (Outcome refused = authorize_keys(call, access); refused.has_value()) return refused;
  if (std::exchange(call.allowed, true)) return std::nullopt;
  if (!access.frequent) call.resource = access.resource;
  return begin_quotas(call, access.stream.get());
}

}  // namespace millrace::kinesis
