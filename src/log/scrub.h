// log/scrub.h: reads all segments again, slowly and for ever, so that damage is found while a good copy may
// still exist elsewhere.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "log/compaction.h"
#include "log/log_context.h"

namespace millrace::log {

// A pass begins at a segment drawn at random, so that a server that is restarted often misses none of them
// for good, and nothing need be remembered.
class Scrub : public std::enable_shared_from_this<Scrub> {
 public:
  // worker   borrowed; unused after stop()
  Scrub(std::shared_ptr<LogContext> context, std::shared_ptr<Compaction> compaction, Worker& worker)
      : context_(std::move(context)), compaction_(std::move(compaction)), worker_(worker) {}

  // Reads as much as is due; called now and then. One thread.
  void tick();
  void stop() { stopped_ = true; }

 private:
  void read_due();
  bool next_segment();
  std::uint64_t next_bytes() const;
  void count_read(std::uint64_t bytes);

  std::shared_ptr<LogContext> context_;
  std::shared_ptr<Compaction> compaction_;
  Worker& worker_;
  std::atomic<bool> stopped_{false};
  std::atomic<bool> running_{false};  // the rest is the worker's while it is set
  std::int64_t ticked_ns_ = 0;
  double due_bytes_ = 0;
  std::weak_ptr<Segment> segment_;
  std::vector<BlockEntry> blocks_;
  std::size_t next_block_ = 0;
  std::uint64_t next_number_ = 0;            // of the segment to read next, or the first one behind it
  std::optional<std::uint64_t> pass_began_;  // at this number
  bool wrapped_ = false;                     // the pass has come to the end and goes on at the first one
};

}  // namespace millrace::log
