// log/compaction.h: keeps segments few and mostly alive: removes those whose records are all gone, rewrites
// those that are mostly gone, and joins small ones.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "log/loop_state.h"
#include "log/segment.h"
#include "log/segment_removal.h"

namespace millrace::log {

// Any thread. Works on its worker and asks the loops what is still alive.
class Compaction : public std::enable_shared_from_this<Compaction> {
 public:
  // states   of all loops, in order.   worker   borrowed; unused after stop()
  Compaction(std::shared_ptr<LogContext> context, std::vector<std::shared_ptr<LoopState>> states,
             Worker& worker, std::vector<std::shared_ptr<Segment>> segments)
      : context_(std::move(context)),
        states_(std::move(states)),
        worker_(worker),
        removal_(*context_),
        segments_(std::move(segments)) {}

  // A segment that is in the manifest.
  void add(std::shared_ptr<Segment> segment);
  // Begins a round where there is something to do and none is under way; called now and then.
  void tick();
  // Those that are in the manifest now, and known to every loop.
  std::vector<std::shared_ptr<Segment>> segments();
  // No new work. A loop's callbacks end with the loop.
  void stop() { stopped_ = true; }

 private:
  struct Job;
  std::vector<std::shared_ptr<Segment>> choose();
  void read_indexes(std::shared_ptr<Job> job);
  void ask_loop(std::shared_ptr<Job> job, std::size_t loop);
  void rewrite(std::shared_ptr<Job> job);
  Result<void> write(Job& job);
  Result<void> put_in_manifest(Job& job);
  void apply(std::shared_ptr<Job> job, std::size_t loop, std::size_t from);
  void remove_inputs(std::shared_ptr<Job> job);
  void give_up(ErrorKind kind, const std::string& cause);

  std::shared_ptr<LogContext> context_;
  std::vector<std::shared_ptr<LoopState>> states_;
  Worker& worker_;
  SegmentRemoval removal_;  // the worker's
  std::mutex mutex_;
  std::vector<std::shared_ptr<Segment>> segments_;
  std::atomic<bool> running_{false};
  std::atomic<bool> stopped_{false};
};

}  // namespace millrace::log
