// net/flood_gauge.h: how many frames that cost us something and bring nothing a peer may send.
#pragma once

#include <algorithm>
#include <cstdint>

namespace millrace::net {

// A bucket of tokens: full at first, refilled by time and by useful traffic.
class FloodGauge {
 public:
  FloodGauge(std::int64_t tokens_max, std::int64_t tokens_a_second, std::int64_t now_ns)
      : tokens_max_(tokens_max), tokens_a_second_(tokens_a_second), tokens_(tokens_max), filled_ns_(now_ns) {}

  // False: the peer is flooding.
  bool spend(std::int64_t tokens, std::int64_t now_ns) {
    const std::int64_t refill = (now_ns - filled_ns_) / (1'000'000'000 / tokens_a_second_);
    if (refill > 0) {
      earn(refill);
      filled_ns_ = now_ns;
    }
    tokens_ -= tokens;
    return tokens_ >= 0;
  }
  void earn(std::int64_t tokens) { tokens_ = std::min(tokens_max_, tokens_ + tokens); }

 private:
  const std::int64_t tokens_max_;
  const std::int64_t tokens_a_second_;
  std::int64_t tokens_;
  std::int64_t filled_ns_;
};

}  // namespace millrace::net
