// log/journal.h: one loop's journal: groups written one at a time, each durable before the next begins.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/latency_counts.h"
#include "log/frame.h"
#include "log/journal_pool.h"
#include "log/manifest.h"
#include "log/run_cipher.h"

namespace millrace::log {

// A group to be written. Reused from write to write, so that its lists keep their memory.
struct JournalGroup {
  std::vector<ByteView> payload;
  std::uint64_t payload_bytes = 0;
  // Parts of the payload, encrypted where they stand before it is written.
  struct ToEncrypt {
    RunEncryptor* encryptor;
    std::span<std::uint8_t> run;
  };
  std::vector<ToEncrypt> to_encrypt;
};

// On the loop; it writes on its worker.
class Journal : public std::enable_shared_from_this<Journal> {
 public:
  struct Start {
    JournalPool::Start pool;
    std::uint64_t offset = 0;         // in the current file, of the next frame
    std::uint64_t next_sequence = 1;  // its group
    std::string last_sum = {};        // of the group before it; empty: not known
  };
  // writer, preparer   borrowed; outlive what the loop runs of this
  Journal(std::shared_ptr<LogContext> context, Loop& loop, Worker& writer, Worker& preparer, Start start);

  // Whether a group of so many bytes can be written now. Requires that none is under way.
  bool has_room(std::uint64_t payload_bytes);
  // Calls back when there may be room, or not: see fault().
  void make_room(std::uint64_t payload_bytes, Callback tried);
  const std::string& fault() const { return pool_->fault(); }

  // Writes and syncs the group, which the caller keeps until `done`. Requires has_room().
  // errors   kUnavailable: nothing was written.  kUnknown: may have been written; it will not be read by this
  //          process, and by a later one only if this one ends before the next group is durable.
  using Done = Function<void(Result<void>)>;
  void write(const JournalGroup& group, Done done);
  bool busy() const { return busy_; }
  // Where the next group goes.
  JournalPosition position() const;
  std::uint64_t last_sequence() const { return next_sequence_ - 1; }
  // Of that group: frame_sum(), as JournalGroups has it.
  const std::string& last_sum() const { return last_sum_; }
  void release_before(const JournalPosition& position) { pool_->release_before(position.generation); }
  std::size_t used_files() const { return pool_->used_files(); }
  std::uint64_t bytes() const { return pool_->bytes(); }
  // Of the groups' fdatasync. Read by any thread.
  const LatencyCounts& sync_latencies() const { return syncs_; }

  // Writes the clean-stop mark, durably. Requires that no group is under way; no other call follows.
  void stop(Done done);

 private:
  struct Write;
  struct Outcome {
    Result<void> written;
    Result<void> mark_fault;
  };
  Outcome perform(Write& write);
  void finished(Outcome outcome, Done done);
  void sync_mark_when_idle();
  void give_up(const std::shared_ptr<JournalFile>& file, const std::string& cause);

  std::shared_ptr<LogContext> context_;
  Loop& loop_;
  Worker& writer_;
  std::shared_ptr<JournalPool> pool_;
  std::shared_ptr<Write> write_;  // the worker's while busy_
  LatencyCounts syncs_;           // the worker's
  std::uint64_t offset_;
  std::uint64_t next_sequence_;
  std::string last_sum_;
  bool busy_ = false;
  bool stopped_ = false;
  bool mark_synced_ = true;
  bool idle_check_pending_ = false;
};

}  // namespace millrace::log
