// log/tail.h: the newest batches of one loop, in memory, in the order in which they became durable.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "log/batch.h"

namespace millrace::log {

// On the loop.
class Tail {
 public:
  // Numbers go up by one a batch.
  std::uint64_t begin() const { return begin_; }
  std::uint64_t end() const { return end_; }
  std::uint64_t settled_end() const { return settled_end_; }
  // Of memory.
  std::uint64_t bytes() const { return bytes_; }

  // Returns the batch's number.
  std::uint64_t push(std::shared_ptr<const Batch> batch);
  // Whether the batch whose number ends in `number_low` is still here. Wrong answers need a number 2^32
  // batches old: the sweep over the shards drops such entries long before.
  bool holds(std::uint32_t number_low) const {
    return static_cast<std::uint32_t>(number_low - static_cast<std::uint32_t>(begin_)) < end_ - begin_;
  }
  // Requires holds().
  const std::shared_ptr<const Batch>& batch(std::uint32_t number_low) const {
    return ring_[number_low & (ring_.size() - 1)];
  }

  // Batches before `number` are in segments, and may go.
  void settle_before(std::uint64_t number);
  // Drops the oldest settled batches while more than `bytes_max` are held.
  void evict(std::uint64_t bytes_max);

 private:
  std::vector<std::shared_ptr<const Batch>> ring_;  // a power of two long, or empty
  std::uint64_t begin_ = 0;
  std::uint64_t end_ = 0;
  std::uint64_t settled_end_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace millrace::log
