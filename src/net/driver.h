// net/driver.h: a protocol without sockets: bytes in, bytes out, time told. What fuzzers and tests can drive.
#pragma once

#include <sys/uio.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/bytes.h"
#include "base/loop.h"
#include "net/budget.h"
#include "net/gate.h"
#include "net/http.h"
#include "net/response_head.h"
#include "net/server.h"
#include "net/source_gauge.h"

namespace millrace::net {

// Counted on one loop, read by any thread.
struct LoopCounters {
  std::atomic<std::uint64_t> connections_open{0}, connections_total{0}, connections_refused{0},
      connections_evicted{0}, requests_total{0}, bytes_in{0}, bytes_out{0};
  // By the loop's thread only, so no locked instruction is needed.
  static void add(std::atomic<std::uint64_t>& counter, std::uint64_t n) {
    counter.store(counter.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
};

// What a driver asks of the connection that carries it.
class Carrier {
 public:
  virtual ~Carrier() = default;
  // A handler has answered while the driver was not being called: fetch output, look at ending() and
  // wants_input(). `more_soon`: other answers are likely to follow at once; wait for the end of the loop's
  // batch.
  virtual void output_ready(bool more_soon) = 0;
  // The strangers' budget has no room for `bytes` more: other connections on which strangers keep the server
  // waiting make way, those that have been silent longest first. None is promised.
  virtual void make_room(std::size_t bytes) = 0;
};

// Outlives the driver.
struct DriverContext {
  const ServerLimits& limits;
  std::shared_ptr<Budget> budget;
  std::shared_ptr<Budget> strangers_budget;  // the part of it that callers who are not known share
  Handler& handler;
  LoopCounters& counters;
  Loop& loop;
  Carrier& carrier;
  std::string peer;
  SourceGauge& source;         // the peer's address
  const Gate* gate = nullptr;  // null: everything is admitted
  bool tls = false;
  bool known = false;            // the peer has sent a request whose caller is known
  bool admitted = false;         // or one with a body whose head the gate has let through
  ConnectionLog* log = nullptr;  // null: nobody is told

  // 503, for whom there is no room in the buffers.
  Response no_room() const {
    if (log != nullptr) log->no_room(peer);
    return out_of_memory_budget();
  }
  // What the connection's requests are charged to; it outlives the driver.
  Budget& own_budget() const { return known ? *budget : *strangers_budget; }
  // Charge::try_raise_to and try_hold_answer; where a stranger finds no room, others make way first.
  bool raise(Charge& charge, std::size_t bytes) const {
    if (charge.try_raise_to(bytes)) return true;
    if (known) return false;
    carrier.make_room(bytes - charge.bytes());
    return charge.try_raise_to(bytes);
  }
  bool hold_answer(Charge& charge, std::size_t bytes) const {
    if (charge.try_hold_answer(bytes)) return true;
    if (known) return false;
    carrier.make_room(bytes + strangers_budget->bytes_max() / 4);  // which large answers leave free
    return charge.try_hold_answer(bytes);
  }
};

// One a connection. All on the connection's loop.
class Driver {
 public:
  enum class Ending {
    kNone,    // goes on
    kClose,   // close once all output is sent
    kLinger,  // the peer may still be sending: shut the write side down and swallow a while, so that it sees
              // the answer
  };

  // What the connection is at.
  enum class Activity {
    kIdle,          // no request, not even the beginning of one
    kWaitsForPeer,  // for the rest of a request, or for the peer to take an answer
    kServes,        // a request is with the handler, or an answer is being made
  };

  virtual ~Driver() = default;

  virtual Activity activity() const = 0;
  virtual bool wants_input() const = 0;
  // Where the next bytes belong, when they are known to be body: read straight there, then body_arrived(n).
  // Empty: read elsewhere, then received(). Valid until the next call.
  virtual std::span<std::uint8_t> body_space() = 0;
  virtual void body_arrived(std::size_t bytes) = 0;
  virtual void received(ByteView bytes, std::int64_t now_ns) = 0;
  // Bytes that it received while it did not want more: when it does again, resume_input() before reading on.
  virtual bool holds_input() const = 0;
  virtual void resume_input(std::int64_t now_ns) = 0;
  // The peer sends no more.
  virtual void input_ended() = 0;

  // Fills `out` with what to send next and returns how many pieces; valid until the next call.
  virtual std::size_t gather(std::span<iovec> out) = 0;
  virtual void sent(std::size_t bytes, std::int64_t now_ns) = 0;
  virtual Ending ending() const = 0;

  // Called a few times a second: enforces what is bounded in time.
  virtual void tick(std::int64_t now_ns) = 0;
  // No new requests; ending() turns kClose when those under way are answered.
  virtual void drain() = 0;
  // The connection is closed: whoever still holds a Responder or a BodyStream learns it. Nothing is called
  // after it but the destructor.
  virtual void gone() = 0;

  // A good size for received().
  virtual std::size_t read_bytes() const = 0;
};

}  // namespace millrace::net
