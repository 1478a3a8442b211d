#include "log/shard_table.h"

#include <algorithm>

namespace millrace::log {

Shard& ShardTable::open(const ShardOptions& options) {
  MR_ASSERT(loop_of(options.shard, loops_) == loop_index_);
  MR_ASSERT(find(options.shard) == nullptr);
  const std::uint64_t slot = to_number(options.shard) / loops_;
  const std::uint64_t page = slot / kPageShards;
  if (page >= pages_.size()) pages_.resize(page + 1);
  if (pages_[page] == nullptr) pages_[page] = std::make_unique<Page>();
  Shard& shard = (*pages_[page])[slot % kPageShards];
  shard.open = true;
  shard.ring = TailRing(ring_memory_);
  shard.rest = std::make_unique<ShardRest>();
  shard.rest->key = options.shard;
  shard.rest->retention_ms = options.retention_ms;
  ++size_;
  return shard;
}

void ShardTable::remove(ShardKey key) {
  Shard* shard = find(key);
  MR_ASSERT(shard != nullptr);
  *shard = Shard{};
  --size_;
  const std::uint64_t page = to_number(key) / loops_ / kPageShards;
  if (std::none_of(pages_[page]->begin(), pages_[page]->end(), [](const Shard& other) { return other.open; }))
    pages_[page].reset();
}

}  // namespace millrace::log
