// leases/cloudwatch/front_door.h: CloudWatch's API over HTTP, as far as KCL, KPL and the Scaling Utility need
// it: the query protocol of older SDKs and the KPL, and the CBOR and JSON of newer ones.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "api/random_pool.h"
#include "base/callback.h"
#include "base/clock.h"
#include "base/memory_share.h"
#include "base/random.h"
#include "base/task.h"
#include "identity/authorizer.h"
#include "identity/sigv4.h"
#include "leases/cloudwatch/answer.h"
#include "leases/cloudwatch/metric_board.h"
#include "leases/json.h"
#include "leases/per_loop.h"
#include "net/http.h"

namespace millrace::leases::cloudwatch {

class FrontDoor {
 public:
  // All borrowed; outlive it, and it outlives every request that it was given.
  // home      the loop on which metrics are kept
  // metrics   what they may take
  // requests  what requests that were read may take; one that does not fit is to come again
  FrontDoor(Loop& home, const identity::Verifier& verifier, const identity::Authorizer& authorizer,
            const Clock& clock, Random& random, std::shared_ptr<MemoryShare> metrics,
            std::shared_ptr<MemoryShare> requests);

  // Whether a request is for here: by target or path, or a form signed for "monitoring".
  static bool is_for(const net::Request& request);

  // thread   the connection's loop (request->loop); many at once
  void handle(std::unique_ptr<net::Request> request, net::Responder responder);

  // Metrics of the house's own. On home.
  MetricBoard& board() { return board_; }
  // Before somebody reads the board, `refresh` brings it up to date: begins and ends on home. Set it before
  // the first request.
  void refresh_with(Function<Task<void>()> refresh) { refresh_ = std::move(refresh); }

 private:
  struct Call;
  Task<void> answer(std::unique_ptr<net::Request> request, net::Responder responder);
  std::optional<Failure> admit(const net::Request& request, Call* call);

  Loop& home_;
  const identity::Verifier& verifier_;
  const identity::Authorizer& authorizer_;
  const Clock& clock_;
  Random& random_;
  std::shared_ptr<MemoryShare> requests_;
  MetricBoard board_;
  Function<Task<void>()> refresh_;
  PerLoop<api::RandomPool> random_pools_;
};

}  // namespace millrace::leases::cloudwatch
