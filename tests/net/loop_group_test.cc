#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include "net/server.h"

namespace millrace::net {
namespace {

TEST(LoopGroup, RunsWhatIsPostedInOrderOnItsOwnThread) {
  LoopGroup loops(2);
  std::vector<int> seen;
  std::promise<bool> done;
  for (int i = 0; i < 10'000; ++i) loops.loop(1).post([&seen, i] { seen.push_back(i); });
  loops.loop(1).post([&] { done.set_value(loops.loop(1).is_current() && !loops.loop(0).is_current()); });
  EXPECT_TRUE(done.get_future().get());
  EXPECT_FALSE(loops.loop(1).is_current());
  ASSERT_EQ(seen.size(), 10'000u);
  for (int i = 0; i < 10'000; ++i) ASSERT_EQ(seen[static_cast<std::size_t>(i)], i);
}

TEST(LoopGroup, PostsOfManyThreadsAllArrive) {
  LoopGroup loops(1);
  int count = 0;
  std::promise<void> done;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 5'000; ++i) {
        loops.loop(0).post([&] {
          if (++count == 20'000) done.set_value();
        });
      }
    });
  }
  done.get_future().get();
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(count, 20'000);
}

TEST(LoopGroup, WhatACallbackPostsRunsAfterIt) {
  LoopGroup loops(1);
  std::vector<int> seen;
  std::promise<void> done;
  Loop& loop = loops.loop(0);
  loop.post([&] {
    loop.post([&] {
      seen.push_back(2);
      done.set_value();
    });
    seen.push_back(1);
  });
  done.get_future().get();
  EXPECT_EQ(seen, std::vector<int>({1, 2}));
}

TEST(LoopGroup, TimersFireInTheOrderOfTheirTimes) {
  LoopGroup loops(1);
  std::vector<int> seen;
  std::promise<void> done;
  Loop& loop = loops.loop(0);
  loop.post([&] {
    loop.post_after(60'000'000, [&] {
      seen.push_back(3);
      done.set_value();
    });
    loop.post_after(5'000'000, [&] { seen.push_back(1); });
    loop.post_after(30'000'000, [&] { seen.push_back(2); });
  });
  done.get_future().get();
  EXPECT_EQ(seen, std::vector<int>({1, 2, 3}));
}

TEST(LoopGroup, ATimerSetByAnotherThreadFires) {
  LoopGroup loops(1);
  std::promise<bool> done;
  loops.loop(0).post_after(1'000'000, [&] { done.set_value(loops.loop(0).is_current()); });
  EXPECT_TRUE(done.get_future().get());
}

TEST(LoopGroup, StoppingDropsWhatHasNotRun) {
  auto alive = std::make_shared<int>(0);
  LoopGroup loops(1);
  std::atomic<bool> ran = false;
  loops.loop(0).post_after(3'600'000'000'000, [alive, &ran] { ran = true; });
  loops.stop();
  loops.loop(0).post([alive, &ran] { ran = true; });
  loops.stop();
  EXPECT_FALSE(ran);
  EXPECT_EQ(alive.use_count(), 1);
}

}  // namespace
}  // namespace millrace::net
