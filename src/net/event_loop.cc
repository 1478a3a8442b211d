#include "net/event_loop.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <condition_variable>
#include <memory>
#include <string>

#include "base/assert.h"
#include "base/clock.h"

namespace millrace::net {
namespace {

// Heap order: the earliest on top.
constexpr auto kLater = [](const auto& a, const auto& b) {
  return a.due_ns != b.due_ns ? a.due_ns > b.due_ns : a.sequence > b.sequence;
};

// Tells the waiting thread whether its work ran or was dropped with the loop.
struct Ticket {
  std::mutex mutex;
  std::condition_variable changed;
  bool ran = false;
  bool dropped = false;
};
struct TicketHolder {
  std::shared_ptr<Ticket> ticket;
  explicit TicketHolder(std::shared_ptr<Ticket> t) : ticket(std::move(t)) {}
  TicketHolder(TicketHolder&&) noexcept = default;
  TicketHolder& operator=(TicketHolder&&) = delete;
  ~TicketHolder() {
    if (!ticket) return;
    const std::lock_guard lock(ticket->mutex);
    ticket->dropped = true;
    ticket->changed.notify_all();
  }
};

}  // namespace

thread_local EventLoop* EventLoop::current_ = nullptr;

EventLoop::EventLoop(std::size_t index)
    : index_(index),
      context_(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO),
      timer_(context_),
      thread_([this] { run_thread(); }) {}

EventLoop::~EventLoop() { stop(); }

void EventLoop::run_thread() {
  // Signals are the main thread's. A write to a closed socket must not kill the process either.
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  pthread_setname_np(pthread_self(), ("loop-" + std::to_string(index_)).c_str());
  current_ = this;
  const auto work = boost::asio::make_work_guard(context_);
  context_.run();
  current_ = nullptr;
}

void EventLoop::post(Callback callback) {
  if (is_current()) {
    local_.push_back(std::move(callback));
    if (!std::exchange(local_signalled_, true)) signal();
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return;
    foreign_.push_back(std::move(callback));
    if (std::exchange(foreign_signalled_, true)) return;
  }
  signal();
}

void EventLoop::signal() {
  boost::asio::post(context_, [this] { drain(); });
}

void EventLoop::drain() {
  {
    const std::lock_guard lock(mutex_);
    batch_.swap(foreign_);
    foreign_signalled_ = false;
  }
  if (!run_batch(batch_)) return;
  // Only what was there: what these callbacks post waits for the sockets to have their turn.
  local_signalled_ = false;
  batch_.swap(local_);
  run_batch(batch_);
}

// False when the loop was stopped on the way.
bool EventLoop::run_batch(std::vector<Callback>& batch) {
  for (auto& callback : batch) {
    if (context_.stopped()) return false;
    std::exchange(callback, Callback{})();
  }
  batch.clear();
  return true;
}

void EventLoop::post_after(std::int64_t delay_ns, Callback callback) {
  const std::int64_t due_ns = system_clock().monotonic_ns() + std::max<std::int64_t>(delay_ns, 0);
  if (is_current()) {
    add_timed(due_ns, std::move(callback));
    return;
  }
  post([this, due_ns, held = std::make_unique<Callback>(std::move(callback))] {
    add_timed(due_ns, std::move(*held));
  });
}

void EventLoop::add_timed(std::int64_t due_ns, Callback callback) {
  timed_.push_back({due_ns, timed_sequence_++, std::move(callback)});
  std::push_heap(timed_.begin(), timed_.end(), kLater);
  arm_timer();
}

void EventLoop::arm_timer() {
  if (timed_.empty() || timed_.front().due_ns >= armed_ns_) return;
  armed_ns_ = timed_.front().due_ns;
  const std::int64_t wait_ns = std::max<std::int64_t>(armed_ns_ - system_clock().monotonic_ns(), 0);
  timer_.expires_after(std::chrono::nanoseconds(wait_ns));  // cancels the wait that was armed for later
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) run_due();
  });
}

void EventLoop::run_due() {
  armed_ns_ = INT64_MAX;
  const std::int64_t now_ns = system_clock().monotonic_ns();
  while (!timed_.empty() && timed_.front().due_ns <= now_ns && !context_.stopped()) {
    std::pop_heap(timed_.begin(), timed_.end(), kLater);
    Callback callback = std::move(timed_.back().callback);
    timed_.pop_back();
    callback();
  }
  arm_timer();
}

void EventLoop::run_and_wait(Callback work) {
  MR_ASSERT(current_ == nullptr);
  const auto ticket = std::make_shared<Ticket>();
  const auto shared_work = std::make_shared<Callback>(std::move(work));
  post([holder = TicketHolder(ticket), shared_work]() mutable {
    (*shared_work)();
    const auto own = std::move(holder.ticket);
    const std::lock_guard lock(own->mutex);
    own->ran = true;
    own->changed.notify_all();
  });
  std::unique_lock lock(ticket->mutex);
  ticket->changed.wait(lock, [&] { return ticket->ran || ticket->dropped; });
  if (ticket->ran) return;
  lock.unlock();
  (*shared_work)();
}

void EventLoop::stop() {
  MR_ASSERT(!is_current());
  const std::lock_guard stopping(stop_mutex_);
  if (!thread_.joinable()) return;
  context_.stop();
  thread_.join();
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  // Dropping a callback may drop what posts again: that is refused from here on, except by the queues' own
  // content.
  while (!foreign_.empty() || !local_.empty() || !timed_.empty() || !batch_.empty()) {
    const auto foreign = std::exchange(foreign_, {});
    const auto local = std::exchange(local_, {});
    const auto timed = std::exchange(timed_, {});
    const auto batch = std::exchange(batch_, {});
  }
}

}  // namespace millrace::net
