#include "log/tail.h"

#include <utility>

namespace millrace::log {

namespace {

std::uint64_t memory_of(const Batch& batch) {
  return sizeof(Batch) + batch.bytes.capacity() + batch.runs.capacity() * sizeof(Run);
}

}  // namespace

std::uint64_t Tail::push(std::shared_ptr<const Batch> batch) {
  if (end_ - begin_ == ring_.size()) {
    std::vector<std::shared_ptr<const Batch>> grown(ring_.empty() ? 64 : 2 * ring_.size());
    for (std::uint64_t i = begin_; i < end_; ++i)
      grown[i & (grown.size() - 1)] = std::move(ring_[i & (ring_.size() - 1)]);
    ring_ = std::move(grown);
  }
  bytes_ += memory_of(*batch);
  ring_[end_ & (ring_.size() - 1)] = std::move(batch);
  return end_++;
}

void Tail::settle_before(std::uint64_t number) {
  MR_ASSERT(number >= settled_end_);
  MR_ASSERT(number <= end_);
  settled_end_ = number;
}

void Tail::evict(std::uint64_t bytes_max) {
  while (bytes_ > bytes_max && begin_ < settled_end_) {
    std::shared_ptr<const Batch>& oldest = ring_[begin_ & (ring_.size() - 1)];
    bytes_ -= memory_of(*oldest);
    oldest.reset();
    ++begin_;
  }
}

}  // namespace millrace::log
