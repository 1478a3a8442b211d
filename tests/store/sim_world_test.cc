#include "sim/sim_world.h"

#include <gtest/gtest.h>

#include <set>

namespace millrace::sim {
namespace {

TEST(SimWorld, ALoopKeepsTheOrderOfEachPosterWhateverTheSeed) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    SimWorld world{Seed{seed}};
    SimLoop& target = world.add_loop();
    SimLoop& other = world.add_loop();
    auto worker = world.start_worker("worker");
    std::vector<std::vector<int>> seen(3);
    for (int i = 0; i < 50; ++i) {
      target.post([&seen, i] { seen[0].push_back(i); });
      other.post([&, i] { target.post([&seen, i] { seen[1].push_back(i); }); });
      worker->run([&, i] {
        world.spend(30'000);
        target.post([&seen, i] { seen[2].push_back(i); });
      });
    }
    world.run_until_idle();
    for (const std::vector<int>& numbers : seen) {
      ASSERT_EQ(numbers.size(), 50u);
      ASSERT_TRUE(std::is_sorted(numbers.begin(), numbers.end())) << "seed " << seed;
    }
  }
}

// Two loops that post to each other, a worker that takes time, timers.
std::vector<std::string> play(Seed seed, std::uint64_t* hash) {
  SimWorld world{seed};
  SimLoop& left = world.add_loop();
  SimLoop& right = world.add_loop();
  auto worker = world.start_worker("worker");
  std::vector<std::string> order;
  for (int i = 0; i < 10; ++i) {
    left.post([&order, i] { order.push_back("left " + std::to_string(i)); });
    right.post([&order, i] { order.push_back("right " + std::to_string(i)); });
    right.post_after(i * 10'000, [&order, i] { order.push_back("timer " + std::to_string(i)); });
    worker->run([&, i] {
      world.spend(20'000);
      order.push_back("worker " + std::to_string(i));
    });
  }
  world.run_until_idle();
  *hash = world.trace_hash();
  return order;
}

TEST(SimWorld, TheSameSeedGivesTheSameOrderAndOtherSeedsOthers) {
  std::set<std::vector<std::string>> orders;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    std::uint64_t first = 0;
    std::uint64_t again = 0;
    const auto order = play(Seed{seed}, &first);
    EXPECT_EQ(order, play(Seed{seed}, &again));
    EXPECT_EQ(first, again);
    orders.insert(order);
  }
  EXPECT_EQ(orders.size(), 20u);
}

TEST(SimWorld, ABusyWorkerMakesWhatFollowsWait) {
  SimWorld world{Seed{1}};
  SimLoop& loop = world.add_loop();
  auto worker = world.start_worker("worker");
  std::int64_t began_second = 0;
  std::int64_t answered = 0;
  worker->run([&] {
    world.spend(5'000'000);
    loop.post([&] { answered = world.clock().monotonic_ns(); });
  });
  worker->run([&] { began_second = world.clock().monotonic_ns(); });
  world.run_until_idle();
  EXPECT_GE(began_second, 5'000'000);
  EXPECT_GE(answered, 5'000'000);
}

TEST(SimWorld, TimersWaitAndTheClockStandsWhereARunEnds) {
  SimWorld world{Seed{2}};
  SimLoop& loop = world.add_loop();
  const std::int64_t wall = world.clock().wall_ms();
  bool rang = false;
  loop.post_after(2'000'000'000, [&] { rang = true; });
  world.run_for(1'000'000'000);
  EXPECT_FALSE(rang);
  EXPECT_EQ(world.clock().monotonic_ns(), 1'000'000'000);
  EXPECT_TRUE(world.run_until([&] { return rang; }));
  EXPECT_GE(world.clock().monotonic_ns(), 2'000'000'000);
  EXPECT_GE(world.clock().wall_ms(), wall + 2'000);
  world.shift_wall_clock(-5'000);
  EXPECT_LT(world.clock().wall_ms(), wall);
  EXPECT_FALSE(world.run_until([] { return false; })) << "nothing is left to run";
}

TEST(SimWorld, OnlyWhatALoopRunsIsOnIt) {
  SimWorld world{Seed{3}};
  SimLoop& one = world.add_loop();
  SimLoop& two = world.add_loop();
  EXPECT_EQ(one.index(), 0u);
  EXPECT_EQ(two.index(), 1u);
  EXPECT_FALSE(one.is_current());
  bool right = false;
  world.on(one, [&] { right = one.is_current() && !two.is_current(); });
  EXPECT_TRUE(right);
  right = false;
  two.post([&] { right = two.is_current() && !one.is_current(); });
  world.run_until_idle();
  EXPECT_TRUE(right);
}

Task<int> seven_later(SimLoop& loop) {
  co_await sleep_for(loop, 1'000'000);
  co_return 7;
}

TEST(SimWorld, ATaskIsAwaitedUntilItEndsOrTheLimitPasses) {
  SimWorld world{Seed{4}};
  SimLoop& loop = world.add_loop();
  EXPECT_EQ(world.await(loop, seven_later(loop)), 7);
  EXPECT_EQ(world.await(loop, seven_later(loop), 500'000), std::nullopt);
  world.run_until_idle();  // lets the late one end
}

TEST(SimWorld, AWorkersEndRunsWhatItWasGivenAndAKilledProcessRunsNothing) {
  SimWorld world{Seed{5}};
  SimLoop& loop = world.add_loop();
  std::vector<int> ran;
  auto worker = world.start_worker("worker");
  for (int i = 0; i < 5; ++i) worker->run([&ran, i] { ran.push_back(i); });
  worker.reset();
  EXPECT_EQ(ran, (std::vector<int>{0, 1, 2, 3, 4}));
  auto held = std::make_shared<int>(0);
  loop.post([held, &ran] { ran.push_back(9); });
  world.drop_events();
  EXPECT_EQ(held.use_count(), 1);
  world.run_until_idle();
  EXPECT_EQ(ran.size(), 5u);
}

TEST(SeededRandom, DrawsAreInTheirBoundsAndSpread) {
  SeededRandom random{Seed{6}};
  std::vector<int> counts(10);
  for (int i = 0; i < 10'000; ++i) ++counts[random.below(10)];
  for (const int count : counts) EXPECT_NEAR(count, 1'000, 200);
  int hits = 0;
  for (int i = 0; i < 10'000; ++i) hits += random.chance(0.3);
  EXPECT_NEAR(hits, 3'000, 300);
  for (int i = 0; i < 100; ++i) {
    const std::uint64_t drawn = random.between(5, 7);
    EXPECT_TRUE(drawn >= 5 && drawn <= 7);
  }
  EXPECT_FALSE(random.chance(0));
  EXPECT_TRUE(random.chance(1));
}

}  // namespace
}  // namespace millrace::sim
