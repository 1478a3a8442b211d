#include "kinesis/rate_check.h"

#include <fmt/format.h>

namespace millrace::kinesis {
Outcome check_rate(const Call& call, std::string_view stream) {
  if (call.rates == nullptr || call.rates->take(call.action.substr(std::string_view("kinesis:").size())))
    return std::nullopt;
  if (!stream.empty()) return stream_rate_exceeded(stream, call.account());
  return limit_exceeded(fmt::format("Rate exceeded for account {}.", call.account()));
}

Outcome check_iterator_rate(const Call& call, std::string_view shard, const StreamPlace& place) {
  if (call.rates == nullptr ||
      call.rates->take(fmt::format("iterators {} {}", place.name, shard), {.count = 5, .seconds = 1}))
    return std::nullopt;
  return read_rate_exceeded(shard, place);
}

Outcome check_dry_run_rate(const Call& call, const StreamPlace& place) {
  if (call.rates == nullptr ||
      call.rates->take(fmt::format("dry runs {}", place.name), {.count = 1, .seconds = 1}))
    return std::nullopt;
  return ApiError{"ThrottlingException", "Rate exceeded"};
}

ApiError read_rate_exceeded(std::string_view shard, const StreamPlace& place) {
  return {"ProvisionedThroughputExceededException",
          fmt::format("Rate exceeded for Shard - {}/{}/{}", place.account, place.name, shard)};
}

}  // namespace millrace::kinesis
