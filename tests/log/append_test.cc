#include "log_world.h"

namespace millrace::log::testing {
namespace {

TEST(Append, IsReadBackInOrderWithOffsetsAndTimes) {
  LogWorld log;
  log.add_shards(2);
  log.open();
  const auto batch = log.append({{1, "a"}, {2, "b"}, {1, "c"}});
  ASSERT_EQ(batch->runs.size(), 3u);
  for (const log::Run& run : batch->runs) EXPECT_EQ(run.status, RunStatus::kDurable);
  EXPECT_EQ(batch->runs[0].first_offset, 0u);
  EXPECT_EQ(batch->runs[2].first_offset, 1u);
  const auto read = log.read(1, 0);
  ASSERT_TRUE(read.ok());
  ASSERT_EQ(read->records.size(), 2u);
  EXPECT_EQ(as_text(read->records[1].value), "c");
  EXPECT_EQ(as_text(read->records[1].key), "key");
  EXPECT_EQ(read->records[1].offset, 1u);
  EXPECT_EQ(read->records[1].arrival_ms, batch->runs[2].arrival_ms);
  EXPECT_EQ(read->next_offset, 2u);
  EXPECT_EQ(read->end_offset, 2u);
  EXPECT_FALSE(read->next_arrival_ms.has_value());
  EXPECT_EQ(log.values(2), std::vector<std::string>{"b"});
}

TEST(Append, SurvivesAKillAndAPowerLoss) {
  for (const auto crash : {sim::Crash::kProcessKilled, sim::Crash::kPowerLoss}) {
    LogWorld log;
    log.add_shards(3);
    log.open();
    log.append_many(1, "a", 20);
    log.append_many(3, "b", 5, 100'000);
    log.kill(crash);
    log.open();
    EXPECT_EQ(log.values(1), numbered("a", 20));
    EXPECT_EQ(log.values(3), numbered("b", 5));
    EXPECT_EQ(log.append_one(1, "next"), RunStatus::kDurable);
    EXPECT_EQ(log.values(1).back(), "next");
    EXPECT_EQ(log.extent(1).end_offset, 21u);
  }
}

TEST(Append, ToASealedOrMissingShardWritesTheOtherRunsOnly) {
  LogWorld log;
  log.add_shards(2);
  log.open();
  ASSERT_EQ(log.append_one(1, "before"), RunStatus::kDurable);
  const auto end = log.world.await(log.world.loop(0), log.log->seal(ShardKey{1}));
  ASSERT_TRUE(end.has_value() && end->ok());
  EXPECT_EQ(**end, 1u);
  const auto batch = log.append({{1, "no"}, {2, "yes"}, {9, "nobody"}});
  EXPECT_EQ(batch->runs[0].status, RunStatus::kSealed);
  EXPECT_EQ(batch->runs[1].status, RunStatus::kDurable);
  EXPECT_EQ(batch->runs[2].status, RunStatus::kGone);
  log.log->unseal(ShardKey{1});
  EXPECT_EQ(log.append_one(1, "again"), RunStatus::kDurable);
  log.kill();
  log.open();
  EXPECT_EQ(log.values(1), (std::vector<std::string>{"before", "again"}));
  EXPECT_EQ(log.values(2), (std::vector<std::string>{"yes"}));
}

TEST(Append, SealWaitsForWhatIsUnderWay) {
  LogWorld log;
  log.add_shards(1);
  log.open();
  const auto first = log.start_append({{1, "a"}});
  const auto second = log.start_append({{1, "b"}});
  const auto end = log.world.await(log.world.loop(0), log.log->seal(ShardKey{1}));
  ASSERT_TRUE(end.has_value() && end->ok());
  EXPECT_EQ(**end, 2u);
  EXPECT_EQ((*first)->runs[0].status, RunStatus::kDurable);
  EXPECT_EQ((*second)->runs[0].status, RunStatus::kDurable);
}

TEST(Append, ManyInOneGroupKeepTheirOrder) {
  LogWorld log;
  log.add_shards(1);
  log.open();
  std::vector<LogWorld::Answer> answers;
  for (int i = 0; i < 50; ++i) answers.push_back(log.start_append({{1, fmt::format("v-{}", i)}}));
  ASSERT_TRUE(log.world.run_until([&] { return *answers.back() != nullptr; }));
  for (std::size_t i = 0; i < answers.size(); ++i) {
    ASSERT_NE(*answers[i], nullptr) << "answers come in order";
    EXPECT_EQ((*answers[i])->runs[0].first_offset, i);
  }
  EXPECT_LT(log.log->stats().groups, 10u) << "while one group is written, the next gathers";
  EXPECT_EQ(log.values(1), numbered("v", 50));
}

TEST(Append, ABatchLargerThanAFileGoesIntoALargerFile) {
  LogWorld log;
  log.add_shards(1);
  log.open();
  log.append_many(1, "small", 3);
  const std::string large(700'000, 'x');
  ASSERT_EQ(log.append_one(1, large), RunStatus::kDurable);
  ASSERT_EQ(log.append_one(1, "after"), RunStatus::kDurable);
  log.kill(sim::Crash::kPowerLoss);
  log.open();
  const auto values = log.values(1);
  ASSERT_EQ(values.size(), 5u);
  EXPECT_EQ(values[3], large);
  EXPECT_EQ(values[4], "after");
}

TEST(Append, ArrivalTimesNeverFall) {
  LogWorld log;
  log.add_shards(1);
  log.open();
  const auto before = log.append({{1, "a"}})->runs[0].arrival_ms;
  log.world.shift_wall_clock(-3'600'000);
  EXPECT_GE(log.append({{1, "b"}})->runs[0].arrival_ms, before);
  log.kill();
  log.open();
  EXPECT_GE(log.append({{1, "c"}})->runs[0].arrival_ms, before);
}

TEST(WhenPast, CallsOnceWhenTheRecordIsDurableOrTheShardGoes) {
  LogWorld log;
  log.add_shards(2);
  log.open();
  int first = 0;
  int third = 0;
  int gone = 0;
  log.world.on(log.world.loop(0), [&] {
    log.log->when_past(ShardKey{1}, 0, [&] { ++first; });
    log.log->when_past(ShardKey{1}, 2, [&] { ++third; });
    log.log->when_past(ShardKey{2}, 0, [&] { ++gone; });
  });
  log.append_many(1, "a", 1);
  EXPECT_EQ(first, 1);
  EXPECT_EQ(third, 0);
  log.append_many(1, "a", 2);
  EXPECT_EQ(first, 1);
  EXPECT_EQ(third, 1);
  log.world.on(log.world.loop(0), [&] { log.log->remove_shard(ShardKey{2}); });
  log.world.run_for(1'000'000);
  EXPECT_EQ(gone, 1);
  EXPECT_EQ(log.read(2, 0).error().kind, ErrorKind::kNotFound);
}

TEST(Read, KeepsToItsLimitsAndSaysHowFarBehindItIs) {
  LogWorld log;
  log.add_shards(1);
  log.open();
  log.append_many(1, "v", 10, 100);
  const auto two = log.read(1, 3, {.records_max = 2});
  ASSERT_TRUE(two.ok());
  EXPECT_EQ(two->records.size(), 2u);
  EXPECT_EQ(two->records[0].offset, 3u);
  EXPECT_EQ(two->next_offset, 5u);
  ASSERT_TRUE(two->next_arrival_ms.has_value());
  EXPECT_EQ(*two->next_arrival_ms, log.read(1, 5, {.records_max = 1})->records[0].arrival_ms);
  EXPECT_EQ(log.read(1, 0, {.records_max = 9, .bytes_max = 1})->records.size(), 1u)
      << "the first always fits";
  EXPECT_EQ(log.read(1, 0, {.records_max = 9, .bytes_max = 250})->records.size(), 2u);
  EXPECT_TRUE(log.read(1, 10)->records.empty());
  EXPECT_EQ(log.read(1, 11).error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(log.read(5, 0).error().kind, ErrorKind::kNotFound);
}

}  // namespace
}  // namespace millrace::log::testing
