// source: AWS Kinesis API reference, RegisterStreamConsumer

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "kinesis/consumer_ref.h"
#include "kinesis/operation.h"
#include "kinesis/stream_tags.h"

namespace millrace::kinesis::register_stream_consumer {
namespace {

constexpr std::ptrdiff_t kCreatingMax = 5;  // at once in the account, where the service's limits hold

struct RegisterStreamConsumerRequest {
  std::string stream_arn;
  std::string consumer_name;
  std::optional<std::string> stream_id;
  std::optional<Tags> tags;

  Wanted access(Call& call) const {
    Wanted wanted = access_to_resource(call, stream_arn);
    auto* access = std::get_if<Access>(&wanted);
    if (access == nullptr || !tags.has_value()) return wanted;
    access->new_tags = &*tags;
    auto place = place_of_arn(call, stream_arn);
    // Of the consumer that is about to be: its ARN ends with the second in which it is registered.
    Access tagging = access_to(
        call, ConsumerPlace{*std::get_if<StreamPlace>(&place), consumer_name, call.clock.wall_ms() / 1'000});
    tagging.action = "kinesis:TagResource";
    tagging.new_tags = &*tags;
    access->also.push_back(std::move(tagging));
    return wanted;
  }
};

constexpr Field kFields[] = {
    stream_arn<RegisterStreamConsumerRequest>(),
    consumer_name<RegisterStreamConsumerRequest>(),
    stream_id<RegisterStreamConsumerRequest>(),
    field<RegisterStreamConsumerRequest, &RegisterStreamConsumerRequest::tags>("Tags", kTagMapRules),
};

ApiError exists(const StreamPlace& place, const std::string& name) {
  return in_use(fmt::format("Consumer {} under stream {} and account {} already exists.", name, place.name,
                            place.account));
}

ApiError over_consumer_limit(const Call& call, const StreamPlace& place) {
  return limit_exceeded(fmt::format(
      "This request would exceed the limit of consumers for stream {} under account {}. Limit: {}.",
      place.name, place.account, call.broker.options().consumers_per_stream_max));
}

bool too_many_creating(const Call& call) {
  std::ptrdiff_t creating = 0;
  const auto catalog = call.broker.catalog();
  for (const auto& [name, stream] : catalog->streams)
    creating += std::count_if(stream->consumers.begin(), stream->consumers.end(), [](const auto& entry) {
      return entry.second.status == broker::ConsumerStatus::kCreating;
    });
  return creating >= kCreatingMax;
}

Outcome check(const Call& call, const RegisterStreamConsumerRequest& request, const FoundStream& found) {
  if (found.stream->status == broker::StreamStatus::kCreating ||
      found.stream->status == broker::StreamStatus::kDeleting)
    return not_active(found.place, found.stream->status);
  if (found.stream->find_consumer(request.consumer_name) != nullptr)
    return exists(found.place, request.consumer_name);
  if (request.tags.has_value()) {
    if (Outcome wrong = check_new_tags(*request.tags, {}, found.place); wrong.has_value()) return wrong;
  }
  if (found.stream->consumers.size() >= call.broker.options().consumers_per_stream_max)
    return over_consumer_limit(call, found.place);
  if (call.broker.options().aws_limits && too_many_creating(call))
    return limit_exceeded(
        fmt::format("At most {} consumers can be in CREATING status at the same time.", kCreatingMax));
  return std::nullopt;
}

Task<Outcome> run(Call& call, RegisterStreamConsumerRequest request) {
  auto result = find_resource(call, request.stream_arn);
  if (auto* error = std::get_if<ApiError>(&result); error != nullptr) co_return std::move(*error);
  const FoundStream& found = *std::get_if<FoundStream>(&result);
  if (Outcome wrong = check(call, request, found); wrong.has_value()) co_return wrong;

  broker::RegisterConsumer command{found.place.name, request.consumer_name, request.tags.value_or(Tags{})};
  Task<Result<void>> registering = call.broker.register_consumer(std::move(command));
  auto registered = co_await std::move(registering);
  if (!registered.ok() && registered.error().kind == ErrorKind::kConflict)
    co_return exists(found.place, request.consumer_name);
  if (!registered.ok() && registered.error().kind == ErrorKind::kLimit)
    co_return over_consumer_limit(call, found.place);
  if (!registered.ok()) co_return command_failed(registered.error(), found.place);

  auto made = find_consumer(call, ConsumerPlace{found.place, request.consumer_name, std::nullopt});
  if (auto* error = std::get_if<ApiError>(&made); error != nullptr) co_return std::move(*error);
  const FoundConsumer& consumer = *std::get_if<FoundConsumer>(&made);
  Writer& writer = call.reply;
  writer.begin_object();
  writer.key("Consumer");
  writer.begin_object();
  write_consumer(call, *consumer.stream, *consumer.consumer, writer);
  writer.end_object();
  writer.end_object();
  co_return std::nullopt;
}

}  // namespace

extern const Operation kRegisterStreamConsumer;
const Operation kRegisterStreamConsumer =
    operation<RegisterStreamConsumerRequest, kFields, run>("RegisterStreamConsumer");

}  // namespace millrace::kinesis::register_stream_consumer
