// A protocol driver without sockets: input by hand, output as text, time as the test says.
#pragma once

#include <sys/uio.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "net/driver.h"
#include "net/http1.h"
#include "net/http2.h"

namespace millrace::net {

class HandLoop final : public Loop {
 public:
  void post(Callback callback) override { queue_.push_back(std::move(callback)); }
  void post_after(std::int64_t, Callback callback) override { queue_.push_back(std::move(callback)); }
  bool is_current() const override { return true; }
  std::size_t index() const override { return 0; }
  void run() {
    while (!queue_.empty()) {
      Callback callback = std::move(queue_.front());
      queue_.pop_front();
      callback();
    }
  }

 private:
  std::deque<Callback> queue_;
};

// Treats its driver as a Connection does.
class BareDriver final : public Carrier {
 public:
  BareDriver(ServerLimits given_limits, Handler given_handler, const Gate* gate = nullptr)
      : limits(given_limits),
        handler(std::move(given_handler)),
        budget(std::make_shared<Budget>(given_limits.buffered_bytes_max)),
        context_{limits, budget, budget, handler, counters, loop, *this, "192.0.2.1:1", source, gate} {}
  ~BareDriver() override {
    if (driver) driver->gone();
    driver.reset();
    loop.run();
  }

  void speak_http1() { driver = std::make_unique<Http1>(context_, now_ns); }
  void speak_http2() { driver = std::make_unique<Http2>(context_, now_ns); }

  // Bytes on their way to the driver; it takes them as soon as it wants them.
  void input(std::string_view bytes) {
    socket_ += bytes;
    go_on();
  }
  void go_on() {
    while (driver->ending() == Driver::Ending::kNone && driver->wants_input()) {
      if (driver->holds_input()) {
        driver->resume_input(now_ns);
        continue;
      }
      if (socket_.empty()) return;
      const auto space = driver->body_space();
      const std::size_t n = std::min(socket_.size(), space.empty() ? driver->read_bytes() : space.size());
      const std::string piece = socket_.substr(0, n);
      socket_.erase(0, n);
      if (space.empty()) {
        driver->received(as_bytes(piece), now_ns);
      } else {
        std::memcpy(space.data(), piece.data(), n);
        driver->body_arrived(n);
      }
    }
  }
  // At most `bytes_max` of what the driver wants to send, as if the socket had taken it.
  std::string output(std::size_t bytes_max = SIZE_MAX) {
    std::string text;
    iovec pieces[8];
    while (text.size() < bytes_max) {
      const std::size_t count = driver->gather(pieces);
      if (count == 0) break;
      std::size_t sent = 0;
      for (std::size_t i = 0; i < count; ++i) {
        const std::size_t n = std::min(pieces[i].iov_len, bytes_max - text.size());
        text.append(static_cast<const char*>(pieces[i].iov_base), n);
        sent += n;
      }
      driver->sent(sent, now_ns);
    }
    go_on();
    return text;
  }
  void log_to(ConnectionLog& log) { context_.log = &log; }
  // Input that it has not taken.
  std::size_t unread_bytes() const { return socket_.size(); }

  void output_ready(bool) override { ++output_ready_calls; }
  void make_room(std::size_t) override {}

  const ServerLimits limits;
  Handler handler;
  const std::shared_ptr<Budget> budget;
  SourceGauge source;
  LoopCounters counters;
  HandLoop loop;
  std::int64_t now_ns = 1'000'000'000;
  std::unique_ptr<Driver> driver;
  int output_ready_calls = 0;

 private:
  DriverContext context_;
  std::string socket_;
};

}  // namespace millrace::net
