// cluster/ledger.h: a control log of its own for a state that changes by small entries (identities, keys,
// leases), written from a loop without blocking it.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/loop.h"
#include "base/result.h"
#include "base/task.h"
#include "cluster/control_log.h"
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
  // errors   kUnavailable: not appended, nothing changed.  Any other: perhaps appended; no further call
  //          succeeds until the server is started anew
  Task<Result<void>> append(std::string entry);
  // Replaces all entries by `state`, which holds the effect of each. A failure loses nothing. In a turn.
  Task<Result<void>> snapshot(std::string state);
  // Entries since the last snapshot. In a turn, when nothing is being written.
  std::uint64_t since_snapshot() const { return control_log_->since_snapshot(); }

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
  enum class Write : std::uint8_t { kEntry, kSnapshot };
  Task<Result<void>> write(Write what, std::string content);

  std::unique_ptr<ControlLog> control_log_;
  Loop& loop_;
  std::deque<Callback> waiting_;
  bool taken_ = false;
  std::string doubt_;  // why nothing is written any more
  // Last member: its destructor ends the work that uses the others.
  std::unique_ptr<Worker> worker_;
};

struct Ledger::Opened {
  std::shared_ptr<Ledger> ledger;
  std::optional<std::string> snapshot;  // the newest, if there is one
  std::vector<std::string> entries;     // after it, in order
};

}  // namespace millrace::cluster
