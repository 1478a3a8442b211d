#include "base/task.h"

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace millrace {
namespace {

// A loop of this thread, turned by hand, with a clock of its own.
class HandLoop final : public Loop {
 public:
  void post(Callback callback) override { ready_.push_back(std::move(callback)); }
  void post_after(std::int64_t delay_ns, Callback callback) override {
    later_.emplace(now_ns_ + delay_ns, std::move(callback));
  }
  bool is_current() const override { return current_ == this; }
  std::size_t index() const override { return 0; }

  // Runs until nothing is left to run.
  void run() {
    current_ = this;
    while (!ready_.empty() || !later_.empty()) {
      Callback next;
      if (!ready_.empty()) {
        next = std::move(ready_.front());
        ready_.pop_front();
      } else {
        now_ns_ = later_.begin()->first;
        next = std::move(later_.begin()->second);
        later_.erase(later_.begin());
      }
      next();
    }
    current_ = nullptr;
  }
  std::int64_t now_ns() const { return now_ns_; }

 private:
  inline static const HandLoop* current_ = nullptr;
  std::deque<Callback> ready_;
  std::multimap<std::int64_t, Callback> later_;
  std::int64_t now_ns_ = 0;
};

Task<int> answer() { co_return 42; }
Task<int> sum_of_two() {
  auto first = answer();
  const int one = co_await std::move(first);
  auto second = answer();
  const int two = co_await std::move(second);
  co_return one + two;
}
Task<std::unique_ptr<std::string>> owned() { co_return std::make_unique<std::string>("mine"); }
Task<void> note(std::vector<std::string>* log, std::string text) {
  log->push_back(std::move(text));
  co_return;
}
Task<void> hop(Loop* there, Loop* back, std::vector<std::string>* log) {
  co_await switch_to(*there);
  log->push_back(there->is_current() ? "there" : "elsewhere");
  co_await switch_to(*back);
  log->push_back(back->is_current() ? "back" : "elsewhere");
}
Task<void> nap(HandLoop* loop, std::int64_t delay_ns, std::vector<std::string>* log, std::string name) {
  co_await sleep_for(*loop, delay_ns);
  log->push_back(name + " at " + std::to_string(loop->now_ns()));
}
Task<int> depth(int levels) {
  if (levels == 0) co_return 0;
  auto deeper = depth(levels - 1);
  const int below = co_await std::move(deeper);
  co_return below + 1;
}

template <typename T>
T value_of(Task<T> task) {
  std::optional<T> out;
  spawn(std::move(task), [&out](T value) { out.emplace(std::move(value)); });
  EXPECT_TRUE(out.has_value());
  return std::move(*out);
}

TEST(Task, GivesItsValueToWhoAwaitsIt) {
  EXPECT_EQ(value_of(answer()), 42);
  EXPECT_EQ(value_of(sum_of_two()), 84);
  EXPECT_EQ(*value_of(owned()), "mine");
}

TEST(Task, DoesNothingUntilAwaited) {
  std::vector<std::string> log;
  auto task = note(&log, "ran");
  EXPECT_TRUE(log.empty());
  spawn(std::move(task));
  EXPECT_EQ(log, std::vector<std::string>{"ran"});
  { auto dropped = note(&log, "never"); }
  EXPECT_EQ(log.size(), 1u);
}

TEST(Task, DeepChainsNeedNoStackInOptimisedBuilds) {
#if defined(__OPTIMIZE__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  EXPECT_EQ(value_of(depth(20'000)), 20'000);
#else
  EXPECT_EQ(value_of(depth(100)), 100);
#endif
}

TEST(SwitchTo, GoesOnThereAndNotAtOnce) {
  HandLoop here, there;
  std::vector<std::string> log;
  spawn(hop(&there, &here, &log));
  EXPECT_TRUE(log.empty());
  there.run();
  EXPECT_EQ(log, std::vector<std::string>{"there"});
  here.run();
  EXPECT_EQ(log, (std::vector<std::string>{"there", "back"}));
}

TEST(SleepFor, GoesOnInOrderOfTime) {
  HandLoop loop;
  std::vector<std::string> log;
  spawn(nap(&loop, 300, &log, "c"));
  spawn(nap(&loop, 100, &log, "a"));
  spawn(nap(&loop, 200, &log, "b"));
  EXPECT_TRUE(log.empty());
  loop.run();
  EXPECT_EQ(log, (std::vector<std::string>{"a at 100", "b at 200", "c at 300"}));
}

// The lambdas that start an answer are given by name: GCC 12 loses those made inside a co_await.
template <typename Start>
Task<int> eventually_of(Start start) {
  auto awaiter = eventually<int>(std::move(start));
  const int value = co_await awaiter;
  co_return value;
}

TEST(Eventually, TakesAnAnswerThatComesAtOnce) {
  EXPECT_EQ(value_of(eventually_of([](auto done) { done(7); })), 7);
}

TEST(Eventually, TakesAnAnswerThatComesLater) {
  HandLoop loop;
  int got = 0;
  spawn(eventually_of([&loop](auto done) { loop.post([done]() mutable { done(8); }); }),
        [&got](int value) { got = value; });
  EXPECT_EQ(got, 0);
  loop.run();
  EXPECT_EQ(got, 8);
}

}  // namespace
}  // namespace millrace
