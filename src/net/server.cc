#include "net/server.h"

#include <algorithm>
#include <chrono>
#include <mutex>

#include "base/clock.h"
#include "net/connection.h"
#include "net/listener.h"
#include "net/loop_group.h"

namespace millrace::net {

struct Server::Impl {
  std::shared_ptr<ServerCore> core;
  std::shared_ptr<Listener> listener;

  // On each loop, one after the other; waits for it.
  template <typename Visit>
  void on_each_loop(Visit visit) {
    for (auto& share : core->shares) share->loop.run_and_wait([&visit, &share] { visit(*share); });
  }
  void stop_listening() {
    core->shares.front()->loop.run_and_wait([this] { listener->stop(); });
  }
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<Server>> Server::start(LoopGroup& loops, const std::string& address,
                                              ServerLimits limits, const TlsFiles* tls, Handler handler,
                                              const Gate* gate, ConnectionLog* log) {
  auto impl = std::make_unique<Impl>();
  impl->core = std::make_shared<ServerCore>(limits, std::move(handler), gate, log);
  for (auto& loop : loops.impl().loops) impl->core->shares.push_back(std::make_unique<LoopShare>(*loop));
  if (tls != nullptr) {
    MR_ASSIGN(TlsContext context, load_tls(*tls));
    impl->core->set_tls(std::move(context));
  }
  // Descriptors are registered on the loop that serves them.
  Result<std::shared_ptr<Listener>> opened = Error{ErrorKind::kUnavailable, "the loops have ended"};
  EventLoop& first = impl->core->shares.front()->loop;
  first.run_and_wait([&] {
    opened = Listener::open(impl->core, address);
    if (opened.ok()) opened.value()->start();
  });
  if (!opened.ok()) return std::move(opened).error();
  impl->listener = std::move(opened).value();
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

Server::~Server() {
  impl_->core->draining.store(true, std::memory_order_relaxed);
  impl_->stop_listening();
  impl_->on_each_loop([](LoopShare& share) {
    const auto connections = share.connections;  // each takes itself out
    for (const auto& connection : connections) connection->close();
  });
}

std::string Server::address() const { return impl_->listener->address(); }

void Server::drain(std::int64_t ms_max) {
  ServerCore& core = *impl_->core;
  core.draining.store(true, std::memory_order_relaxed);
  impl_->stop_listening();
  impl_->on_each_loop([](LoopShare& share) {
    const auto connections = share.connections;
    for (const auto& connection : connections) connection->drain();
  });
  const std::int64_t until_ns = system_clock().monotonic_ns() + ms_max * 1'000'000;
  std::mutex mutex;
  std::unique_lock lock(mutex);
  while (core.open.load(std::memory_order_acquire) != 0 && system_clock().monotonic_ns() < until_ns) {
    core.closed.wait_for(lock, std::chrono::milliseconds(10));
  }
}

Result<void> Server::reload_tls(const TlsFiles& files) {
  if (!impl_->core->tls()) return Error{ErrorKind::kInvalid, "the server was started without TLS"};
  MR_ASSIGN(TlsContext context, load_tls(files));
  impl_->core->set_tls(std::move(context));
  return {};
}

Server::Stats Server::stats() const {
  Stats sum{};
  for (const auto& share : impl_->core->shares) {
    const LoopCounters& counters = share->counters;
    const auto add = [](std::uint64_t& to, const std::atomic<std::uint64_t>& counter) {
      to += counter.load(std::memory_order_relaxed);
    };
    add(sum.connections_open, counters.connections_open);
    add(sum.connections_total, counters.connections_total);
    add(sum.connections_refused, counters.connections_refused);
    add(sum.connections_evicted, counters.connections_evicted);
    add(sum.requests_total, counters.requests_total);
    add(sum.bytes_in, counters.bytes_in);
    add(sum.bytes_out, counters.bytes_out);
  }
  return sum;
}

}  // namespace millrace::net
