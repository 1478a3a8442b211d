// app/leases.h: the front doors of src/leases, from their ledger to their last answer.
#pragma once

#include <memory>

#include "app/memory.h"
#include "app/settings.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "identity/authorizer.h"
#include "identity/sigv4.h"
#include "leases/cloudwatch/front_door.h"
#include "leases/dynamodb/front_door.h"
#include "net/http.h"
#include "net/loop_group.h"
#include "store/object_store.h"

namespace millrace::app {

class Leases {
 public:
  // What they stand on; outlives them.
  struct Ground {
    const Settings& settings;
    store::ObjectStore& store;
    net::LoopGroup& loops;
    const identity::Verifier& verifier;
    const identity::Authorizer& authorizer;
    const Memory& memory;
    const Clock& clock;  // of the data folder
  };

  // Main thread. errors   as Ledger::open
  static Result<std::unique_ptr<Leases>> open(const Ground& ground);
  ~Leases();
  // Once nobody asks any more, and while the loops still run: lets what is under way end. Main thread.
  void close();

  const leases::dynamodb::TableStore& tables() const { return *tables_; }
  Loop& tables_loop() { return tables_loop_.loop(0); }
  net::Handler& dynamodb() { return dynamodb_; }
  net::Handler& cloudwatch() { return cloudwatch_; }
  leases::cloudwatch::FrontDoor& cloudwatch_door() { return *cloudwatch_door_; }

 private:
  Leases() = default;

  // Of tables alone: to read a page of many items, or to fill an index, is much for a loop that others wait
  // for. Nothing of it goes by a loop's index.
  net::LoopGroup tables_loop_{1};
  std::shared_ptr<leases::dynamodb::TableStore> tables_;
  std::unique_ptr<leases::dynamodb::FrontDoor> dynamodb_door_;
  net::Handler dynamodb_;
  std::unique_ptr<leases::cloudwatch::FrontDoor> cloudwatch_door_;
  net::Handler cloudwatch_;
};

}  // namespace millrace::app
