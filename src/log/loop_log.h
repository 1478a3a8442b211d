// log/loop_log.h: all parts of one loop's log, tied together.
#pragma once

#include <memory>

#include "log/group_commit.h"
#include "log/reader.h"
#include "log/recovery.h"
#include "log/settler.h"

namespace millrace::log {

struct LoopWorkers {
  Worker& writer;    // of the journal
  Worker& preparer;  // of its files
  Worker& settler;
  std::vector<Worker*> readers;
};

// On the loop. What it gave to workers and timers keeps it.
class LoopLog : public std::enable_shared_from_this<LoopLog> {
 public:
  LoopLog(RecoveredLoop recovered, const LoopWorkers& workers);
  // Begins the timers; once, after the constructor. `tick` is called with them.
  void start(Callback tick);
  // Answers appends under way, writes the clean-stop mark, and does nothing any more.
  void stop(Function<void(Result<void>)> done);

  const std::shared_ptr<LoopState>& state() { return state_; }
  GroupCommit& commit() { return *commit_; }
  Settler& settler() { return *settler_; }
  const std::shared_ptr<Reader>& reader() const { return reader_; }

  // For figures that are read elsewhere.
  std::uint64_t journal_bytes() const { return journal_bytes_.load(std::memory_order_relaxed); }
  std::uint64_t tail_bytes() const { return tail_bytes_.load(std::memory_order_relaxed); }
  std::uint64_t unsettled_bytes() const { return unsettled_bytes_.load(std::memory_order_relaxed); }
  const LatencyCounts& commits() const { return commit_->latencies(); }
  const LatencyCounts& syncs() const { return journal_->sync_latencies(); }

 private:
  void tick();
  void note_figures();
  void note_journal();
  void tick_later();

  std::shared_ptr<LoopState> state_;
  std::shared_ptr<Journal> journal_;
  std::shared_ptr<Settler> settler_;
  std::shared_ptr<GroupCommit> commit_;
  std::shared_ptr<Reader> reader_;
  std::atomic<std::uint64_t> journal_bytes_{0};
  std::atomic<std::uint64_t> tail_bytes_{0};
  std::atomic<std::uint64_t> unsettled_bytes_{0};
  std::uint64_t sweep_slot_ = 0;
  std::uint64_t ticks_ = 0;
  Callback also_;
  bool stopped_ = false;
};

}  // namespace millrace::log
