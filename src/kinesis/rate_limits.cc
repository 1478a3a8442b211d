#include "kinesis/rate_limits.h"

#include <algorithm>

namespace millrace::kinesis {
namespace {

struct AccountLimit {
  std::string_view operation;
  double per_second;
};
// Those by stream are not here: they are far above what one machine's clients ask for (ListShards, 1,000), or
// belong to consumers.
constexpr AccountLimit kAccountLimits[] = {
    {"AddTagsToStream", 5},        {"CreateChannel", 5},     {"CreateStream", 5},
    {"DeleteChannel", 5},          {"DeleteStream", 5},      {"DescribeAccountSettings", 5},
    {"DescribeChannel", 5},        {"DescribeLimits", 1},    {"DescribeStream", 10},
    {"DescribeStreamSummary", 20}, {"ListChannels", 5},      {"ListStreams", 5},
    {"ListTagsForStream", 5},      {"MergeShards", 5},       {"RegisterStreamConsumer", 5},
    {"RemoveTagsFromStream", 5},   {"SplitShard", 5},        {"UpdateAccountSettings", 5},
    {"UpdateChannel", 5},          {"UpdateShardCount", 10}, {"UpdateStreamWarmThroughput", 5},
};
constexpr std::size_t kBucketsMax = 100'000;  // then those that are full again go

}  // namespace

bool RateLimits::take(std::string_view operation) {
  const auto* limit = std::find_if(std::begin(kAccountLimits), std::end(kAccountLimits),
                                   [&](const AccountLimit& one) { return one.operation == operation; });
  return limit == std::end(kAccountLimits) || take(std::string(operation), {limit->per_second, 1});
}

bool RateLimits::take(const std::string& key, Rate rate) {
  const std::lock_guard lock(mutex_);
  const std::int64_t now_ns = clock_.monotonic_ns();
  const auto seconds_since = [now_ns](const Bucket& bucket) {
    return static_cast<double>(now_ns - bucket.refilled_ns) / 1e9;
  };
  if (buckets_.size() >= kBucketsMax)
    std::erase_if(buckets_, [&](const auto& one) { return seconds_since(one.second) > one.second.seconds; });
  Bucket& bucket = buckets_.try_emplace(key, Bucket{rate.count, now_ns, rate.seconds}).first->second;
  bucket.tokens = std::min(rate.count, bucket.tokens + seconds_since(bucket) * rate.count / rate.seconds);
  bucket.refilled_ns = now_ns;
  if (bucket.tokens < 1) return false;
  bucket.tokens -= 1;
  return true;
}

}  // namespace millrace::kinesis
