// broker/throttle.h: the throughput of a shard as AWS limits it, for `--limits aws`.
// source: Kinesis Data Streams developer guide, "Quotas and limits".
#pragma once

#include <cstdint>
#include <mutex>
#include <unordered_map>

#include "base/clock.h"
#include "log/record.h"

namespace millrace::broker {

inline constexpr std::uint64_t kShardWriteBytesPerSecond = 1024 * 1024;
inline constexpr std::uint64_t kShardWriteRecordsPerSecond = 1'000;
inline constexpr std::uint64_t kShardReadBytesPerSecond = 2 * 1024 * 1024;
inline constexpr std::uint64_t kShardReadsPerSecond = 5;

// Token buckets that hold one second's worth. Any thread; one lock, which is only ever taken under `--limits
// aws`.
class Throttle {
 public:
  explicit Throttle(const Clock& clock) : clock_(clock) {}

  // Takes a record of `bytes` (key and data) from what the shard may write; false when it is more than is
  // left.
  bool take_write(log::ShardKey shard, std::uint64_t bytes);
  // Takes one read call; false when the shard's calls, or bytes already read, are over what it may.
  bool take_read(log::ShardKey shard);
  // Charges what that call returned: up to 10 MB at once, which then holds later calls off for seconds.
  void charge_read(log::ShardKey shard, std::uint64_t bytes);

 private:
  struct Buckets {
    double write_bytes, write_records, read_bytes, read_calls;
    std::int64_t refilled_ns;
  };
  Buckets& refilled(log::ShardKey shard);

  const Clock& clock_;
  std::mutex mutex_;
  std::unordered_map<std::uint64_t, Buckets> shards_;
};

}  // namespace millrace::broker
