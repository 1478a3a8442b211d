#include "kinesis/consumer_ref.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>

#include "base/partition.h"

namespace millrace::kinesis {
ConsumerPlace place_of_consumer(const Call& call, std::string_view arn) {
  // arn:PARTITION:kinesis:REGION:ACCOUNT:stream/STREAM/consumer/NAME:CREATED; names have neither ':' nor '/'.
  constexpr std::string_view kStream = "stream/";
  constexpr std::string_view kConsumer = "/consumer/";
  const std::size_t last_colon = arn.rfind(':');
  const std::size_t consumer = arn.rfind(kConsumer);
  const std::size_t stream = arn.rfind(kStream, consumer - kStream.size() - 1);  // a name stands between
  MR_ASSERT(last_colon != arn.npos && consumer != arn.npos && stream != arn.npos);
  ConsumerPlace place;
  place.arn = arn;
  place.stream.name = arn.substr(stream + kStream.size(), consumer - stream - kStream.size());
  place.name = arn.substr(consumer + kConsumer.size(), last_colon - consumer - kConsumer.size());
  std::int64_t created_s = 0;
  const std::string_view digits = arn.substr(last_colon + 1);
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), created_s);
  place.created_s = parsed.ec == std::errc() ? created_s : -1;  // one too great is none's
  const std::string own = fmt::format(":kinesis:{}:{}:stream/", call.region(), call.account());
  std::string_view partition = arn.substr(std::string_view("arn:").size());
  partition = partition.substr(0, partition.find(':'));
  place.stream.ours = is_partition_of(call.region(), partition) &&
                      arn.substr(0, stream + kStream.size()) == fmt::format("arn:{}{}", partition, own);
  if (!place.stream.ours) place.stream.arn = arn.substr(0, consumer);
  const std::size_t account_end = stream == 0 ? 0 : stream - 1;
  const std::size_t account = arn.rfind(':', account_end == 0 ? 0 : account_end - 1);
  place.stream.account =
      account == arn.npos ? std::string() : std::string(arn.substr(account + 1, account_end - account - 1));
  return place;
}

const broker::Consumer* look_up(const Call&, const ConsumerPlace& place, const broker::Stream& stream) {
  const broker::Consumer* consumer = place.stream.ours ? stream.find_consumer(place.name) : nullptr;
  if (consumer == nullptr) return nullptr;
  const bool same = !place.created_s.has_value() || *place.created_s == consumer->created_ms / 1'000;
  return same ? consumer : nullptr;
}

std::variant<FoundConsumer, ApiError> find_consumer(const Call& call, ConsumerPlace place) {
  FoundConsumer found{std::move(place), nullptr, nullptr};
  found.stream = look_up(call, found.place.stream);
  if (found.stream == nullptr) return stream_not_found(found.place.stream);
  found.consumer = look_up(call, found.place, *found.stream);
  if (found.consumer == nullptr) return consumer_not_found(found.place);
  return found;
}

std::variant<ConsumerPlace, ApiError> place_of(const Call& call, const ConsumerRef& ref) {
  if (!ref.consumer_arn.has_value()) {
    if (!ref.stream_arn.has_value() || !ref.consumer_name.has_value())
      return invalid_argument("Either ConsumerARN, or both StreamARN and ConsumerName must be provided.");
    auto stream = place_of_arn(call, *ref.stream_arn);
    if (auto* error = std::get_if<ApiError>(&stream); error != nullptr) return std::move(*error);
    return ConsumerPlace{std::move(*std::get_if<StreamPlace>(&stream)), *ref.consumer_name, std::nullopt};
  }
  ConsumerPlace place = place_of_consumer(call, *ref.consumer_arn);
  if (ref.consumer_name.has_value() && *ref.consumer_name != place.name)
    return invalid_argument(fmt::format("ConsumerName {} and ConsumerARN {} do not name the same consumer.",
                                        *ref.consumer_name, *ref.consumer_arn));
  if (ref.stream_arn.has_value() && !ref.consumer_arn->starts_with(*ref.stream_arn + "/consumer/"))
    return invalid_argument(
        fmt::format("ConsumerARN {} is not of StreamARN {}.", *ref.consumer_arn, *ref.stream_arn));
  return place;
}

std::variant<FoundConsumer, ApiError> find_consumer(const Call& call, const ConsumerRef& ref) {
  auto place = place_of(call, ref);
  if (auto* error = std::get_if<ApiError>(&place); error != nullptr) return std::move(*error);
  return find_consumer(call, std::move(*std::get_if<ConsumerPlace>(&place)));
}

Access access_to(const Call& call, const ConsumerPlace& place) {
  Access access = access_to(call, place.stream);
  // What is the stream's is not the consumer's; but who is denied everything of a stream reads it through no
  // consumer either.
  access.policies.enclosing = std::exchange(access.policies.own, nullptr);
  access.tags = nullptr;
  std::optional<std::int64_t> created_s = place.created_s;
  const broker::Consumer* const consumer =
      access.stream != nullptr ? look_up(call, place, *access.stream) : nullptr;
  if (consumer != nullptr) {
    created_s = consumer->created_ms / 1'000;
    access.policies.own = consumer->policy;
    access.tags = &consumer->tags;
  }
  access.resource += "/consumer/" + place.name;
  if (!place.created_s.has_value()) access.shown = access.resource;
  // Of one that there is not, any time will do: whom all of that name are allowed learns that it is not
  // there.
  access.resource += fmt::format(":{}", created_s.value_or(0));
  return access;
}

Wanted ConsumerRef::access(Call& call) const {
  auto place = place_of(call, *this);
  if (auto* error = std::get_if<ApiError>(&place); error != nullptr) return std::move(*error);
  return access_to(call, *std::get_if<ConsumerPlace>(&place));
}

std::string arn_of(const Call& call, const broker::Stream& stream, const broker::Consumer& consumer) {
  return fmt::format("{}/consumer/{}:{}", arn_of(call, stream.name), consumer.name,
                     consumer.created_ms / 1'000);
}

std::string_view status_text(broker::ConsumerStatus status) {
  switch (status) {
    case broker::ConsumerStatus::kCreating:
      return "CREATING";
    case broker::ConsumerStatus::kActive:
      return "ACTIVE";
    case broker::ConsumerStatus::kDeleting:
      return "DELETING";
  }
  MR_ASSERT(false);
  __builtin_unreachable();
}

ApiError consumer_not_found(const ConsumerPlace& place) {
  return not_found(fmt::format("Consumer {}, account {} not found.",
                               place.arn.empty() ? place.name : place.arn, place.stream.account));
}

ApiError consumer_not_active(const StreamPlace& stream, const broker::Consumer& consumer) {
  return in_use(fmt::format(
      "Consumer {} with creation timestamp {} under stream {} and account {} is not in ACTIVE status.",
      consumer.name, consumer.created_ms / 1'000, stream.name, stream.account));
}

void write_consumer(const Call& call, const broker::Stream& stream, const broker::Consumer& consumer,
                    Writer& writer) {
  writer.member("ConsumerName", consumer.name);
  writer.member("ConsumerARN", arn_of(call, stream, consumer));
  writer.member("ConsumerStatus", status_text(consumer.status));
  writer.key("ConsumerCreationTimestamp");
  writer.timestamp(consumer.created_ms);
}

}  // namespace millrace::kinesis
