// cluster/ledger.h: a control log of its own for a state that changes by small entries (identities, keys,
// leases), written from a loop without blocking it.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/loop.h"
#include "base/result.h"
#include "base/task.h"
#include "cluster/control_log.h"
#include "cluster/snapshot_task.h"
#include "store/object_store.h"

namespace millrace::cluster {

// Belongs to one loop: everything is called there and resumes there. What is under way keeps it alive.
class Ledger : public std::enable_shared_from_this<Ledger> {
 public:
  struct Opened;
  // Reads what is there; blocks. store    borrowed, outlives the ledger.  prefix   of its objects, ends in
  // '/': "identity/".  loop     its home, outlives it too.  worker   writes; given to it
  // errors   as ControlLog::open
  static Result<Opened> open(store::ObjectStore& store, std::string prefix, Loop& loop,
                             std::unique_ptr<Worker> worker);

  // Appends one entry; durable when it resumes. In a turn().
  // errors   kUnavailable: not appended, nothing changed; also while an earlier entry is in doubt.
  //          kUnknown: perhaps appended. The ledger goes on until it is, and then calls what when_held() was
  //          given; until then nothing newer is appended.
  Task<Result<void>> append(std::string entry);
  // As append, of what `encode` makes on the worker; what it looks at stays as it is until this resumes.
  Task<Result<void>> append(Function<std::string()> encode);
  // held   applies an entry that append() had answered kUnknown for, and that is durable now. In a turn.
  using Held = std::function<Task<void>(std::string entry)>;
  void when_held(Held held) { held_ = std::move(held); }
  // Whether an entry may or may not be there, so that nothing is appended.
  bool in_doubt() const { return !doubt_.empty(); }
  // Whether a snapshot would pay, and none is on its way. In a turn, when nothing is being appended.
  bool snapshot_due() const { return !snapshotting_ && !in_doubt() && control_log_->snapshot_due(); }
  // Replaces all entries by what `source` holds, the state after the last of them. Returns at once: it is
  // written while others append. A failure loses nothing; the next is due when as much was appended again. As
  // snapshot_due(), when that is true.
  // failed   told why; called on the loop
  void snapshot(std::shared_ptr<SnapshotSource> source, Function<void(const Error&)> failed = {});
  // Gives up a snapshot that is on its way, and resumes when nothing of it is.
  Task<void> end_snapshot();
  // Resumes when `work` was done on the worker, behind what it was given before. Of what is much for a loop.
  Task<void> on_worker(Callback work);
  // As that, but nobody waits for it: `work` does not touch what others may.
  void aside(Callback work) { worker_->run(std::move(work)); }
  // Number of the last entry. In a turn, when nothing is being appended.
  std::uint64_t last() const { return control_log_->last(); }

  // While one is held, nobody else holds one: check, append, apply, with nothing in between.
  class Turn {
   public:
    explicit Turn(std::shared_ptr<Ledger> ledger) : ledger_(std::move(ledger)) {}
    Turn(Turn&&) noexcept = default;
    Turn& operator=(Turn&&) = delete;
    ~Turn() {
      if (ledger_) ledger_->next_turn();
    }

   private:
    std::shared_ptr<Ledger> ledger_;
  };
  Task<Turn> turn();

 private:
  Ledger(std::unique_ptr<ControlLog> control_log, Loop& loop, std::unique_ptr<Worker> worker)
      : control_log_(std::move(control_log)), loop_(loop), worker_(std::move(worker)) {}
  void next_turn();
  Task<Result<void>> perform(std::function<Result<void>()> work);
  Error refusal() const;
  static Result<void> append_surely(ControlLog& log, const std::string& entry);
  void confirm_later();
  void confirm();
  Task<void> apply_held();
  Task<void> write_snapshot_beside(std::shared_ptr<SnapshotSource> source,
                                   Function<void(const Error&)> failed);

  std::unique_ptr<ControlLog> control_log_;
  Loop& loop_;
  std::deque<Callback> waiting_;
  bool taken_ = false;
  std::string doubt_;     // why nothing is written at the moment
  std::string doubtful_;  // the entry that may or may not be there
  Held held_;
  bool snapshotting_ = false;
  bool give_up_ = false;  // the snapshot that is on its way
  std::deque<Callback> snapshot_ended_;
  // Last member: its destructor ends the work that uses the others.
  std::unique_ptr<Worker> worker_;
};

struct Ledger::Opened {
  std::shared_ptr<Ledger> ledger;
  std::optional<std::string> snapshot;  // the newest, if there is one
  std::vector<std::string> entries;     // after it, in order
};

}  // namespace millrace::cluster
