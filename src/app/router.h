// app/router.h: which part of the server answers a request: health, metrics, console, or a front door; and
// what browsers ask before they send one.
#pragma once

#include <atomic>
#include <memory>

#include "base/conditions.h"
#include "base/random.h"
#include "net/gate.h"
#include "net/http.h"

namespace millrace::app {

// What the router hands on to; borrowed, and outlive it.
struct Routes {
  net::Handler& aws;  // everything that has no path of its own
  net::Handler& dynamodb;
  net::Handler& cloudwatch;
  net::Handler& metrics;         // GET /metrics
  net::Handler& sts;             // what is signed for sts, and forms of its version
  net::Handler& admin;           // /admin/…
  const Conditions& conditions;  // /readyz says which hold
};

class Router {
 public:
  // gate, random   borrowed; outlive it
  Router(const Routes& routes, const net::Gate& gate, Random& random)
      : routes_(routes), gate_(gate), random_(random) {}

  // On the connection's loop; many loops at once.
  void handle(std::unique_ptr<net::Request> request, net::Responder responder);
  // From now on /readyz answers 503, so that a balancer sends no more. Any thread.
  void leave() { leaving_.store(true, std::memory_order_relaxed); }

 private:
  void answer_preflight(const net::Request& request, net::Responder responder);
  net::Response readiness() const;

  Routes routes_;
  const net::Gate& gate_;
  Random& random_;
  std::atomic<bool> leaving_{false};
};

}  // namespace millrace::app
