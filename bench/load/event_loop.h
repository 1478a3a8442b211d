// bench/load/event_loop.h: one thread's sockets and timers, by epoll: no more than the generator needs, so
// that it leaves the processor to the server that it measures.
#pragma once

#include <cstdint>
#include <functional>
#include <queue>
#include <vector>

namespace millrace::load {

// Microseconds since the Unix epoch, of a clock that never steps: the system's wall clock when the process
// began, and monotonic from there.
std::int64_t now_us();

// All calls from one thread.
class EventLoop {
 public:
  // What a socket is told: epoll's event bits.
  class Watcher {
   public:
    virtual ~Watcher() = default;
    virtual void on_events(std::uint32_t events) = 0;
  };

  EventLoop();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Watches `fd`, edge-triggered, for reading and writing until forget(). `watcher` is borrowed until then.
  void watch(int fd, Watcher& watcher);
  void forget(int fd);

  // Calls back once, at `at_us` or as soon after as the thread is free.
  void at(std::int64_t at_us, std::function<void()> callback);
  void soon(std::function<void()> callback) { at(0, std::move(callback)); }

  // Serves sockets and timers until `done` says true; asked after each round.
  void run_until(const std::function<bool()>& done);

 private:
  struct Timer {
    std::int64_t at_us;
    std::uint64_t order;  // timers of one instant run in the order they were set
    std::function<void()> callback;
    bool operator>(const Timer& other) const {
      return at_us != other.at_us ? at_us > other.at_us : order > other.order;
    }
  };

  void run_timers();
  void wait();

  int epoll_fd_;
  std::uint64_t order_ = 0;
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;
};

}  // namespace millrace::load
