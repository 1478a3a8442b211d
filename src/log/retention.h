// log/retention.h: what of a shard is still there: blocks come and records go.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "log/loop_state.h"

namespace millrace::log {

// All on the loop.

// Drops the tail's runs that are no longer in memory from the shard's ring.
void drop_evicted(Shard& shard, const Tail& tail);
// Tells the block's shard, when it is still there and wants it, that the block exists.
void add_block(LoopState& state, const BlockEntry& entry, Segment& segment);
// `made` (or nothing, when it has no segment) holds what is left of the blocks of this shard that were in
// `old`.
void replace_blocks(LoopState& state, ShardKey key, const std::vector<std::shared_ptr<Segment>>& old,
                    const OpenedSegment& made);
// Drops what is older than the shard's retention: whole blocks and whole runs.
void drop_expired(LoopState& state, Shard& shard);
// Records that arrived before are gone, even where they share a block with later ones.
std::int64_t oldest_kept_ms(const LoopState& state, const Shard& shard);
// Drops all blocks; the shard is about to be removed.
void drop_blocks(LoopState& state, Shard& shard);

}  // namespace millrace::log
