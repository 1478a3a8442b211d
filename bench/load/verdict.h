// bench/load/verdict.h: what became of every record: attempted, acknowledged, received; and in which order.
#pragma once

#include <cstdint>
#include <vector>

#include "load/stamp.h"

namespace millrace::load {

// One thread.
class Verdict {
 public:
  struct Counts {
    std::uint64_t attempted, acknowledged, received;
    std::uint64_t lost;          // acknowledged and never received
    std::uint64_t duplicated;    // received more than once, each further time counted
    std::uint64_t out_of_order;  // received in a shard behind a later one of the same lane
    std::uint64_t never_sent;    // received, with a stamp that was never sent
    std::uint64_t foreign;       // received, without a stamp
    // The four that must not be; duplicates too, since the generator never sends a record again that may be
    // there.
    bool clean() const { return lost + duplicated + out_of_order + never_sent == 0; }
  };

  explicit Verdict(std::uint32_t lanes) : states_(lanes) {}

  void attempted(std::uint32_t lane, std::uint64_t sequence) {
    std::vector<std::uint8_t>& states = states_[lane];
    if (states.size() <= sequence) states.resize(sequence + 1);
    states[sequence] |= kAttempted;
    ++counts_.attempted;
  }
  void acknowledged(std::uint32_t lane, std::uint64_t sequence) {
    states_[lane][sequence] |= kAcknowledged;
    ++counts_.acknowledged;
  }
  void received(const Stamp& stamp, std::size_t shard);
  void received_foreign() { ++counts_.foreign; }

  bool all_acknowledged_received() const;
  Counts counts() const;
  // Without `lost`, which costs a look at each record.
  const Counts& counts_so_far() const { return counts_; }
  // Calls visit(lane, sequence).
  template <typename Visit>
  void for_each_acknowledged(const Visit& visit) const {
    for (std::uint32_t lane = 0; lane < states_.size(); ++lane)
      for (std::uint64_t sequence = 0; sequence < states_[lane].size(); ++sequence)
        if ((states_[lane][sequence] & kAcknowledged) != 0) visit(lane, sequence);
  }

 private:
  enum : std::uint8_t { kAttempted = 1, kAcknowledged = 2, kReceived = 4 };

  std::vector<std::vector<std::uint8_t>> states_;          // [lane][sequence]
  std::vector<std::vector<std::uint64_t>> next_sequence_;  // [shard][lane]: one past the last received
  Counts counts_{};
};

}  // namespace millrace::load
