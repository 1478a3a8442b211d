// What /metrics asks of a log: how old records are, when one arrived, and how long commits took.
#include "log_world.h"

namespace millrace::log::testing {
namespace {

ShardAges ages(LogWorld& log, std::uint64_t shard) {
  std::optional<Result<ShardAges>> answer;
  log.world.on(log.loop_of_shard(ShardKey{shard}), [&] { answer.emplace(log.log->ages(ShardKey{shard})); });
  EXPECT_TRUE(answer->ok());
  return **answer;
}

std::optional<std::int64_t> arrival(LogWorld& log, std::uint64_t shard, std::uint64_t offset) {
  std::optional<std::int64_t> answer;
  log.world.on(log.loop_of_shard(ShardKey{shard}),
               [&] { answer = log.log->arrival_near(ShardKey{shard}, offset); });
  return answer;
}

TEST(Ages, OfAShardWithoutRecordsAreEmpty) {
  LogWorld log;
  log.add_shards(1);
  log.open();
  const ShardAges empty = ages(log, 1);
  EXPECT_EQ(empty.extent.end_offset, 0u);
  EXPECT_FALSE(empty.oldest_arrival_ms.has_value());
  EXPECT_FALSE(empty.newest_arrival_ms.has_value());
  EXPECT_FALSE(arrival(log, 1, 0).has_value());
}

TEST(Ages, AreThoseOfTheOldestAndTheNewestRecord) {
  LogWorld log;
  log.add_shards(1);
  log.open();
  std::vector<std::int64_t> arrivals;
  for (int i = 0; i < 5; ++i) {
    arrivals.push_back(log.append({{1, "a"}})->runs.front().arrival_ms);
    log.world.run_for(1'000'000'000);
  }
  for (std::uint64_t i = 0; i < arrivals.size(); ++i) EXPECT_EQ(arrival(log, 1, i), arrivals[i]) << i;
  EXPECT_FALSE(arrival(log, 1, arrivals.size()).has_value());
  EXPECT_EQ(ages(log, 1).oldest_arrival_ms, arrivals.front());
  EXPECT_EQ(ages(log, 1).newest_arrival_ms, arrivals.back());

  // From segments only, after a start: the ends of a block are exact, what is between them is estimated.
  log.settle();
  log.close();
  log.open();
  EXPECT_EQ(ages(log, 1).oldest_arrival_ms, arrivals.front());
  for (std::uint64_t i = 1; i < arrivals.size(); ++i) {
    const auto near = arrival(log, 1, i);
    ASSERT_TRUE(near.has_value()) << i;
    EXPECT_GE(*near, arrivals.front()) << i;
    EXPECT_LE(*near, arrivals.back()) << i;
  }
}

TEST(Ages, CommitsAndSyncsAreCountedAndUnsettledBytesGoWhenSettled) {
  LogWorld log;
  log.add_shards(1);
  log.open();
  log.append_many(1, "a", 7, 10'000);
  log.world.run_for(500'000'000);
  const auto total = [](const LatencySums& sums) {
    std::uint64_t sum = 0;
    for (const std::uint64_t count : sums.counts) sum += count;
    return sum;
  };
  EXPECT_EQ(total(log.log->stats().commits), 7u);
  EXPECT_EQ(total(log.log->stats().syncs), 7u);
  EXPECT_GT(log.log->stats().unsettled_bytes, 70'000u);
  log.settle();
  EXPECT_EQ(log.log->stats().unsettled_bytes, 0u);
}

}  // namespace
}  // namespace millrace::log::testing
