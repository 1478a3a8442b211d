// kinesis/call.h: one request on its way through an operation.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "broker/broker.h"
#include "identity/authorizer.h"
#include "kinesis/front_door_options.h"
#include "kinesis/operation_counters.h"
#include "kinesis/protocol.h"
#include "kinesis/put_request_reader.h"
#include "kinesis/quotas.h"
#include "kinesis/rate_limits.h"
#include "kinesis/stream_meter.h"
#include "kinesis/token_seal.h"
#include "net/http.h"

namespace millrace::kinesis {

class FanOut;

// What the front door keeps for one loop: no locks, and memory that is used again.
struct LoopState {
  LoopState(Loop& its_loop, Random& system, const TokenKey& key)
      : loop(its_loop), random(system), seal(key) {}

  // Lends an empty list, whose memory was used before where possible.
  std::vector<broker::PutEntry> borrow_entries() {
    if (spare_entries.empty()) return {};
    std::vector<broker::PutEntry> entries = std::move(spare_entries.back());
    spare_entries.pop_back();
    return entries;
  }
  void return_entries(std::vector<broker::PutEntry> entries) {
    constexpr std::size_t kSpareMax = 64;
    entries.clear();
    if (spare_entries.size() < kSpareMax) spare_entries.push_back(std::move(entries));
  }

  Loop& loop;
  RandomPool random;
  TokenSeal seal;
  OperationCounters counters;
  StreamMeter meter;
  PutRequestReader put_reader;
  std::vector<std::vector<broker::PutEntry>> spare_entries;
};

// Belongs to the connection's loop, and lives until the answer is sent.
struct Call {
  broker::Broker& broker;
  const Clock& clock;
  const FrontDoorOptions& options;
  LoopState& loop;
  FanOut& fan_out;
  net::Request& request;
  Encoding encoding;
  Writer reply;
  const identity::Verifier& verifier;
  const identity::Authorizer& authorizer;
  const identity::Caller& caller;
  std::string_view action;      // "kinesis:PutRecord"
  std::int64_t begun_ns = 0;    // of clock.monotonic_ns(), when the request was there
  bool allowed = false;         // by the authorizer: kinesis/access.h
  std::string resource = {};    // what was asked about, of operations that are not frequent
  bool asked_again = false;     // what was allowed once: the audit log has it already, and a refusal is news
  Quotas quotas = {};           // once it was allowed
  RateLimits* rates = nullptr;  // nullptr: without --limits aws
  // Set by an operation whose answer is an event stream: begins it. Then `reply` is not looked at.
  Function<void(std::shared_ptr<net::BodyStream>)> begin_stream = {};

  const std::string& account() const { return broker.options().account_id; }
  const std::string& region() const { return broker.options().region; }
  std::int64_t took_us() const { return (clock.monotonic_ns() - begun_ns) / 1'000; }
};

}  // namespace millrace::kinesis
