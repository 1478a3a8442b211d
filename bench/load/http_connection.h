// bench/load/http_connection.h: a keep-alive HTTP/1.1 connection that sends what it is given and reads of an
// answer only its status, its length and its body.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "load/event_loop.h"

namespace millrace::load {

struct Endpoint {
  std::string host;  // an IPv4 address
  std::uint16_t port;
  std::string authority() const { return host + ":" + std::to_string(port); }
};

// status 0: the connection broke first, and whether the server did the work is unknown. `body` is borrowed.
using Answer = std::function<void(int status, std::string_view body)>;

// On its loop's thread. Connects at the first send, and again at the first one after it broke.
class HttpConnection final : EventLoop::Watcher {
 public:
  HttpConnection(EventLoop& loop, Endpoint endpoint);
  ~HttpConnection() override;
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  // Sends `head` (up to and with its empty line) and `body`, behind what is still unsent; answers come in
  // order. `body` is shared until its answer. An Answer may send again, also one that tells of a broken
  // connection.
  void send(std::string head, std::shared_ptr<const std::string> body, Answer answer);
  std::size_t in_flight() const { return waiting_.size(); }

 private:
  struct Outgoing {
    std::string head;
    std::shared_ptr<const std::string> body;
  };

  void on_events(std::uint32_t events) override;
  bool connect_now();
  bool flush();
  bool read_all();
  bool take_answers();
  void break_down();

  EventLoop& loop_;
  Endpoint endpoint_;
  int fd_ = -1;
  bool writable_ = false;
  std::deque<Outgoing> outgoing_;
  std::size_t sent_of_first_ = 0;
  std::deque<Answer> waiting_;
  std::string in_;  // received, not yet taken: from taken_ to filled_
  std::size_t taken_ = 0;
  std::size_t filled_ = 0;
  std::size_t need_ = 0;  // bytes from taken_ below which no answer can be whole
};

}  // namespace millrace::load
