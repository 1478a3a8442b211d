#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/resource.h>

#include <array>
#include <atomic>
#include <future>
#include <thread>
#include <vector>

#include "store/posix_disk.h"

namespace millrace::store {
namespace {

TEST(ThreadWorker, RunsAllThatEachThreadGivesInItsOrderAndFinishesBeforeItEnds) {
  constexpr int kGivers = 4;
  constexpr int kEach = 20'000;
  std::vector<std::vector<int>> seen(kGivers);
  {
    auto worker = start_thread_worker("order", 0);
    std::vector<std::thread> givers;
    for (int giver = 0; giver < kGivers; ++giver)
      givers.emplace_back([&, giver] {
        for (int i = 0; i < kEach; ++i)
          worker->run([&seen, giver, i] { seen[static_cast<std::size_t>(giver)].push_back(i); });
      });
    for (std::thread& giver : givers) giver.join();
  }
  for (const std::vector<int>& numbers : seen) {
    ASSERT_EQ(numbers.size(), std::size_t{kEach});
    for (int i = 0; i < kEach; ++i) ASSERT_EQ(numbers[static_cast<std::size_t>(i)], i);
  }
}

TEST(ThreadWorker, WakesUpForEachOfManySingleJobs) {
  auto worker = start_thread_worker("wake", 0);
  for (int i = 0; i < 2'000; ++i) {
    std::promise<int> answer;
    worker->run([&answer, i] { answer.set_value(i); });
    ASSERT_EQ(answer.get_future().get(), i);
  }
}

TEST(ThreadWorker, WorkGivenByWorkRunsToo) {
  std::atomic<int> ran = 0;
  {
    auto worker = start_thread_worker("nested", 0);
    Worker* inner = worker.get();
    worker->run([&ran, inner] {
      ++ran;
      inner->run([&ran] { ++ran; });
    });
  }
  EXPECT_EQ(ran, 2);
}

TEST(ThreadWorker, WhatAJobHeldIsLetGoBeforeTheNextOne) {
  auto worker = start_thread_worker("holds", 0);
  auto held = std::make_shared<int>(1);
  std::promise<long> uses;
  std::promise<void> start;
  worker->run([ready = start.get_future().share()] { ready.wait(); });
  worker->run([copy = held] { static_cast<void>(copy); });
  worker->run([&uses, watched = std::weak_ptr<int>(held)] { uses.set_value(watched.use_count()); });
  start.set_value();
  EXPECT_EQ(uses.get_future().get(), 1);
}

TEST(ThreadWorker, TheThreadHasItsNameAndItsPriority) {
  const int own = getpriority(PRIO_PROCESS, 0);
  auto worker = start_thread_worker("a-name-of-more-than-15", 5);
  std::promise<std::pair<std::string, int>> answer;
  worker->run([&answer] {
    std::array<char, 16> name{};
    pthread_getname_np(pthread_self(), name.data(), name.size());
    answer.set_value({name.data(), getpriority(PRIO_PROCESS, 0)});
  });
  const auto [name, nice] = answer.get_future().get();
  EXPECT_EQ(name, "a-name-of-more-");
  EXPECT_EQ(nice, std::min(own + 5, 19));
  EXPECT_EQ(getpriority(PRIO_PROCESS, 0), own);
}

}  // namespace
}  // namespace millrace::store
