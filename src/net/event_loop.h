// net/event_loop.h: one thread, one Asio io_context, and the queues that make posting to it cheap.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

#include "base/loop.h"

namespace millrace::net {

// A batch of callbacks costs one wake-up, however many they are: the first post signals, one drain runs them
// all.
class EventLoop final : public Loop {
 public:
  explicit EventLoop(std::size_t index);  // the thread starts at once
  ~EventLoop() override;                  // stop()
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  void post(Callback callback) override;
  void post_after(std::int64_t delay_ns, Callback callback) override;
  bool is_current() const override { return current_ == this; }
  std::size_t index() const override { return index_; }

  // For descriptors; used on the loop's thread only (I/O objects are not locked).
  boost::asio::io_context& context() { return context_; }

  // Runs `work` on the loop and returns when it has run. Where the loop has ended, runs it here. Not from a
  // loop.
  void run_and_wait(Callback work);
  // Ends after the callback under way, joins, drops the rest. Not from a loop. Idempotent.
  void stop();

 private:
  struct Timed {
    std::int64_t due_ns;
    std::uint64_t sequence;  // equal times run in the order in which they were set
    Callback callback;
  };

  void run_thread();
  void signal();
  void drain();
  bool run_batch(std::vector<Callback>& batch);
  void add_timed(std::int64_t due_ns, Callback callback);
  void arm_timer();
  void run_due();

  static thread_local EventLoop* current_;

  const std::size_t index_;
  boost::asio::io_context context_;
  boost::asio::steady_timer timer_;
  // The loop's own posts need no lock.
  std::vector<Callback> local_;
  bool local_signalled_ = false;
  std::vector<Callback> batch_;  // being run; what is left of it when the loop stops is dropped with the loop
  std::vector<Timed> timed_;     // heap, earliest first
  std::uint64_t timed_sequence_ = 0;
  std::int64_t armed_ns_ = INT64_MAX;

  std::mutex mutex_;
  std::vector<Callback> foreign_;   // guarded
  bool foreign_signalled_ = false;  // guarded
  bool stopped_ = false;            // guarded: joined, nothing runs any more

  std::mutex stop_mutex_;
  std::thread thread_;
};

}  // namespace millrace::net
