// log/shard_blocks.h: whether what there is of a shard follows each other without a gap.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "log/record.h"
#include "log/segment.h"
#include "store/disk.h"

namespace millrace::log {

// Sorts a shard's blocks by offset.
// errors   kCorrupt: one does not begin where the one before it ends; names both
Result<void> put_in_order(const store::Disk& disk, ShardKey shard, std::vector<BlockRef>& blocks);

// A run of the journal begins with record `begin` of the shard, which ends at `end`.
// errors   kCorrupt: it does not follow; without the place
Result<void> check_follows(ShardKey shard, std::uint64_t begin, std::uint64_t end);

// The catalog says that the shard has ended at `end_at_least` or later, and it ends at `end`.
// errors   kCorrupt: it does not reach that
Result<void> check_reaches(const store::Disk& disk, ShardKey shard, std::uint64_t end,
                           std::uint64_t end_at_least);

// Something at `offset` of the file has records of the shard.
// next_shard   shards from it on were never made
// errors       kCorrupt: this one was not
Result<void> check_made(const store::Disk& disk, const std::string& path, std::uint64_t offset,
                        ShardKey shard, std::uint64_t next_shard);

}  // namespace millrace::log
