#include "kinesis/stream_ref.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "base/partition.h"
#include "kinesis/shard_id.h"

namespace millrace::kinesis {

std::variant<StreamPlace, ApiError> place_of_arn(const Call& call, std::string_view arn) {
  // arn:PARTITION:kinesis:REGION:ACCOUNT:stream/NAME
  std::array<std::string_view, 6> parts;
  std::string_view rest = arn;
  for (std::size_t i = 0; i < 5; ++i) {
    const std::size_t colon = rest.find(':');
    if (colon == std::string_view::npos)
      return invalid_argument(fmt::format("StreamARN {} is invalid.", arn));
    parts[i] = rest.substr(0, colon);
    rest.remove_prefix(colon + 1);
  }
  constexpr std::string_view kResource = "stream/";
  const std::string_view name =
      rest.starts_with(kResource) ? rest.substr(kResource.size()) : std::string_view();
  if (!kNamePattern.matches(name) || name.size() > 128)
    return invalid_argument(fmt::format("StreamARN {} is invalid.", arn));
  if (!is_partition(parts[1])) return invalid_argument(fmt::format("StreamARN {} is invalid.", arn));
  const bool ours = is_partition_of(call.region(), parts[1]) && parts[2] == "kinesis" &&
                    parts[3] == call.region() && parts[4] == call.account();
  return StreamPlace{std::string(name), std::string(parts[4]), ours, ours ? std::string() : std::string(arn)};
}

std::variant<StreamPlace, ApiError> place_of(const Call& call, const StreamRef& ref) {
  const auto view = [](const std::optional<std::string>& text) {
    return text.has_value() ? std::string_view(*text) : std::string_view();
  };
  return place_of(call, view(ref.stream_name), view(ref.stream_arn));
}

std::variant<StreamPlace, ApiError> place_of(const Call& call, std::string_view name, std::string_view arn) {
  if (arn.data() == nullptr) return StreamPlace{std::string(name), call.account()};
  auto place = place_of_arn(call, arn);
  if (const auto* by_arn = std::get_if<StreamPlace>(&place);
      by_arn != nullptr && name.data() != nullptr && name != by_arn->name) {
    return invalid_argument(
        fmt::format("StreamName {} and StreamARN {} do not name the same stream.", name, arn));
  }
  return place;
}

std::shared_ptr<const broker::Stream> look_up(const Call& call, const StreamPlace& place) {
  return place.ours ? call.broker.catalog()->find(place.name) : nullptr;
}

Access access_to(const Call& call, const StreamPlace& place) {
  Access access{.resource = place.ours ? arn_of(call, place.name) : place.arn,
                .stream = look_up(call, place)};
  if (access.stream == nullptr) return access;
  access.policies.own = access.stream->policy;
  access.tags = &access.stream->tags;
  return access;
}

Wanted access_to_resource(const Call& call, std::string_view arn) {
  auto placed = place_of_arn(call, arn);
  if (auto* error = std::get_if<ApiError>(&placed); error != nullptr) return std::move(*error);
  return access_to(call, *std::get_if<StreamPlace>(&placed));
}

Wanted StreamRef::access(Call& call) const {
  auto placed = place_of(call, *this);
  if (auto* error = std::get_if<ApiError>(&placed); error != nullptr) return std::move(*error);
  return access_to(call, *std::get_if<StreamPlace>(&placed));
}

namespace {

std::variant<FoundStream, ApiError> find_at(const Call& call, std::variant<StreamPlace, ApiError> place) {
  if (auto* error = std::get_if<ApiError>(&place); error != nullptr) return std::move(*error);
  FoundStream found{std::move(*std::get_if<StreamPlace>(&place)), nullptr};
  found.stream = look_up(call, found.place);
  if (found.stream == nullptr) return stream_not_found(found.place);
  return found;
}

}  // namespace

std::variant<FoundStream, ApiError> find_stream(const Call& call, const StreamRef& ref) {
  return find_at(call, place_of(call, ref));
}

std::variant<FoundStream, ApiError> find_resource(const Call& call, std::string_view arn) {
  return find_at(call, place_of_arn(call, arn));
}

std::string arn_of(const Call& call, std::string_view stream_name) {
  return fmt::format("arn:aws:kinesis:{}:{}:stream/{}", call.region(), call.account(), stream_name);
}

ApiError stream_not_found(const StreamPlace& place) {
  return not_found(fmt::format("Stream {} under account {} not found.", place.name, place.account));
}

ApiError shard_not_found(std::string_view shard, const StreamPlace& place) {
  return not_found(fmt::format("Could not find shard {} in stream {} under account {}.", shard, place.name,
                               place.account));
}

ApiError shard_absent(std::string_view shard, const StreamPlace& place) {
  return not_found(
      fmt::format("Shard {} in stream {} under account {} does not exist", shard, place.name, place.account));
}

ApiError already_resharded(std::uint32_t shard, const StreamPlace& place) {
  return invalid_argument(fmt::format(
      "Shard {} in stream {} under account {} has already been merged or split, and thus is not eligible for "
      "merging or splitting.",
      shard_id(shard), place.name, place.account));
}

ApiError not_active(const StreamPlace& place, broker::StreamStatus status) {
  return in_use(fmt::format("Stream {} under account {} not ACTIVE, instead in state {}", place.name,
                            place.account, status_text(status)));
}

ApiError on_demand(const StreamPlace& place) {
  return validation(fmt::format("Request is invalid. Stream {} under account {} is in On-Demand mode.",
                                place.name, place.account));
}

ApiError over_shard_limit(const Call& call, std::uint64_t more) {
  return limit_exceeded(
      fmt::format("This request would exceed the shard limit for the account {} in {}. Current shard count "
                  "for the account: {}. "
                  "Limit: {}. Number of additional shards that would have resulted from this request: {}. "
                  "Refer to the AWS "
                  "Service Limits page "
                  "(http://docs.aws.amazon.com/general/latest/gr/aws_service_limits.html) for current limits "
                  "and how to request higher limits.",
                  call.account(), call.region(), call.broker.catalog()->open_shard_count,
                  call.broker.options().shards_per_account_max, more));
}

std::string_view status_text(broker::StreamStatus status) {
  switch (status) {
    case broker::StreamStatus::kCreating:
      return "CREATING";
    case broker::StreamStatus::kActive:
      return "ACTIVE";
    case broker::StreamStatus::kUpdating:
      return "UPDATING";
    case broker::StreamStatus::kDeleting:
      return "DELETING";
  }
  MR_ASSERT(false);
  __builtin_unreachable();
}

ApiError data_failed(const Error& error) {
  ApiError failed = from_house(error);
  if (failed.type == "InternalFailure") failed.type = "InternalFailureException";
  return failed;
}

ApiError stream_rate_exceeded(std::string_view stream, std::string_view account) {
  return limit_exceeded(fmt::format("Rate exceeded for stream {} under account {}.", stream, account));
}

ApiError command_failed(const Error& error, const StreamPlace& place) {
  if (error.kind == ErrorKind::kThrottled) return stream_rate_exceeded(place.name, place.account);
  return error.kind == ErrorKind::kNotFound ? stream_not_found(place) : from_house(error);
}

}  // namespace millrace::kinesis
