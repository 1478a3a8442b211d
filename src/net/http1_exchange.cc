#include "net/http1_exchange.h"

#include "base/assert.h"
#include "net/response_head.h"

namespace millrace::net {

void Http1::Exchange::respond(Response given) {
  if (driver == nullptr) return;
  MR_ASSERT(state == State::kWaiting);
  state = State::kAnswered;
  response = std::move(given);
  if (driver->context_.known) charge.move_to(*budget);
  if (!driver->context_.hold_answer(charge, response.body.size())) response = driver->context_.no_room();
  if (!allowed_origin.empty()) add_cors(response, allowed_origin);
  driver->answered(*this);
}

std::shared_ptr<BodyStream> Http1::Exchange::start_stream(Response head) {
  StreamQueue::Listener* const listener = driver;
  stream = std::make_shared<StreamQueue>(loop, budget, listener);
  const auto queue = stream;
  if (driver != nullptr) {
    MR_ASSERT(state == State::kWaiting);
    state = State::kStreaming;
    response = std::move(head);
    response.body = Bytes{};
    if (!allowed_origin.empty()) add_cors(response, allowed_origin);
    charge.release();
    driver->answered(*this);
  }
  return make_writer(queue);
}

void Http1::Exchange::abandon() {
  if (driver == nullptr) return;
  MR_ASSERT(state == State::kWaiting);
  state = State::kAbandoned;
  driver->answered(*this);
}

void Http1::Exchange::detach(bool peer_gone) {
  driver = nullptr;
  charge.release();
  if (stream) std::exchange(stream, nullptr)->detach(peer_gone);
}

}  // namespace millrace::net
