// bench/load/producer.h: sends records that can be told apart, lane by lane, and remembers which were
// acknowledged.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "load/event_source.h"
#include "load/http_connection.h"
#include "load/put_body.h"
#include "load/signer.h"
#include "load/totals.h"
#include "load/verdict.h"

namespace millrace::load {

struct ProducerOptions {
  std::string stream;
  std::uint32_t lanes = 8;  // connections; each has one request under way, so a key's order is the order sent
  std::size_t batch = 500;  // records a request, at most
  std::int64_t linger_us =
      0;  // a request that is not full waits so long for more, from its first event's due time
  bool closed_loop = false;  // events are due when their lane is free; else when the source says
};

// An open loop measures from when a put was due, also while the lane is busy: nothing is omitted.
class Producer {
 public:
  // All borrowed.
  Producer(EventLoop& loop, Endpoint endpoint, Credentials credentials, ProducerOptions options,
           EventSource& source, Verdict& verdict, Totals& totals);

  // Begins now; takes no event from the source that is due later than `seconds`.
  void start(double seconds);
  // Nothing is left to send and every request has its answer.
  bool finished() const;

 private:
  struct Lane {
    Lane(EventLoop& loop, const Endpoint& endpoint, std::uint32_t number)
        : index(number), connection(loop, endpoint) {}

    std::uint32_t index;
    HttpConnection connection;
    std::uint64_t next_sequence = 0;
    std::deque<std::unique_ptr<PutBody>> queue;  // the last one is still open, unless it is full
    bool busy = false;
    bool alarm_set = false;  // a timer is set for the open body's linger
  };

  void take_due_events();
  void fill(Lane& lane);
  void add(Lane& lane, std::int64_t due_us, const Event& event);
  void send_if_ready(Lane& lane);
  void send(Lane& lane, std::shared_ptr<PutBody> body);
  void answered(Lane& lane, const PutBody& body, std::int64_t sent_us, int status, std::string_view answer);
  void send_again(Lane& lane, const PutBody& body, const std::vector<std::size_t>& failed);

  EventLoop& loop_;
  Signer signer_;
  ProducerOptions options_;
  EventSource& source_;
  Verdict& verdict_;
  Totals& totals_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::int64_t begin_us_ = 0;
  std::int64_t end_us_ = 0;
  bool drained_ = false;  // the source, for this run
};

}  // namespace millrace::load
