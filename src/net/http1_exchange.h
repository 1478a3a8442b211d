// net/http1_exchange.h: one HTTP/1 request's place in the order of answers.
#pragma once

#include <memory>
#include <string>

#include "net/budget.h"
#include "net/http.h"
#include "net/http1.h"
#include "net/stream_queue.h"

namespace millrace::net {

// The driver holds it until it is written, the handler's Responder until it is answered; whoever is last
// frees it.
class Http1::Exchange final : public Responder::Sink {
 public:
  enum class State : std::uint8_t { kWaiting, kAnswered, kStreaming, kAbandoned };

  Exchange(Http1& owner, DriverContext& context)
      : loop(context.loop), budget(context.budget), driver(&owner), charge(context.own_budget()) {}

  bool is_wanted() const override { return driver != nullptr; }
  void respond(Response given) override;
  std::shared_ptr<BodyStream> start_stream(Response head) override;
  void abandon() override;
  // The driver has written it, or goes: nothing that the handler does matters any more.
  void detach(bool peer_gone);

  Loop& loop;
  const std::shared_ptr<Budget> budget;
  Http1* driver;
  Response response;
  std::string allowed_origin;  // whose pages may read the answer; or empty
  std::shared_ptr<StreamQueue> stream;
  Charge charge;  // the request's body, then the response's
  std::size_t request_bytes = 0;
  State state = State::kWaiting;
  bool http11 = true;
  bool head_only = false;  // method HEAD
  bool keep_alive = true;
  bool linger = false;  // the peer may still be sending what is not going to be read
  bool wants_continue = false;
  bool head_written = false;  // of a stream
};

}  // namespace millrace::net
