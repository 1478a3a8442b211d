// kinesis/stream_ref.h: the stream that a request speaks of, by name or by ARN.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "broker/catalog.h"
#include "kinesis/access.h"
#include "kinesis/call.h"
#include "kinesis/protocol.h"

namespace millrace::kinesis {

// A request begins with one: struct Request : StreamRef { … }.
struct StreamRef {
  std::optional<std::string> stream_name;
  std::optional<std::string> stream_arn;
  std::optional<std::string> stream_id;  // the service reserves it for later: checked, and without effect

  Wanted access(Call& call) const;
};

// With neither, the message is the one that was recorded when StreamName was required.
template <typename Request>
constexpr Field stream_name() {
  return field<Request, &Request::stream_name>(
      "StreamName", {.pattern = &kNamePattern, .min = 1, .max = 128, .unless = "StreamARN"});
}
// Where neither need be given, or the operation has its own message for that.
template <typename Request>
constexpr Field optional_stream_name() {
  return field<Request, &Request::stream_name>("StreamName",
                                               {.pattern = &kNamePattern, .min = 1, .max = 128});
}
template <typename Request>
constexpr Field stream_arn() {
  return field<Request, &Request::stream_arn>("StreamARN",
                                              {.pattern = &kStreamArnPattern, .min = 1, .max = 2'048});
}

// Last in a description: those of the recorded texts come before it.
template <typename Request>
constexpr Field stream_id() {
  return field<Request, &Request::stream_id>("StreamId", {.pattern = &kStreamIdPattern, .min = 1, .max = 24});
}

// Where a stream is to be found, whether it exists or not.
struct StreamPlace {
  std::string name;
  std::string account;
  bool ours = true;      // in the server's own account and region
  std::string arn = {};  // as given, where it is not ours
};

// errors   InvalidArgumentException: the ARN names no stream, or another one than the name
std::variant<StreamPlace, ApiError> place_of(const Call& call, const StreamRef& ref);
// name, arn   data() == nullptr: absent
std::variant<StreamPlace, ApiError> place_of(const Call& call, std::string_view name, std::string_view arn);
// "arn:aws:kinesis:REGION:ACCOUNT:stream/NAME"
std::variant<StreamPlace, ApiError> place_of_arn(const Call& call, std::string_view arn);
// nullptr when there is none, or it is not ours.
std::shared_ptr<const broker::Stream> look_up(const Call& call, const StreamPlace& place);

struct FoundStream {
  StreamPlace place;
  std::shared_ptr<const broker::Stream> stream;
};
// Both steps. errors   as place_of, and ResourceNotFoundException
std::variant<FoundStream, ApiError> find_stream(const Call& call, const StreamRef& ref);
std::variant<FoundStream, ApiError> find_resource(const Call& call, std::string_view arn);

std::string arn_of(const Call& call, std::string_view stream_name);

// Access to the stream at `place`, or to what `arn` names, whether it exists or not.
Access access_to(const Call& call, const StreamPlace& place);
Wanted access_to_resource(const Call& call, std::string_view arn);

// The service's own words.
ApiError stream_not_found(const StreamPlace& place);
ApiError shard_not_found(std::string_view shard, const StreamPlace& place);  // "Could not find shard …"
ApiError shard_absent(std::string_view shard, const StreamPlace& place);     // "Shard … does not exist"
// A shard that is closed: it can be neither split nor merged.
ApiError already_resharded(std::uint32_t shard, const StreamPlace& place);
ApiError not_active(const StreamPlace& place, broker::StreamStatus status);
// LimitExceededException: "Rate exceeded for stream …"
ApiError stream_rate_exceeded(std::string_view stream, std::string_view account);
ApiError on_demand(const StreamPlace& place);
ApiError over_shard_limit(const Call& call, std::uint64_t more);
std::string_view status_text(broker::StreamStatus status);

// An operation on records failed: as from_house(), with the type that such operations have for a failure of
// the server's own.
ApiError data_failed(const Error& error);
// A command of the broker failed: its kind in the service's words, where it speaks of this stream.
ApiError command_failed(const Error& error, const StreamPlace& place);

}  // namespace millrace::kinesis
