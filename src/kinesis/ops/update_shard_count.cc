// source: AWS Kinesis API reference, UpdateShardCount. The reference gives the rules (up to double, down to
// half) and no texts: those are ours.

#include <fmt/format.h>

#include "kinesis/operation.h"
#include "kinesis/stream_ref.h"

namespace millrace::kinesis::update_shard_count {
namespace {

constexpr std::string_view kScalingTypes[] = {"UNIFORM_SCALING"};
constexpr std::int64_t kTargetMax = 10'000;

struct UpdateShardCountRequest : StreamRef {
  std::int32_t target = 0;
  std::string scaling_type;
};

constexpr Field kFields[] = {
    field<UpdateShardCountRequest, &UpdateShardCountRequest::target>("TargetShardCount", {.min = 1}),
    field<UpdateShardCountRequest, &UpdateShardCountRequest::scaling_type>(
        "ScalingType", {.allowed = kScalingTypes, .allowed_count = std::size(kScalingTypes)}),
    stream_name<UpdateShardCountRequest>(),
    stream_arn<UpdateShardCountRequest>(),
    stream_id<UpdateShardCountRequest>(),
};

Outcome check_target(std::int64_t target, std::int64_t current, const StreamPlace& place) {
  std::string rule;
  if (target > kTargetMax) {
    rule = fmt::format("can not be more than {}", kTargetMax);
  } else if (target > 2 * current) {
    rule = fmt::format("can not be more than double the current shard count of {}", current);
  } else if (2 * target < current) {
    rule = fmt::format("can not be less than half the current shard count of {}", current);
  } else {
    return std::nullopt;
  }
  return invalid_argument(
      fmt::format("TargetShardCount {} used in UpdateShardCount on stream {} under account {} {}.", target,
                  place.name, place.account, rule));
}

Task<Outcome> run(Call& call, UpdateShardCountRequest request) {
  auto result = find_stream(call, request);
  if (auto* error = std::get_if<ApiError>(&result); error != nullptr) co_return std::move(*error);
  const FoundStream& found = *std::get_if<FoundStream>(&result);
  if (found.stream->status != broker::StreamStatus::kActive)
    co_return not_active(found.place, found.stream->status);
  if (found.stream->on_demand) co_return on_demand(found.place);
  const auto current = static_cast<std::int64_t>(found.stream->open_shards.size());
  if (Outcome wrong = check_target(request.target, current, found.place); wrong.has_value()) co_return wrong;
  const auto more = static_cast<std::uint64_t>(std::max<std::int64_t>(request.target - current, 0));
  if (call.broker.catalog()->open_shard_count + more > call.broker.options().shards_per_account_max)
    co_return over_shard_limit(call, more);

  if (request.target != current) {
    Task<Result<void>> updating =
        call.broker.update_shard_count(found.place.name, static_cast<std::uint32_t>(request.target));
    auto updated = co_await std::move(updating);
    if (!updated.ok() && updated.error().kind == ErrorKind::kLimit) co_return over_shard_limit(call, more);
    if (!updated.ok()) co_return command_failed(updated.error(), found.place);
  }
  Writer& writer = call.reply;
  writer.begin_object();
  writer.member("StreamName", found.place.name);
  writer.member("StreamARN", arn_of(call, found.place.name));
  writer.member("CurrentShardCount", current);
  writer.member("TargetShardCount", std::int64_t{request.target});
  writer.end_object();
  co_return std::nullopt;
}

}  // namespace

extern const Operation kUpdateShardCount;
const Operation kUpdateShardCount = operation<UpdateShardCountRequest, kFields, run>("UpdateShardCount");

}  // namespace millrace::kinesis::update_shard_count
