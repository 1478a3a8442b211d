#include "load/verdict.h"

#include <algorithm>

namespace millrace::load {

void Verdict::received(const Stamp& stamp, std::size_t shard) {
  if (stamp.lane >= states_.size() || stamp.sequence >= states_[stamp.lane].size()) {
    ++counts_.never_sent;
    return;
  }
  std::uint8_t& state = states_[stamp.lane][stamp.sequence];
  if (state & kReceived) {
    ++counts_.duplicated;
    return;
  }
  state |= kReceived;
  ++counts_.received;
  if (next_sequence_.size() <= shard) next_sequence_.resize(shard + 1);
  std::vector<std::uint64_t>& next = next_sequence_[shard];
  next.resize(states_.size());
  if (stamp.sequence < next[stamp.lane]) ++counts_.out_of_order;
  next[stamp.lane] = std::max(next[stamp.lane], stamp.sequence + 1);
}

bool Verdict::all_acknowledged_received() const {
  // Cheap while it is false, and it is asked often: only then is each record looked at.
  return counts_.received >= counts_.acknowledged && counts().lost == 0;
}

Verdict::Counts Verdict::counts() const {
  Counts counts = counts_;
  counts.lost = 0;
  for (const std::vector<std::uint8_t>& states : states_) {
    for (const std::uint8_t state : states)
      counts.lost += (state & (kAcknowledged | kReceived)) == kAcknowledged;
  }
  return counts;
}

}  // namespace millrace::load
