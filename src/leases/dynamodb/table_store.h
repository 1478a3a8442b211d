// leases/dynamodb/table_store.h: the tables, durable: commands run one after the other against memory, and
// all that wait while one entry of the ledger is written make up the next.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/loop.h"
#include "base/memory_share.h"
#include "base/result.h"
#include "base/task.h"
#include "cluster/ledger.h"
#include "identity/authorizer.h"
#include "leases/dynamodb/picture.h"
#include "leases/dynamodb/refusal.h"
#include "leases/dynamodb/tables.h"

namespace millrace::leases::dynamodb {

// What a command does to what, as policies name it.
struct Access {
  std::string_view action;  // "dynamodb:PutItem"
  std::string resource;     // of an ARN behind the account: "table/leases"; empty: no one thing

  // What policies' conditions may ask of it. Of items: what has their keys, among other attributes perhaps;
  // borrowed from the command.
  std::vector<const Attributes*> items = {};
  std::string index = {};                           // by whose key they are named; empty: the table's
  std::vector<identity::ConditionValue> more = {};  // "dynamodb:Select" and so on
  const std::map<std::string, std::string>* new_tags = nullptr;  // borrowed from the command, too
  std::vector<std::string> tag_keys = {};
};

// A request, read and checked, that has only to be done.
class Command {
 public:
  virtual ~Command() = default;

  std::vector<Access> accesses;  // all of them must be allowed before it runs: `guard`
  // Asked before it runs, with what the tables are then; a refusal is its outcome. Empty: it may run.
  Function<Outcome(const Tables&)> guard = {};
  // Does it: reads transaction.tables(), makes changes, writes the answer's body into `reply`. Of a refused
  // one all changes are taken back. On the store's loop, in one go.
  virtual Outcome run(Transaction& transaction, Bytes& reply) = 0;
};

struct TableStoreOptions {
  // How often items that have expired are looked for.
  std::int64_t expiry_every_ms = 30'000;
  // Of all tables together; more is refused.
  std::shared_ptr<MemoryShare> memory = std::make_shared<MemoryShare>("tables", std::uint64_t{512} << 20);
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
  // All tables, for figures: what is there may not be durable yet. On the loop, and looked at in one go.
  const Tables& tables() const { return tables_; }
  // Looks for expired items. On the loop.
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
  void snapshot_if_due();
  Outcome evaluate(Command& command, Transaction& transaction, Bytes& reply);
  // Earlier versions let tables pass through CREATING, UPDATING and DELETING: to its end with what they left.
  Task<void> end_transitions();
  void count_memory();
  // A change that a command was told of as one that may be durable.
  static Task<void> apply_held(std::shared_ptr<TableStore> self, std::string entry);
  void expire_later();
  Task<void> expire();
  Task<void> run_own(std::unique_ptr<Command> command);

  std::shared_ptr<cluster::Ledger> ledger_;
  Loop& loop_;
  const Clock& clock_;
  TableStoreOptions options_;
  Tables tables_;
  std::deque<Waiting> waiting_;
  bool working_ = false;
  bool closed_ = false;
  std::uint64_t counted_bytes_ = 0;  // of memory, in the share
  std::weak_ptr<Picture> picture_;   // that a snapshot is being made of
};

}  // namespace millrace::leases::dynamodb
