// log/settler.h: moves a loop's durable groups from the journal into segments, in the background.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "log/journal.h"
#include "log/loop_state.h"

namespace millrace::log {

// On the loop; the work is done on a worker.
class Settler : public std::enable_shared_from_this<Settler> {
 public:
  struct Group {
    JournalPosition end;        // where the group behind it goes
    std::uint64_t batches_end;  // number of the tail's batch behind its last
    std::uint64_t bytes;        // in the journal
  };

  Settler(std::shared_ptr<LoopState> state, std::shared_ptr<Journal> journal, Worker& worker)
      : state_(std::move(state)), journal_(std::move(journal)), worker_(worker) {}

  // A group that is durable.
  void add_group(const Group& group);
  // One from before the start; settles at the next tick.
  void add_recovered(const Group& group);
  // Whether appends may go on, or wait until more has settled.
  bool has_room() const { return unsettled_bytes_ <= state_->context->options.unsettled_bytes_max; }
  std::uint64_t unsettled_bytes() const { return unsettled_bytes_; }
  // Why the last attempt failed; empty when it did not. It is repeated until it succeeds.
  const std::string& fault() const { return fault_; }
  // Repeats it now, unless that was only just done; whether it is under way.
  bool try_again();
  // Called when has_room() may have become true again, or fault() has changed.
  void when_changed(Callback callback) { changed_ = std::move(callback); }
  // Told of every segment, once it is in the manifest and its blocks are known.
  void when_made(Function<void(std::shared_ptr<Segment>)> made) { made_ = std::move(made); }
  // Starts settling where enough waits, for long enough; called now and then.
  void tick();
  // Settles all groups that are durable now, however few; calls back when they are in segments.
  // errors   kUnavailable: an attempt failed, or the log is closing
  void settle_now(Function<void(Result<void>)> done);
  // No more settling.
  void stop();

 private:
  struct Job;
  static Result<void> perform(LogContext& context, Job& job);
  static Result<void> put_in_manifest(LogContext& context, Job& job);
  // So much waits that appends will soon have to.
  bool behind() const { return unsettled_bytes_ >= 3 * state_->context->options.settle_at_bytes; }
  void start();
  void run(std::shared_ptr<Job> job);
  void apply(std::shared_ptr<Job> job, std::size_t from);
  void finished(const Job& job);
  void answer_settled(const Result<void>& outcome);

  std::shared_ptr<LoopState> state_;
  std::shared_ptr<Journal> journal_;
  Worker& worker_;
  struct Waiting {
    Group group;
    std::int64_t since_ns;
  };
  std::deque<Waiting> groups_;  // not settled, oldest first
  std::uint64_t unsettled_bytes_ = 0;
  struct Awaited {
    std::uint64_t batches_end;  // as Group's
    Function<void(Result<void>)> done;
  };
  std::vector<Awaited> awaited_;
  std::optional<WritePace::Hurry> hurry_;  // while it is behind
  bool running_ = false;
  std::shared_ptr<Job> failed_;  // waits to be repeated
  std::int64_t failed_at_ns_ = 0;
  bool stopped_ = false;
  std::string fault_;
  Callback changed_;
  Function<void(std::shared_ptr<Segment>)> made_;
};

}  // namespace millrace::log
