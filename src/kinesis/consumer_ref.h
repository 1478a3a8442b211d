// kinesis/consumer_ref.h: the consumer that a request speaks of, by ARN, or by its stream's ARN and its name.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "broker/catalog.h"
#include "kinesis/call.h"
#include "kinesis/protocol.h"
#include "kinesis/stream_ref.h"

namespace millrace::kinesis {

// Where a consumer is to be found, whether it exists or not.
struct ConsumerPlace {
  StreamPlace stream;
  std::string name;
  std::optional<std::int64_t> created_s;  // absent: whichever has the name
  std::string arn = {};                   // as given; empty: by name
};

struct FoundConsumer {
  ConsumerPlace place;
  std::shared_ptr<const broker::Stream> stream;
  const broker::Consumer* consumer;  // in *stream
};

// arn   matches kConsumerArnPattern
ConsumerPlace place_of_consumer(const Call& call, std::string_view arn);
// nullptr when there is none, or it is not ours.
const broker::Consumer* look_up(const Call& call, const ConsumerPlace& place, const broker::Stream& stream);
// errors   ResourceNotFoundException: of the stream or of the consumer
std::variant<FoundConsumer, ApiError> find_consumer(const Call& call, ConsumerPlace place);

// What DescribeStreamConsumer and DeregisterStreamConsumer take.
struct ConsumerRef {
  std::optional<std::string> stream_arn;
  std::optional<std::string> consumer_name;
  std::optional<std::string> consumer_arn;
  std::optional<std::string> stream_id;  // reserved by the service, which ignores it

  Wanted access(Call& call) const;
};
template <typename Request>
constexpr Field consumer_name() {
  return field<Request, &Request::consumer_name>("ConsumerName",
                                                 {.pattern = &kNamePattern, .min = 1, .max = 128});
}
template <typename Request>
constexpr Field consumer_arn() {
  return field<Request, &Request::consumer_arn>("ConsumerARN",
                                                {.pattern = &kConsumerArnPattern, .min = 1, .max = 2'048});
}
// errors   InvalidArgumentException: too little is given, or what is given contradicts itself
std::variant<ConsumerPlace, ApiError> place_of(const Call& call, const ConsumerRef& ref);
// Both steps.
std::variant<FoundConsumer, ApiError> find_consumer(const Call& call, const ConsumerRef& ref);

// Access to the consumer at `place`, whether it exists or not.
Access access_to(const Call& call, const ConsumerPlace& place);

// "arn:aws:kinesis:REGION:ACCOUNT:stream/NAME/consumer/NAME:CREATED"
std::string arn_of(const Call& call, const broker::Stream& stream, const broker::Consumer& consumer);
std::string_view status_text(broker::ConsumerStatus status);
ApiError consumer_not_found(const ConsumerPlace& place);
ApiError consumer_not_active(const StreamPlace& stream, const broker::Consumer& consumer);

// The members of Consumer that all answers have, of the object that the caller has begun.
void write_consumer(const Call& call, const broker::Stream& stream, const broker::Consumer& consumer,
                    Writer& writer);

}  // namespace millrace::kinesis
