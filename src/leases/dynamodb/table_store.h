// leases/dynamodb/table_store.h: the tables, durable: commands run one after the other against memory, and
// all that wait while one entry of the ledger is written make up the next.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/loop.h"
#include "base/result.h"
#include "base/task.h"
#include "cluster/ledger.h"
#include "leases/dynamodb/refusal.h"
#include "leases/dynamodb/tables.h"

namespace millrace::leases::dynamodb {

// What a command does to what, as policies name it.
struct Access {
  std::string_view action;  // "dynamodb:PutItem"
  std::string resource;     // of an ARN behind the account: "table/leases"; empty: no one thing
};

// A request, read and checked, that has only to be done.
class Command {
 public:
  virtual ~Command() = default;

  std::vector<Access> accesses;  // all of them must be allowed before it runs
  // Does it: reads transaction.tables(), makes changes, writes the answer's body into `reply`. Of a refused
  // one all changes are taken back. On the store's loop, in one go.
  virtual Outcome run(Transaction& transaction, Bytes& reply) = 0;
};

struct TableStoreOptions {
  // How long a table or index is CREATING, UPDATING or DELETING.
  std::int64_t transition_ms = 1'000;
  // How often items that have expired are looked for.
  std::int64_t expiry_every_ms = 30'000;
  // Of all tables together; more is refused.
  std::uint64_t memory_bytes_max = std::uint64_t{512} << 20;
};

// Belongs to one loop. What is under way keeps it alive.
class TableStore : public std::enable_shared_from_this<TableStore> {
 public:
  // Holds what the ledger has. `loop` and `clock` are borrowed and outlive it.
  // errors   kCorrupt: names the line
  static Result<std::shared_ptr<TableStore>> open(cluster::Ledger::Opened opened, Loop& loop,
                                                  const Clock& clock, TableStoreOptions options);

  Loop& loop() { return loop_; }
  const Clock& clock() const { return clock_; }
  // Goes on with what a stop interrupted, and looks for expired items. On the loop.
  void start();
  // Runs `command`, which is borrowed; resumes when what it did and saw is durable. On the loop.
  Task<Outcome> run(Command& command, Bytes& reply);
  // Lets the commands under way end, and refuses later ones. On the loop.
  Task<void> close();

 private:
  struct Waiting {
    Command* command;
    Bytes* reply;
    Function<void(Outcome)> done;
  };
  TableStore(std::shared_ptr<cluster::Ledger> ledger, Loop& loop, const Clock& clock,
             TableStoreOptions options)
      : ledger_(std::move(ledger)), loop_(loop), clock_(clock), options_(options) {}

  Task<void> work();
  Task<void> snapshot_if_due();
  Outcome evaluate(Command& command, Transaction& transaction, Bytes& reply);
  void schedule_transitions();
  void move_on_later();
  void expire_later();
  Task<void> run_own(std::unique_ptr<Command> command);

  std::shared_ptr<cluster::Ledger> ledger_;
  Loop& loop_;
  const Clock& clock_;
  TableStoreOptions options_;
  Tables tables_;
  std::deque<Waiting> waiting_;
  bool working_ = false;
  bool closed_ = false;
  bool transition_scheduled_ = false;
  std::uint64_t entry_bytes_ = 0;     // of entries since the last snapshot
  std::uint64_t snapshot_bytes_ = 0;  // of that
};

}  // namespace millrace::leases::dynamodb
