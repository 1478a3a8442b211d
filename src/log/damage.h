// log/damage.h: blocks of segments that cannot be read: found by a read, a rewrite or the scrub, told once;
// and those that an operator has marked as lost, which readers pass over.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <set>

#include "log/log.h"
#include "log/segment.h"

namespace millrace::log {

struct LogContext;

// Any thread.
class Damage {
 public:
  // Tells of it, unless it is known. `segment` is its number.
  void note(std::uint64_t segment, DamagedBlock block);
  void mark_lost(std::uint64_t segment, std::uint64_t position);
  bool is_lost(std::uint64_t segment, std::uint64_t position) const;
  // The segment's file is no part of the log any more.
  void forget(std::uint64_t segment);

  // As Log::when_damaged.
  void when_found(std::function<void(const DamagedBlock&)> tell);

  std::uint64_t damaged() const;
  std::uint64_t lost() const;

 private:
  struct Blocks {
    std::map<std::uint64_t, DamagedBlock> damaged;  // by position
    std::set<std::uint64_t> lost;                   // positions
  };

  mutable std::mutex mutex_;
  std::map<std::uint64_t, Blocks> segments_;
  std::function<void(const DamagedBlock&)> tell_;
};

// As load_block, of a segment of the running log: damage is noted, and the error names only the records.
Result<Bytes> load_noting_damage(LogContext& context, Segment& segment, ShardKey shard,
                                 const BlockRef& block);
// As open_segment: damage is noted.
Result<OpenedSegment> open_noting_damage(LogContext& context, Segment& segment);

}  // namespace millrace::log
