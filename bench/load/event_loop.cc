#include "load/event_loop.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <ctime>
#include <utility>

#include "base/assert.h"

namespace millrace::load {
namespace {

constexpr std::int64_t kWaitUsMax = 10'000;

std::int64_t steady_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

std::int64_t wall_minus_steady_us() {
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(wall).count() - steady_us();
}

}  // namespace

std::int64_t now_us() {
  static const std::int64_t offset_us = wall_minus_steady_us();
  return steady_us() + offset_us;
}

EventLoop::EventLoop() : epoll_fd_(epoll_create1(EPOLL_CLOEXEC)) { MR_ASSERT(epoll_fd_ >= 0); }

EventLoop::~EventLoop() { close(epoll_fd_); }

void EventLoop::watch(int fd, Watcher& watcher) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.ptr = &watcher;
  MR_ASSERT(epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event) == 0);
}

void EventLoop::forget(int fd) { epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, fd, nullptr); }

void EventLoop::at(std::int64_t at_us, std::function<void()> callback) {
  timers_.push({at_us, order_++, std::move(callback)});
}

void EventLoop::run_until(const std::function<bool()>& done) {
  while (!done()) {
    run_timers();
    if (done()) return;
    wait();
  }
}

void EventLoop::run_timers() {
  // Only those set before this round: a callback that sets another for "now" must not starve the sockets.
  const std::uint64_t before = order_;
  std::vector<Timer> later;
  while (!timers_.empty() && timers_.top().at_us <= now_us()) {
    Timer timer = timers_.top();
    timers_.pop();
    if (timer.order >= before) {
      later.push_back(std::move(timer));
      continue;
    }
    timer.callback();
  }
  for (Timer& timer : later) timers_.push(std::move(timer));
}

void EventLoop::wait() {
  std::int64_t wait_us = kWaitUsMax;
  if (!timers_.empty())
    wait_us = std::min(wait_us, std::max<std::int64_t>(0, timers_.top().at_us - now_us()));
  const timespec timeout{wait_us / 1'000'000, wait_us % 1'000'000 * 1'000};
  std::array<epoll_event, 256> events;
  const int ready =
      epoll_pwait2(epoll_fd_, events.data(), static_cast<int>(events.size()), &timeout, nullptr);
  for (int i = 0; i < ready; ++i) static_cast<Watcher*>(events[i].data.ptr)->on_events(events[i].events);
}

}  // namespace millrace::load
