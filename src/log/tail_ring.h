// log/tail_ring.h: where the newest runs of one shard stand in the loop's tail: 16 bytes a run.
#pragma once

#include <cstdint>
#include <memory_resource>
#include <utility>

#include "base/assert.h"

namespace millrace::log {

struct TailEntry {
  std::uint32_t first_offset_low;  // of the run; the shard's end gives the upper bits
  std::uint32_t batch;             // number of its batch in the loop's Tail, lower bits
  std::uint32_t begin;             // of the run's header in the batch
  std::uint32_t count;             // of records
};
static_assert(sizeof(TailEntry) == 16);

// A growable ring of entries, oldest first; the empty one owns nothing. One thread.
class TailRing {
 public:
  TailRing() = default;  // of a shard that is not there: only to be assigned
  // memory    borrowed, outlives the ring
  explicit TailRing(std::pmr::memory_resource& memory) : memory_(&memory) {}
  TailRing(TailRing&& other) noexcept : memory_(other.memory_) { swap(other); }
  TailRing& operator=(TailRing&& other) noexcept {
    swap(other);
    return *this;
  }
  ~TailRing() { release(); }

  std::uint32_t size() const { return size_; }
  bool full() const { return size_ == capacity_; }
  // 0 is the oldest.
  const TailEntry& operator[](std::uint32_t i) const { return entries_[(head_ + i) & (capacity_ - 1)]; }
  void push(const TailEntry& entry) {
    if (full()) resize(capacity_ == 0 ? kCapacityMin : 2 * capacity_);
    entries_[(head_ + size_++) & (capacity_ - 1)] = entry;
  }
  void drop_oldest(std::uint32_t n) {
    MR_ASSERT(n <= size_);
    head_ = (head_ + n) & (capacity_ - 1);
    size_ -= n;
    if (size_ == 0)
      clear();
    else if (capacity_ > kCapacityMin && size_ <= capacity_ / 8)
      resize(capacity_ / 4);
  }
  void clear() {
    release();
    entries_ = nullptr;
    capacity_ = head_ = size_ = 0;
  }
  // Where push() will write next, to be fetched into the cache; or anything when it will grow.
  const void* next_slot() const { return entries_ + ((head_ + size_) & (capacity_ - 1)); }

 private:
  static constexpr std::uint32_t kCapacityMin = 4;  // a power of two, as every capacity

  void resize(std::uint32_t capacity) {
    if (capacity < kCapacityMin) capacity = kCapacityMin;
    auto* entries =
        static_cast<TailEntry*>(memory_->allocate(capacity * sizeof(TailEntry), alignof(TailEntry)));
    for (std::uint32_t i = 0; i < size_; ++i) entries[i] = (*this)[i];
    release();
    entries_ = entries;
    capacity_ = capacity;
    head_ = 0;
  }
  void release() {
    if (entries_ != nullptr) memory_->deallocate(entries_, capacity_ * sizeof(TailEntry), alignof(TailEntry));
  }
  void swap(TailRing& other) noexcept {
    std::swap(memory_, other.memory_);
    std::swap(entries_, other.entries_);
    std::swap(capacity_, other.capacity_);
    std::swap(head_, other.head_);
    std::swap(size_, other.size_);
  }

  std::pmr::memory_resource* memory_ = nullptr;
  TailEntry* entries_ = nullptr;
  std::uint32_t capacity_ = 0;
  std::uint32_t head_ = 0;
  std::uint32_t size_ = 0;
};

}  // namespace millrace::log
