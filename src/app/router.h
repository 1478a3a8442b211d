// app/router.h: which part of the house answers a request: health, metrics, console, or a front door.
#pragma once

#include <atomic>
#include <memory>

#include "base/callback.h"
#include "base/loop.h"
#include "net/http.h"

namespace millrace::app {

// What the router hands on to; all borrowed, and outlive it.
struct Routes {
  net::Handler& aws;                 // everything that has no path of its own
  Worker& scraper;                   // makes the metrics: it reads /proc, which loops do not wait for
  Function<std::string()>& metrics;  // called on `scraper` only
};

class Router {
 public:
  explicit Router(Routes routes) : routes_(routes) {}

  // On the connection's loop; many loops at once.
  void handle(std::unique_ptr<net::Request> request, net::Responder responder);
  // From now on /readyz answers 503, so that a balancer sends no more. Any thread.
  void leave() { leaving_.store(true, std::memory_order_relaxed); }

 private:
  void answer_metrics(std::unique_ptr<net::Request> request, net::Responder responder);

  Routes routes_;
  std::atomic<bool> leaving_{false};
};

}  // namespace millrace::app
