// source: AWS Kinesis API reference, DescribeLimits

#include "kinesis/operation.h"
#include "kinesis/stream_settings.h"

namespace millrace::kinesis::describe_limits {
namespace {

struct DescribeLimitsRequest : OnAccount {};
constexpr std::span<const Field> kFields{};

Task<Outcome> run(Call& call, DescribeLimitsRequest) {
  const auto catalog = call.broker.catalog();
  std::int64_t on_demand = 0;
  for (const auto& [name, stream] : catalog->streams) on_demand += stream->on_demand ? 1 : 0;
  Writer& writer = call.reply;
  writer.begin_object();
  writer.member("ShardLimit", static_cast<std::int64_t>(call.broker.options().shards_per_account_max));
  writer.member("OpenShardCount", static_cast<std::int64_t>(catalog->open_shard_count));
  writer.member("OnDemandStreamCount", on_demand);
  writer.member("OnDemandStreamCountLimit", std::max(kOnDemandStreamsMax, on_demand));
  writer.member("ChannelCount", std::int64_t{0});
  writer.member("ChannelCountLimit", std::int64_t{0});
  writer.end_object();
  co_return std::nullopt;
}

}  // namespace

extern const Operation kDescribeLimits;
const Operation kDescribeLimits = operation<DescribeLimitsRequest, kFields, run>("DescribeLimits");

}  // namespace millrace::kinesis::describe_limits
