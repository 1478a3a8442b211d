#include "log/damage.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "log/log_context.h"

namespace millrace::log {

void Damage::note(std::uint64_t segment, DamagedBlock block) {
  std::function<void(const DamagedBlock&)> tell;
  {
    const std::lock_guard lock(mutex_);
    Blocks& blocks = segments_[segment];
    if (blocks.lost.contains(block.position)) return;
    if (!blocks.damaged.emplace(block.position, block).second) return;
    tell = tell_;
  }
  if (tell) tell(block);
}

void Damage::mark_lost(std::uint64_t segment, std::uint64_t position) {
  const std::lock_guard lock(mutex_);
  segments_[segment].lost.insert(position);
}

bool Damage::is_lost(std::uint64_t segment, std::uint64_t position) const {
  const std::lock_guard lock(mutex_);
  const auto found = segments_.find(segment);
  return found != segments_.end() && found->second.lost.contains(position);
}

void Damage::forget(std::uint64_t segment) {
  const std::lock_guard lock(mutex_);
  segments_.erase(segment);
}

void Damage::when_found(std::function<void(const DamagedBlock&)> tell) {
  std::vector<DamagedBlock> known;
  {
    const std::lock_guard lock(mutex_);
    tell_ = tell;
    for (const auto& [segment, blocks] : segments_)
      for (const auto& [position, block] : blocks.damaged) known.push_back(block);
  }
  for (const DamagedBlock& block : known) tell(block);
}

std::uint64_t Damage::damaged() const {
  const std::lock_guard lock(mutex_);
  std::uint64_t count = 0;
  for (const auto& [segment, blocks] : segments_) count += blocks.damaged.size();
  return count;
}

std::uint64_t Damage::lost() const {
  const std::lock_guard lock(mutex_);
  std::uint64_t count = 0;
  for (const auto& [segment, blocks] : segments_) count += blocks.lost.size();
  return count;
}

Result<Bytes> load_noting_damage(LogContext& context, Segment& segment, ShardKey shard,
                                 const BlockRef& block) {
  auto bytes = load_block(context.environment.disk, segment, block);
  if (bytes.ok() || bytes.error().kind != ErrorKind::kCorrupt) return bytes;
  segment.damaged = true;
  context.damage.note(segment.number(), {.shard = shard,
                                         .first_offset = block.first_offset,
                                         .end_offset = block.end_offset(),
                                         .first_arrival_ms = block.first_arrival_ms,
                                         .last_arrival_ms = block.last_arrival_ms,
                                         .file = context.environment.disk.describe(segment.path()),
                                         .position = block.position,
                                         .what = std::move(bytes.error().text)});
  return Error{ErrorKind::kCorrupt,
               fmt::format("records {} to {} of shard {} are damaged on disk", block.first_offset,
                           block.end_offset() - 1, to_number(shard))};
}

Result<OpenedSegment> open_noting_damage(LogContext& context, Segment& segment) {
  auto opened = open_segment(context.environment.disk, segment.entry());
  if (opened.ok() || opened.error().kind != ErrorKind::kCorrupt) return opened;
  segment.damaged = true;
  context.damage.note(segment.number(), {.file = context.environment.disk.describe(segment.path()),
                                         .what = opened.error().text});
  return opened;
}

}  // namespace millrace::log
