// kinesis/rate_check.h: refuses what comes more often than the service takes it, under `--limits aws` only.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "kinesis/call.h"
#include "kinesis/protocol.h"
#include "kinesis/stream_ref.h"

namespace millrace::kinesis {

// This call's operation, as often as the account may call it. stream   that the request names, or empty
// errors   LimitExceededException
Outcome check_rate(const Call& call, std::string_view stream);

// GetShardIterator, 5 a second of a shard. errors   ProvisionedThroughputExceededException
Outcome check_iterator_rate(const Call& call, std::string_view shard, const StreamPlace& place);
// Dry runs, one a second of a stream. errors   ThrottlingException
Outcome check_dry_run_rate(const Call& call, const StreamPlace& place);

// "Rate exceeded for Shard - ACCOUNT/STREAM/SHARD", as GetRecords and GetShardIterator say it.
ApiError read_rate_exceeded(std::string_view shard, const StreamPlace& place);

// The stream that a decoded request names, by name or ARN; empty where it names none.
template <typename Request>
std::string_view stream_named(const Request& request) {
  const auto of_arn = [](std::string_view arn) {
    const std::size_t slash = arn.find('/');
    return slash == std::string_view::npos ? std::string_view() : arn.substr(slash + 1);
  };
  const auto text = [](const auto& member) -> std::string_view {
    if constexpr (requires { member.has_value(); }) {
      return member.has_value() ? std::string_view(*member) : std::string_view();
    } else {
      return member;
    }
  };
  std::string_view name;
  if constexpr (requires { request.stream_name; }) name = text(request.stream_name);
  if constexpr (requires { request.stream_arn; })
    if (name.empty()) name = of_arn(text(request.stream_arn));
  if constexpr (requires { request.resource_arn; })
    if (name.empty()) name = of_arn(text(request.resource_arn));
  return name;
}

}  // namespace millrace::kinesis
