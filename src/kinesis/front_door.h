// kinesis/front_door.h: the Kinesis API over HTTP. Start here; an operation's own part is in ops/.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/task.h"
#include "broker/broker.h"
#include "identity/authorizer.h"
#include "identity/sigv4.h"
#include "kinesis/front_door_options.h"
#include "kinesis/operation_counters.h"
#include "kinesis/rate_limits.h"
#include "kinesis/stream_meter.h"
#include "net/http.h"

namespace millrace::kinesis {

class FanOut;
struct LoopState;

class FrontDoor {
 public:
  // All borrowed; outlive it, and it outlives every request that it was given.
  FrontDoor(broker::Broker& broker, const identity::Verifier& verifier,
            const identity::Authorizer& authorizer, const Clock& clock, Random& random,
            FrontDoorOptions options);
  ~FrontDoor();
  FrontDoor(const FrontDoor&) = delete;

  // Answers any request in the shapes of AWS: operations of this API, and errors for everything else.
  // thread   the connection's loop (request->loop); many at once
  void handle(std::unique_ptr<net::Request> request, net::Responder responder);

  // Ends event streams in order, and takes no new ones: before the server drains. Any thread.
  void leave();
  // Event streams that are open. Any thread.
  std::uint64_t open_subscriptions() const;

  // Counts of all loops together since the start; the last one is of operations that are none. Any thread.
  std::vector<OperationStats> stats() const;

  // What was done to streams since it was asked last, a reading a loop and stream (shard, consumer). Any
  // loop; ends on `home`.
  Task<MeterTake> take_meters(Loop& home);

 private:
  friend class RequestCourse;
  LoopState& state_of(Loop& loop);

  static constexpr std::size_t kLoopsMax = 256;

  broker::Broker& broker_;
  const identity::Verifier& verifier_;
  const identity::Authorizer& authorizer_;
  const Clock& clock_;
  Random& random_;
  FrontDoorOptions options_;
  RateLimits rates_;
  std::unique_ptr<FanOut> fan_out_;
  std::array<std::atomic<LoopState*>, kLoopsMax> loops_{};  // made by its loop when it is first used
};

}  // namespace millrace::kinesis
