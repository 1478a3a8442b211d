// net/listener.h: accepts connections on one loop and hands them to all of them in turn.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "net/connection.h"

namespace millrace::net {

class Listener : public std::enable_shared_from_this<Listener> {
 public:
  // Binds and listens; accepts from start() on. Any thread but a loop.
  // errors   kInvalid: `address` is not "HOST:PORT".  kUnavailable: the port is taken.
  static Result<std::shared_ptr<Listener>> open(std::shared_ptr<ServerCore> core, const std::string& address);

  Listener(std::shared_ptr<ServerCore> core, EventLoop& loop);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  std::string address() const { return address_; }
  // On the first loop.
  void start();
  void stop();

 private:
  void accept_waiting();
  bool accept_one();  // false: none waiting, or not now
  bool is_full() const;
  // Has each loop close some connections that wait for their peers, and goes on when they have.
  void make_way();
  void made_way(std::size_t closed);
  void out_of_descriptors();
  void wait();

  const std::shared_ptr<ServerCore> core_;
  EventLoop& loop_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::string address_;
  std::size_t next_share_ = 0;
  std::size_t making_way_ = 0;  // loops that have not yet answered
  std::size_t way_made_ = 0;    // connections that the others have closed
  int spare_descriptor_;  // given up for a moment, to take and refuse a connection when there are none left
};

}  // namespace millrace::net
