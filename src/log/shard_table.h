// log/shard_table.h: what one loop knows of its shards. Finding one costs two loads: keys are dense, so it is
// a table.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/callback.h"
#include "log/huge_pages.h"
#include "log/log.h"
#include "log/segment.h"
#include "log/tail_ring.h"

namespace millrace::log {

// What appends do not touch.
struct ShardRest {
  ShardKey key{};
  std::int64_t retention_ms = kRetentionUnlimited;
  std::uint64_t first_offset = 0;  // records before it are gone; never falls while the process runs
  std::vector<BlockRef>
      blocks;  // in segments, by offset, without a gap; those before first_offset are dropped
  struct Waiter {
    std::uint64_t offset;
    Callback callback;
  };
  std::vector<Waiter> waiters;
};

// What an append touches: one cache line.
struct alignas(64) Shard {
  std::uint64_t next_offset = 0;  // of the next record to be appended
  std::uint64_t durable_end = 0;  // one past the newest durable record
  TailRing ring;                  // durable runs; the oldest may be of batches that left the tail
  std::unique_ptr<ShardRest> rest;
  bool open = false;  // exists
  bool sealed = false;
  bool has_waiters = false;
};
static_assert(sizeof(Shard) == 64);

// On the loop. Keys of loop i of n are those with remainder i.
class ShardTable {
 public:
  ShardTable(std::size_t loop_index, std::size_t loops) : loop_index_(loop_index), loops_(loops) {}

  // nullptr when it is not here.
  Shard* find(ShardKey key) {
    const std::uint64_t slot = to_number(key) / loops_;
    const std::uint64_t page = slot / kPageShards;
    if (page >= pages_.size() || pages_[page] == nullptr) return nullptr;
    Shard& shard = (*pages_[page])[slot % kPageShards];
    return shard.open ? &shard : nullptr;
  }
  // Begins to fetch what find() and an append will touch.
  void prefetch(ShardKey key) const {
    const std::uint64_t slot = to_number(key) / loops_;
    const std::uint64_t page = slot / kPageShards;
    if (page < pages_.size() && pages_[page] != nullptr)
      __builtin_prefetch(&(*pages_[page])[slot % kPageShards], 1);
  }
  // Requires that it is not here.
  Shard& open(const ShardOptions& options);
  void remove(ShardKey key);

  std::size_t size() const { return size_; }
  // Calls visit(Shard&) for up to `n` slots from `slot` on; returns where to go on, 0 after the last.
  template <typename Visit>
  std::uint64_t visit(std::uint64_t slot, std::uint64_t n, Visit visit) {
    for (; n > 0; --n, ++slot) {
      while (slot / kPageShards < pages_.size() && pages_[slot / kPageShards] == nullptr)
        slot = (slot / kPageShards + 1) * kPageShards;
      if (slot / kPageShards >= pages_.size()) return 0;
      if (Shard& shard = (*pages_[slot / kPageShards])[slot % kPageShards]; shard.open) visit(shard);
    }
    return slot;
  }

 private:
  static constexpr std::uint64_t kPageShards = 64;
  using Page = std::array<Shard, kPageShards>;

  std::size_t loop_index_;
  std::size_t loops_;
  std::size_t size_ = 0;
  HugePages huge_pages_;
  std::pmr::unsynchronized_pool_resource ring_memory_{&huge_pages_};
  std::vector<std::unique_ptr<Page>> pages_;
};

}  // namespace millrace::log
