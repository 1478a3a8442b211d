// app/router.h: which part of the house answers a request: health, metrics, console, or a front door.
#pragma once

#include <atomic>
#include <memory>

#include "net/http.h"

namespace millrace::app {

// What the router hands on to; borrowed, and outlive it.
struct Routes {
  net::Handler& aws;  // everything that has no path of its own
  net::Handler& dynamodb;
  net::Handler& cloudwatch;
  net::Handler& metrics;  // GET /metrics
  net::Handler& sts;      // what is signed for sts, and forms of its version
  net::Handler& admin;    // /admin/…
};

class Router {
 public:
  explicit Router(Routes routes) : routes_(routes) {}

  // On the connection's loop; many loops at once.
  void handle(std::unique_ptr<net::Request> request, net::Responder responder);
  // From now on /readyz answers 503, so that a balancer sends no more. Any thread.
  void leave() { leaving_.store(true, std::memory_order_relaxed); }

 private:
  Routes routes_;
  std::atomic<bool> leaving_{false};
};

}  // namespace millrace::app
