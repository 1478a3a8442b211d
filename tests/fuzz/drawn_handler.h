// fuzz/drawn_handler.h: a handler of HTTP requests that does with each what the input says: answers at once
// or later, with a body or a stream, breaks it off, or lets it wait until all ends.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "fuzz/drawn_input.h"
#include "net/http.h"
#include "net/server.h"

namespace millrace::net {

class DrawnHandler {
 public:
  struct Taken {
    std::string method;
    std::string target;
    std::string text;                      // all of the request, to be compared
    std::unique_ptr<Request> request;      // kept while it waits: what its views point into must stay
    std::unique_ptr<Responder> responder;  // while it waits
    std::shared_ptr<BodyStream> stream;    // while it goes on
    std::string body;                      // of the answer, as far as it was given
    bool answered = false;                 // or its stream begun
    bool ended = false;                    // the answer is whole
    bool dropped = false;                  // or will never be
    bool closed = false;                   // its stream was told that the peer has gone
  };

  // choices   borrowed; each request draws one byte
  DrawnHandler(fuzz::DrawnInput& choices, const ServerLimits& limits) : choices_(choices), limits_(limits) {}

  Handler handler() {
    return [this](std::unique_ptr<Request> request, Responder responder) {
      take(std::move(request), std::move(responder));
    };
  }
  // Lets one that waits, or streams, go on.
  void go_on() {
    std::vector<std::size_t> open;
    for (std::size_t i = 0; i < taken_.size(); ++i)
      if (is_open(i)) open.push_back(i);
    if (open.empty()) return;
    const std::size_t index = open[choices_.below(open.size())];
    if (taken_[index].responder)
      answer(index);
    else
      write(index);
  }
  // Answers all that waits, and ends all streams.
  void finish() {
    // What is taken up meanwhile is finished too.
    for (std::size_t i = 0; i < taken_.size(); ++i) {
      if (taken_[i].responder) respond(i, 10);
      if (taken_[i].stream) end(i);
    }
  }
  // As when the process ends: all go, in any order.
  void forget() {
    for (std::size_t i = 0; i < taken_.size(); ++i) {
      taken_[i].responder.reset();
      taken_[i].stream.reset();
    }
  }
  const std::vector<Taken>& taken() const { return taken_; }
  std::size_t waiting() const {
    return static_cast<std::size_t>(std::count_if(taken_.begin(), taken_.end(),
                                                  [](const Taken& one) { return one.responder != nullptr; }));
  }
  bool all_is_answered() const {
    return std::all_of(taken_.begin(), taken_.end(), [](const Taken& one) { return one.ended; });
  }

 private:
  static constexpr std::size_t kStreamQueueMax = 100'000;

  bool is_open(std::size_t index) const { return taken_[index].responder || taken_[index].stream; }

  void take(std::unique_ptr<Request> request, Responder responder) {
    MR_ASSERT(request->body.size() <= limits_.body_bytes_max);
    MR_ASSERT(request->head.size() <= limits_.header_bytes_max);
    Taken one;
    one.method = request->method;
    one.target = request->target;
    one.text = one.method + ' ' + one.target;
    for (const HttpHeader& header : request->headers) {
      const auto head = request->head.text();
      MR_ASSERT(header.name.data() >= head.data() &&
                header.value.data() + header.value.size() <= head.data() + head.size());
      one.text += '\n';
      one.text += header.name;
      one.text += ": ";
      one.text += header.value;
    }
    one.text += "\n\n";
    one.text += request->body.text();
    one.request = std::move(request);
    one.responder = std::make_unique<Responder>(std::move(responder));
    taken_.push_back(std::move(one));
    const std::size_t index = taken_.size() - 1;
    const std::uint8_t choice = choices_.byte();
    if (choice % 4 == 0) return respond(index, choice);
    if (choice % 4 == 1) return answer(index);
  }

  // At once or later; one byte says how.
  void answer(std::size_t index) {
    const std::uint8_t choice = choices_.byte();
    switch (choice % 8) {
      case 0:
        return begin_stream(index);
      case 1:
        begin_stream(index);
        write(index);
        return end(index);
      case 2: {
        taken_[index].dropped = true;
        taken_[index].responder.reset();
        return;
      }
      case 3:
        return respond(index, 70'000);
      case 4:
        return respond(index, choice > 250 ? 1'500'000 : 300'000);
      case 5:
        return respond(index, 0);
      default:
        return respond(index, choice);
    }
  }

  void respond(std::size_t index, std::size_t bytes) {
    Response response;
    response.headers.emplace_back("X-Number", std::to_string(index));
    Taken& one = taken_[index];
    one.body = std::string(bytes, static_cast<char>('a' + index % 26));
    response.body = Bytes(one.body);
    one.answered = true;
    one.ended = true;
    const auto responder = std::move(one.responder);
    std::move(*responder).respond(std::move(response));  // may take further requests up
  }

  void begin_stream(std::size_t index) {
    Response head;
    head.headers.emplace_back("X-Number", std::to_string(index));
    taken_[index].answered = true;
    const auto responder = std::move(taken_[index].responder);
    auto stream = std::move(*responder).start_stream(std::move(head));
    stream->when_closed([this, index] { taken_[index].closed = true; });
    taken_[index].stream = std::move(stream);
  }

  void write(std::size_t index) {
    const std::shared_ptr<BodyStream> stream = taken_[index].stream;
    const std::uint8_t choice = choices_.byte();
    if (choice == 255) {
      taken_[index].dropped = true;
      taken_[index].stream.reset();
    } else if (choice > 240) {
      end(index);
    } else if (stream->queued_bytes() < kStreamQueueMax) {
      const std::string chunk(choice * std::size_t{40}, static_cast<char>('A' + index % 26));
      taken_[index].body += chunk;
      stream->write(std::make_shared<const Bytes>(chunk));
    } else {
      stream->when_below(kStreamQueueMax / 2, [this, index] {
        if (taken_[index].stream) end(index);
      });
    }
  }
  void end(std::size_t index) {
    const auto stream = std::move(taken_[index].stream);
    if (!stream) return;
    taken_[index].ended = true;
    stream->end();
  }

  fuzz::DrawnInput& choices_;
  const ServerLimits& limits_;
  std::vector<Taken> taken_;
};

}  // namespace millrace::net
