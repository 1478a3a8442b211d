// source: AWS Kinesis API reference, DescribeStreamConsumer

#include "kinesis/consumer_ref.h"
#include "kinesis/operation.h"

namespace millrace::kinesis::describe_stream_consumer {
namespace {

struct DescribeStreamConsumerRequest : ConsumerRef {};

constexpr Field kFields[] = {
    stream_arn<DescribeStreamConsumerRequest>(),
    consumer_name<DescribeStreamConsumerRequest>(),
    consumer_arn<DescribeStreamConsumerRequest>(),
    stream_id<DescribeStreamConsumerRequest>(),
};

Task<Outcome> run(Call& call, DescribeStreamConsumerRequest request) {
  auto result = find_consumer(call, request);
  if (auto* error = std::get_if<ApiError>(&result); error != nullptr) co_return std::move(*error);
  const FoundConsumer& found = *std::get_if<FoundConsumer>(&result);

  Writer& writer = call.reply;
  writer.begin_object();
  writer.key("ConsumerDescription");
  writer.begin_object();
  write_consumer(call, *found.stream, *found.consumer, writer);
  writer.member("StreamARN", arn_of(call, found.stream->name));
  writer.end_object();
  writer.end_object();
  co_return std::nullopt;
}

}  // namespace

extern const Operation kDescribeStreamConsumer;
const Operation kDescribeStreamConsumer =
    operation<DescribeStreamConsumerRequest, kFields, run>("DescribeStreamConsumer");

}  // namespace millrace::kinesis::describe_stream_consumer
