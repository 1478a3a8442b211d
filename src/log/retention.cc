#include "log/retention.h"

#include <algorithm>
#include <limits>

#include "log/run_codec.h"

namespace millrace::log {

namespace {

void drop_from_segment(LoopState& state, const BlockRef& block) {
  const auto segment = state.segments.find(block.segment);
  MR_ASSERT(segment != state.segments.end());
  segment->second->live_bytes -= block.stored_bytes;
}

}  // namespace

void drop_evicted(Shard& shard, const Tail& tail) {
  std::uint32_t gone = 0;
  while (gone < shard.ring.size() && !tail.holds(shard.ring[gone].batch)) ++gone;
  if (gone > 0) shard.ring.drop_oldest(gone);
}

void add_block(LoopState& state, const BlockEntry& entry, Segment& segment) {
  Shard* shard = state.shards.find(entry.shard);
  if (shard == nullptr || entry.end_offset() <= shard->rest->first_offset) {
    segment.live_bytes -= entry.stored_bytes;
    return;
  }
  MR_ASSERT(shard->rest->blocks.empty() || shard->rest->blocks.back().end_offset() == entry.first_offset);
  shard->rest->blocks.push_back(make_ref(entry, static_cast<std::uint32_t>(segment.number())));
}

void replace_blocks(LoopState& state, ShardKey key, const std::vector<std::shared_ptr<Segment>>& old,
                    const OpenedSegment& made) {
  const auto first = std::partition_point(made.blocks.begin(), made.blocks.end(),
                                          [key](const BlockEntry& block) { return block.shard < key; });
  Shard* shard = state.shards.find(key);
  if (shard != nullptr) {
    std::erase_if(shard->rest->blocks, [&](const BlockRef& block) {
      return std::any_of(old.begin(), old.end(),
                         [&](const auto& segment) { return segment->number() == block.segment; });
    });
  }
  for (auto block = first; block != made.blocks.end() && block->shard == key; ++block) {
    if (shard == nullptr || block->end_offset() <= shard->rest->first_offset)
      made.segment->live_bytes -= block->stored_bytes;
    else
      shard->rest->blocks.push_back(make_ref(*block, static_cast<std::uint32_t>(made.segment->number())));
  }
  if (shard == nullptr) return;
  std::sort(shard->rest->blocks.begin(), shard->rest->blocks.end(),
            [](const BlockRef& a, const BlockRef& b) { return a.first_offset < b.first_offset; });
}

std::int64_t oldest_kept_ms(const LoopState& state, const Shard& shard) {
  if (shard.rest->retention_ms == kRetentionUnlimited) return std::numeric_limits<std::int64_t>::min();
  return state.context->environment.clock.long_ago_ms(shard.rest->retention_ms);
}

void drop_expired(LoopState& state, Shard& shard) {
  const std::int64_t oldest_ms = oldest_kept_ms(state, shard);
  ShardRest& rest = *shard.rest;
  std::size_t gone = 0;
  while (gone < rest.blocks.size() && rest.blocks[gone].last_arrival_ms < oldest_ms) {
    rest.first_offset = std::max(rest.first_offset, rest.blocks[gone].end_offset());
    drop_from_segment(state, rest.blocks[gone++]);
  }
  rest.blocks.erase(rest.blocks.begin(), rest.blocks.begin() + static_cast<std::ptrdiff_t>(gone));
  if (rest.blocks.capacity() > 64 && rest.blocks.size() < rest.blocks.capacity() / 4)
    rest.blocks.shrink_to_fit();
  drop_evicted(shard, state.tail);
  if (!rest.blocks.empty() || rest.retention_ms == kRetentionUnlimited) return;
  for (std::uint32_t i = 0; i < shard.ring.size(); ++i) {
    const TailEntry& entry = shard.ring[i];
    const RunHeader run = load_run_header(state.tail.batch(entry.batch)->bytes.data() + entry.begin);
    if (run.end_offset() <= rest.first_offset) continue;
    if (run.arrival_ms >= oldest_ms) return;
    rest.first_offset = run.end_offset();
  }
}

void drop_blocks(LoopState& state, Shard& shard) {
  for (const BlockRef& block : shard.rest->blocks) drop_from_segment(state, block);
  shard.rest->blocks.clear();
}

}  // namespace millrace::log
