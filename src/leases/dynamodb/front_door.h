// leases/dynamodb/front_door.h: DynamoDB's API over HTTP, as far as KCL and KPL need it. Start here; an
// operation's own part is in the files of *_commands.cc. source: DynamoDB API reference; docs/leases-api.md
// says what there is
#pragma once

#include <memory>
#include <string>

#include "api/random_pool.h"
#include "base/clock.h"
#include "base/memory_share.h"
#include "base/random.h"
#include "identity/authorizer.h"
#include "identity/sigv4.h"
#include "leases/dynamodb/table_store.h"
#include "leases/per_loop.h"
#include "net/http.h"

namespace millrace::leases::dynamodb {

struct FrontDoorOptions {
  std::string account_id;
  std::string region;
  // A request's body; larger: 413. BatchWriteItem takes 16 MiB.
  std::size_t request_bytes_max = 16u * 1'024 * 1'024;
  // Of requests that were read and wait, or are being done; one that does not fit is to come again.
  std::shared_ptr<MemoryShare> requests = std::make_shared<MemoryShare>("requests", 64u << 20);
};

class FrontDoor {
 public:
  // All borrowed; outlive it, and it outlives every request that it was given.
  FrontDoor(std::shared_ptr<TableStore> store, const identity::Verifier& verifier,
            const identity::Authorizer& authorizer, const Clock& clock, Random& random,
            FrontDoorOptions options);

  // Whether a request with this X-Amz-Target is for here.
  static bool is_target(std::string_view target) { return target.starts_with("DynamoDB_20120810."); }

  // thread   the connection's loop (request->loop); many at once
  void handle(std::unique_ptr<net::Request> request, net::Responder responder);

 private:
  Task<void> answer(std::unique_ptr<net::Request> request, net::Responder responder);
  // What the signature and the request say; whether the caller may is asked when the command runs.
  Outcome admit(const net::Request& request, std::string_view target, api::RandomPool& random,
                identity::Caller* caller, std::unique_ptr<Command>* command, HeldMemory* held);

  std::shared_ptr<TableStore> store_;
  const identity::Verifier& verifier_;
  const identity::Authorizer& authorizer_;
  const Clock& clock_;
  Random& random_;
  FrontDoorOptions options_;
  std::string arn_prefix_;
  PerLoop<api::RandomPool> random_pools_;
};

}  // namespace millrace::leases::dynamodb
