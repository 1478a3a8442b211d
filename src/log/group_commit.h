// log/group_commit.h: appends of one loop, gathered into groups: while one is written, the next gathers.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/latency_counts.h"
#include "log/journal.h"
#include "log/loop_state.h"
#include "log/settler.h"

namespace millrace::log {

// On the loop.
class GroupCommit : public std::enable_shared_from_this<GroupCommit> {
 public:
  using Done = Function<void(std::shared_ptr<const Batch>)>;
  using SealDone = Function<void(Result<std::uint64_t>)>;

  GroupCommit(std::shared_ptr<LoopState> state, std::shared_ptr<Journal> journal,
              std::shared_ptr<Settler> settler)
      : state_(std::move(state)), journal_(std::move(journal)), settler_(std::move(settler)) {}

  // As Log's.
  void append(std::unique_ptr<Batch> batch, Done done);
  void seal(ShardKey shard, SealDone done);
  void when_past(ShardKey shard, std::uint64_t offset, Callback callback);
  void remove_shard(ShardKey shard);

  // Goes on where an append had to wait for the settler.
  void resume() { begin_group(); }
  // Calls back when all appends are answered; none may follow.
  void drain(Callback done);
  // From the begin of a group's write until this loop knows that it is durable. Read by any thread.
  const LatencyCounts& latencies() const { return latencies_; }

 private:
  struct Pending {
    std::shared_ptr<Batch> batch;
    Done done;
    std::uint32_t bytes;  // of runs that are to be written
  };
  struct Sealing {
    ShardKey shard;
    SealDone done;
  };

  std::uint32_t place_runs(Batch& batch);
  void add_to_group(Batch& batch, std::uint32_t bytes);
  void begin_group();
  void group_written(Result<void> written);
  void note_latency();
  void publish(std::vector<Pending>& group, std::vector<Callback>& woken);
  void publish_runs(Batch& batch, std::uint32_t number, std::vector<Callback>& woken);
  // Takes back offsets and answers.
  void refuse(std::vector<Pending>& group, RunStatus status, const std::string& text);
  void refuse_all_waiting(RunStatus status, const std::string& text);
  void answer_seals(const std::string& unknown);
  void answer_drain();

  std::shared_ptr<LoopState> state_;
  std::shared_ptr<Journal> journal_;
  std::shared_ptr<Settler> settler_;
  std::deque<Pending> gathering_;
  std::vector<Pending> writing_;
  std::vector<Pending> written_;
  JournalGroup group_;
  std::int64_t write_begun_ns_ = 0;  // of group_
  LatencyCounts latencies_;
  std::vector<Sealing> sealing_;
  Callback drained_;
  bool making_room_ = false;
  std::int64_t refused_at_ns_ = 0;  // when the disk last had no room: appends ask it again, not all of them
  bool refusing_ = false;
};

}  // namespace millrace::log
