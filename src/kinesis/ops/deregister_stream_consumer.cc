// source: AWS Kinesis API reference, DeregisterStreamConsumer

#include "kinesis/consumer_ref.h"
#include "kinesis/operation.h"

namespace millrace::kinesis::deregister_stream_consumer {
namespace {

struct DeregisterStreamConsumerRequest : ConsumerRef {};

constexpr Field kFields[] = {
    stream_arn<DeregisterStreamConsumerRequest>(),
    consumer_name<DeregisterStreamConsumerRequest>(),
    consumer_arn<DeregisterStreamConsumerRequest>(),
    stream_id<DeregisterStreamConsumerRequest>(),
};

Task<Outcome> run(Call& call, DeregisterStreamConsumerRequest request) {
  auto result = find_consumer(call, request);
  if (auto* error = std::get_if<ApiError>(&result); error != nullptr) co_return std::move(*error);
  const FoundConsumer& found = *std::get_if<FoundConsumer>(&result);
  Task<Result<void>> deregistering = call.broker.deregister_consumer(found.stream->name, found.consumer->id);
  auto deregistered = co_await std::move(deregistering);
  if (deregistered.ok()) co_return std::nullopt;
  if (deregistered.error().kind == ErrorKind::kNotFound) co_return consumer_not_found(found.place);
  co_return from_house(deregistered.error());
}

}  // namespace

extern const Operation kDeregisterStreamConsumer;
const Operation kDeregisterStreamConsumer =
    operation<DeregisterStreamConsumerRequest, kFields, run>("DeregisterStreamConsumer");

}  // namespace millrace::kinesis::deregister_stream_consumer
