// log/segment_removal.h: removes the files of segments that no shard has any more, and gives their space back
// a piece at a time.
//
// A file system that is mounted with `discard` names to the disk all blocks that a removed file leaves, and a
// disk that works on that flushes nothing: each acknowledgement waits for it. docs/performance.md has how
// long. So a file is cut piece by piece, each cut made durable by itself (ext4 joins what one of its
// transactions frees), with time between them, and removed when one piece is left.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

#include "log/log_context.h"
#include "log/segment.h"

namespace millrace::log {

// One thread at a time, except waiting().
class SegmentRemoval {
 public:
  // context   borrowed
  explicit SegmentRemoval(LogContext& context) : context_(context) {}

  // segment   in no manifest and no loop's table any more, so that no further reader can find it
  void add(std::shared_ptr<Segment> segment);
  // Removes those that no reader holds any more, unless a backup does. Blocks, at the log's pace. What cannot
  // be removed, or is not when the log closes, is removed at the next start: no manifest names it.
  void run();
  // Segments that were still held when run() came by. Any thread.
  std::size_t waiting() const { return waiting_.load(std::memory_order_relaxed); }

 private:
  struct Leaving {
    std::weak_ptr<Segment> held;
    std::string path;
  };
  Result<void> shrink(const std::string& path);

  LogContext& context_;
  std::vector<Leaving> leaving_;
  std::atomic<std::size_t> waiting_{0};
};

}  // namespace millrace::log
