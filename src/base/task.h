// base/task.h: coroutines for code that runs on loops.
//
// A Task starts when awaited and resumes its awaiter where it ends: on the loop that its last awaited step
// resumed it on. Tasks do not move between loops by themselves: `co_await switch_to(loop)` does that. House
// rule (GCC 12): bind what you await to a name; no co_await inside a condition, an argument list or a braced
// initialiser.
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

#include "base/assert.h"
#include "base/loop.h"

namespace millrace {

template <typename T>
class Task;

namespace task_internal {

struct FinalAwaiter {
  bool await_ready() const noexcept { return false; }
  template <typename Promise>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> handle) const noexcept {
    return handle.promise().continuation;
  }
  void await_resume() const noexcept {}
};

struct PromiseBase {
  std::coroutine_handle<> continuation = std::noop_coroutine();
  std::suspend_always initial_suspend() const noexcept { return {}; }
  FinalAwaiter final_suspend() const noexcept { return {}; }
  [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }  // errors are values here
};

template <typename T>
struct Promise : PromiseBase {
  std::optional<T> value;
  Task<T> get_return_object();
  template <typename U>
  void return_value(U&& result) {
    value.emplace(std::forward<U>(result));
  }
  T take() {
    MR_ASSERT(value.has_value());
    return std::move(*value);
  }
};

template <>
struct Promise<void> : PromiseBase {
  Task<void> get_return_object();
  void return_void() const noexcept {}
  void take() const noexcept {}
};

}  // namespace task_internal

template <typename T = void>
class [[nodiscard]] Task {
 public:
  using promise_type = task_internal::Promise<T>;

  explicit Task(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      if (handle_) handle_.destroy();
      handle_ = std::exchange(other.handle_, {});
    }
    return *this;
  }
  ~Task() {
    if (handle_) handle_.destroy();
  }

  struct Awaiter {
    std::coroutine_handle<promise_type> handle;
    bool await_ready() const noexcept { return false; }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiter) noexcept {
      handle.promise().continuation = awaiter;
      return handle;
    }
    T await_resume() { return handle.promise().take(); }
  };
  Awaiter operator co_await() && { return Awaiter{handle_}; }

 private:
  std::coroutine_handle<promise_type> handle_;
};

namespace task_internal {

template <typename T>
Task<T> Promise<T>::get_return_object() {
  return Task<T>{std::coroutine_handle<Promise<T>>::from_promise(*this)};
}
inline Task<void> Promise<void>::get_return_object() {
  return Task<void>{std::coroutine_handle<Promise<void>>::from_promise(*this)};
}

struct Detached {
  struct promise_type {
    Detached get_return_object() const noexcept { return {}; }
    std::suspend_never initial_suspend() const noexcept { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }
  };
};

template <typename T, typename Done>
Detached run_detached(Task<T> task, Done done) {
  if constexpr (std::is_void_v<T>) {
    co_await std::move(task);
    done();
  } else {
    T value = co_await std::move(task);
    done(std::move(value));
  }
}

}  // namespace task_internal

// Starts `task` now, on this thread; calls `done` with its value where it ends. Both live until then.
template <typename T, typename Done>
void spawn(Task<T> task, Done done) {
  task_internal::run_detached(std::move(task), std::move(done));
}
inline void spawn(Task<void> task) {
  task_internal::run_detached(std::move(task), [] {});
}

// co_await switch_to(loop): goes on there. Does nothing when already there.
class [[nodiscard]] switch_to {
 public:
  explicit switch_to(Loop& loop) : loop_(loop) {}
  bool await_ready() const { return loop_.is_current(); }
  void await_suspend(std::coroutine_handle<> awaiter) const {
    loop_.post([awaiter] { awaiter.resume(); });
  }
  void await_resume() const noexcept {}

 private:
  Loop& loop_;
};

// co_await sleep_for(loop, ns): goes on, on `loop`, after about that time.
class [[nodiscard]] sleep_for {
 public:
  sleep_for(Loop& loop, std::int64_t delay_ns) : loop_(loop), delay_ns_(delay_ns) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> awaiter) const {
    loop_.post_after(delay_ns_, [awaiter] { awaiter.resume(); });
  }
  void await_resume() const noexcept {}

 private:
  Loop& loop_;
  std::int64_t delay_ns_;
};

// Bridges a callback API: co_await Eventually<T>([&](auto done) { start(…, std::move(done)); }).
// `done(value)` must be called exactly once, on the loop where the awaiter should go on; it may be called at
// once.
template <typename T, typename Start>
class [[nodiscard]] EventuallyAwaiter {
 public:
  explicit EventuallyAwaiter(Start start) : start_(std::move(start)) {}
  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> awaiter) {
    awaiter_ = awaiter;
    start_([this](T value) {
      value_.emplace(std::move(value));
      if (std::exchange(arrived_, true)) awaiter_.resume();
    });
    return !std::exchange(arrived_, true);  // already answered: go on without suspending
  }
  T await_resume() { return std::move(*value_); }

 private:
  Start start_;
  std::coroutine_handle<> awaiter_;
  std::optional<T> value_;
  bool arrived_ = false;  // set by whichever of start and answer comes first; one loop, so no race
};
template <typename T, typename Start>
EventuallyAwaiter<T, Start> eventually(Start start) {
  return EventuallyAwaiter<T, Start>(std::move(start));
}

}  // namespace millrace
