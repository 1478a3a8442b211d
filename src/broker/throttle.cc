#include "broker/throttle.h"

#include <algorithm>

namespace millrace::broker {

Throttle::Buckets& Throttle::refilled(log::ShardKey shard) {
  const std::int64_t now_ns = clock_.monotonic_ns();
  const auto [at, is_new] = shards_.try_emplace(
      log::to_number(shard), Buckets{kShardWriteBytesPerSecond, kShardWriteRecordsPerSecond,
                                     kShardReadBytesPerSecond, kShardReadsPerSecond, now_ns});
  Buckets& buckets = at->second;
  const double seconds = static_cast<double>(now_ns - buckets.refilled_ns) / 1e9;
  const auto refill = [seconds](double& bucket, std::uint64_t a_second) {
    const auto full = static_cast<double>(a_second);
    bucket = std::min(full, bucket + seconds * full);
  };
  refill(buckets.write_bytes, kShardWriteBytesPerSecond);
  refill(buckets.write_records, kShardWriteRecordsPerSecond);
  refill(buckets.read_bytes, kShardReadBytesPerSecond);
  refill(buckets.read_calls, kShardReadsPerSecond);
  buckets.refilled_ns = now_ns;
  return buckets;
}

bool Throttle::take_write(log::ShardKey shard, std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  Buckets& buckets = refilled(shard);
  // A record may be greater than a second's bytes: a full bucket lets it through, and goes into debt.
  const double asked = std::min(static_cast<double>(bytes), static_cast<double>(kShardWriteBytesPerSecond));
  if (buckets.write_records < 1 || buckets.write_bytes < asked) return false;
  buckets.write_records -= 1;
  buckets.write_bytes -= static_cast<double>(bytes);
  return true;
}

bool Throttle::take_read(log::ShardKey shard) {
  const std::lock_guard lock(mutex_);
  Buckets& buckets = refilled(shard);
  if (buckets.read_calls < 1 || buckets.read_bytes <= 0) return false;
  buckets.read_calls -= 1;
  return true;
}

void Throttle::charge_read(log::ShardKey shard, std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  refilled(shard).read_bytes -= static_cast<double>(bytes);
}

}  // namespace millrace::broker
