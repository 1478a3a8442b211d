// log/reader.h: reads of one loop's shards: from the tail where it is in memory, else from segments.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "log/loop_state.h"
#include "log/run_reader.h"

namespace millrace::log {

// On the loop; what blocks runs on the workers.
class Reader : public std::enable_shared_from_this<Reader> {
 public:
  // workers   1 or more, borrowed
  Reader(std::shared_ptr<LoopState> state, std::vector<Worker*> workers)
      : state_(std::move(state)), workers_(std::move(workers)) {}

  // As Log's. Coroutines keep `self` until they end.
  static Task<Result<ReadBatch>> read(std::shared_ptr<Reader> self, ShardKey shard, std::uint64_t from,
                                      ReadLimits limits);
  static Task<Result<std::uint64_t>> offset_at_time(std::shared_ptr<Reader> self, ShardKey shard,
                                                    std::int64_t time_ms);
  Result<Extent> extent(ShardKey shard);
  Result<ShardAges> ages(ShardKey shard) const;
  std::optional<std::int64_t> arrival_near(ShardKey shard, std::uint64_t offset) const;

 private:
  // A block on its way, or here.
  struct Load {
    BlockRef block;
    Result<BlockCache::Block> bytes = BlockCache::Block{};
  };
  struct Window {
    ShardKey shard;
    std::vector<Load> loads;
    std::size_t missing = 0;
    Callback done;
  };

  std::uint32_t first_in_tail(const Shard& shard) const;
  std::uint64_t tail_begin(const Shard& shard, std::uint32_t index) const;
  static std::uint64_t behind_lost(const Shard& shard, std::uint64_t offset);
  std::shared_ptr<Window> choose_blocks(const Shard& shard, std::uint64_t from,
                                        const ReadLimits& limits) const;
  void load(std::shared_ptr<Window> window, Callback done);
  void fetch(ShardKey shard, const BlockRef& block, BlockCache::Done done);
  void read_ahead(const Shard& shard, std::uint64_t from);
  void read_tail(const Shard& shard, ReadBatch& out, const ReadLimits& limits, RunReader& runs) const;
  std::optional<std::int64_t> arrival_at(const Shard& shard, std::uint64_t offset) const;
  std::optional<std::int64_t> arrival_in_tail(const Shard& shard, std::uint64_t offset) const;

  std::shared_ptr<LoopState> state_;
  PlainRuns plain_runs_;
  std::vector<Worker*> workers_;
  std::size_t next_worker_ = 0;
};

}  // namespace millrace::log
