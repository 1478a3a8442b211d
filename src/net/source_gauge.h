// net/source_gauge.h: what a client address has cost the server for nothing, over all of its connections.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace millrace::net {

// A bucket of tokens, full at first and refilled by time. Any thread.
class SourceGauge {
 public:
  static constexpr std::int64_t kTokensMax = 2'000;
  static constexpr std::int64_t kTokensPerSecond = 200;

  // Takes one token. False: there is none.
  bool spend(std::int64_t now_ns) {
    std::int64_t full_at_ns = full_at_ns_.load(std::memory_order_relaxed);
    for (;;) {
      const std::int64_t next_ns = std::max(full_at_ns, now_ns) + kTokenNs;
      if (next_ns - now_ns > kTokensMax * kTokenNs) return false;
      if (full_at_ns_.compare_exchange_weak(full_at_ns, next_ns, std::memory_order_relaxed)) return true;
    }
  }

 private:
  static constexpr std::int64_t kTokenNs = 1'000'000'000 / kTokensPerSecond;
  std::atomic<std::int64_t> full_at_ns_{0};  // when the bucket will be full again
};

// The gauges of all addresses. A fixed number of them, so that many addresses take no more memory than one:
// those that share a gauge by chance are treated as if they were behind one NAT.
class SourceTable {
 public:
  // key   random, so that nobody can choose whose gauge to share
  explicit SourceTable(std::uint64_t key) : key_(key) {}

  // address   all of an IPv4 address, or the first 64 bits of an IPv6 address, which one client has to itself
  SourceGauge& of(std::uint64_t address) {
    std::uint64_t mixed = (address ^ key_) * 0x9e3779b97f4a7c15u;
    mixed = (mixed ^ mixed >> 32) * 0xbf58476d1ce4e5b9u;
    return gauges_[(mixed ^ mixed >> 32) % gauges_.size()];
  }

 private:
  const std::uint64_t key_;
  std::array<SourceGauge, 8'192> gauges_;
};

}  // namespace millrace::net
