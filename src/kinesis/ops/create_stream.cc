// source: AWS Kinesis API reference, CreateStream; texts as recorded by kinesalite's tests

#include <fmt/format.h>

#include "kinesis/operation.h"
#include "kinesis/stream_ref.h"
#include "kinesis/stream_tags.h"

namespace millrace::kinesis {
namespace {

constexpr std::int32_t kOnDemandShards = 4;
constexpr std::string_view kModes[] = {"PROVISIONED", "ON_DEMAND"};

struct ModeDetails {
  std::string mode;
  static std::span<const Field> fields() {
    static constexpr Field kModeFields[] = {field<ModeDetails, &ModeDetails::mode>(
        "StreamMode", {.allowed = kModes, .allowed_count = std::size(kModes)})};
    return kModeFields;
  }
};

struct CreateStreamRequest {
  std::optional<std::int32_t> shard_count;
  std::string stream_name;
  std::optional<ModeDetails> mode_details;
  std::optional<Tags> tags;
  std::optional<std::int32_t> max_record_size_kib;

  Wanted access(Call& call) const {
    Access access{.resource = arn_of(call, stream_name)};
    if (tags.has_value()) access.new_tags = &*tags;
    return access;
  }
};

constexpr Field kFields[] = {
    // Not required any more, but with no name either the message is still the one that was recorded.
    field<CreateStreamRequest, &CreateStreamRequest::shard_count>(
        "ShardCount", {.min = 1, .max = 100'000, .unless = "StreamName"}),
    field<CreateStreamRequest, &CreateStreamRequest::stream_name>(
        "StreamName", {.pattern = &kNamePattern, .min = 1, .max = 128}),
    field<CreateStreamRequest, &CreateStreamRequest::mode_details>("StreamModeDetails"),
    field<CreateStreamRequest, &CreateStreamRequest::tags>("Tags", kTagMapRules),
    field<CreateStreamRequest, &CreateStreamRequest::max_record_size_kib>("MaxRecordSizeInKiB",
                                                                          {.min = 1'024, .max = 10'240}),
};

Task<Outcome> run(Call& call, CreateStreamRequest request) {
  const StreamPlace place{request.stream_name, call.account()};
  // A stream of which neither mode nor shards are said is on demand.
  const bool on_demand = request.mode_details.has_value() ? request.mode_details->mode == "ON_DEMAND"
                                                          : !request.shard_count.has_value();
  if (!on_demand && !request.shard_count.has_value())
    co_return validation(
        "1 validation error detected: Value null at 'shardCount' failed to satisfy constraint: Member must "
        "not be "
        "null");
  // The limit is the server's, not a stream's: more than it takes cannot be promised.
  if (request.max_record_size_kib.has_value() &&
      std::int64_t{*request.max_record_size_kib} * 1'024 > call.options.max_record_bytes)
    co_return invalid_argument(fmt::format("MaxRecordSizeInKiB {} is above what this server takes, {}.",
                                           *request.max_record_size_kib,
                                           call.options.max_record_bytes / 1'024));
  if (look_up(call, place) != nullptr)
    co_return in_use(fmt::format("Stream {} under account {} already exists.", place.name, place.account));
  const auto shards = static_cast<std::uint32_t>(on_demand ? kOnDemandShards : *request.shard_count);
  if (call.broker.catalog()->open_shard_count + shards > call.broker.options().shards_per_account_max)
    co_return over_shard_limit(call, shards);
  Tags tags = request.tags.value_or(Tags{});
  if (Outcome wrong = check_new_tags(tags, {}, place); wrong.has_value()) co_return wrong;

  broker::CreateStream command{request.stream_name, shards, on_demand, std::move(tags)};
  Task<Result<void>> creating = call.broker.create_stream(std::move(command));
  auto created = co_await std::move(creating);
  if (created.ok()) co_return std::nullopt;
  if (created.error().kind == ErrorKind::kConflict)
    co_return in_use(fmt::format("Stream {} under account {} already exists.", place.name, place.account));
  if (created.error().kind == ErrorKind::kLimit) co_return over_shard_limit(call, shards);
  co_return command_failed(created.error(), place);
}

}  // namespace

extern const Operation kCreateStream;
const Operation kCreateStream = operation<CreateStreamRequest, kFields, run>("CreateStream");

}  // namespace millrace::kinesis
