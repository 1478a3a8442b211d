// kinesis/rate_limits.h: how often the service takes an operation, for `--limits aws`.
// source: the comments of @aws-sdk/client-kinesis, operation by operation
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace millrace::kinesis {

// `count` calls in `seconds`: so many at once, then as they come back, evenly.
struct Rate {
  double count;
  double seconds;
};

// Token buckets. Any thread; one lock, only ever taken under `--limits aws`.
class RateLimits {
 public:
  explicit RateLimits(const Clock& clock) : clock_(clock) {}

  // One call of `operation` in this account: false when the service would not take it now. True for an
  // operation without such a limit.
  bool take(std::string_view operation);
  // One call of what `key` names: a shard's iterators, a stream's dry runs. The caller has made sure that
  // what it names exists.
  bool take(const std::string& key, Rate rate);

 private:
  struct Bucket {
    double tokens;
    std::int64_t refilled_ns;
    double seconds;  // after so long without a call it is full
  };
  const Clock& clock_;
  std::mutex mutex_;
  std::map<std::string, Bucket, std::less<>> buckets_;
};

}  // namespace millrace::kinesis
