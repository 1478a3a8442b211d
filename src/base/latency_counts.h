// base/latency_counts.h: how often something took how long, in the few buckets that a metrics page shows.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>

namespace millrace {

// Upper ends of the buckets in microseconds, the last without end: 64 µs, and each twice the one before.
inline constexpr std::size_t kLatencyBuckets = 20;
constexpr std::int64_t latency_bucket_us(std::size_t bucket) { return std::int64_t{64} << bucket; }

// Sums of any number of LatencyCounts.
struct LatencySums {
  std::array<std::uint64_t, kLatencyBuckets> counts{};  // not cumulative
  std::uint64_t sum_us = 0;
};

// One thread counts; any thread may read.
class LatencyCounts {
 public:
  // took_us   below 0 counts as 0
  void count(std::int64_t took_us) {
    std::size_t bucket = 0;
    while (bucket + 1 < kLatencyBuckets && took_us > latency_bucket_us(bucket)) ++bucket;
    add(counts_[bucket], 1);
    add(sum_us_, static_cast<std::uint64_t>(std::max<std::int64_t>(took_us, 0)));
  }
  void add_to(LatencySums& sums) const {
    for (std::size_t i = 0; i < kLatencyBuckets; ++i)
      sums.counts[i] += counts_[i].load(std::memory_order_relaxed);
    sums.sum_us += sum_us_.load(std::memory_order_relaxed);
  }

 private:
  using Counter = std::atomic<std::uint64_t>;
  // One writer, so no locked instruction is needed.
  static void add(Counter& counter, std::uint64_t more) {
    counter.store(counter.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
  }

  std::array<Counter, kLatencyBuckets> counts_{};
  Counter sum_us_{0};
};

}  // namespace millrace
