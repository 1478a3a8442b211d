// Data keys go when no record needs them any more, and not before: over crashes and changes of retention.
#include <gmock/gmock.h>

#include <algorithm>
#include <utility>

#include "broker/encrypting_machine.h"
#include "sim/seeded_random.h"

namespace millrace::broker {
namespace {

constexpr std::int64_t kMinuteNs = 60 * kNsPerS;

// A stream with an hour of retention, and a new data key every ten minutes.
struct KeyMachine : EncryptingMachine {
  explicit KeyMachine(std::uint64_t seed = 1) : EncryptingMachine(seed) { options.data_key_ms = 600'000; }

  void begin() {
    ASSERT_TRUE(start().ok());
    create();
    ASSERT_TRUE(retain(1).ok());
    ASSERT_TRUE(encrypt_with("alias/aws/kinesis").ok());
  }
  Result<void> retain(std::int64_t hours) { return command(broker->set_retention("s", hours)); }
  std::vector<std::uint64_t> keys() {
    std::vector<std::uint64_t> numbers;
    for (const StreamDataKey& key : stream()->data_keys) numbers.push_back(key.number);
    return numbers;
  }
  // So large that blocks of them, which go as a whole, do not reach far.
  Result<void> put_large(const std::string& text) {
    auto done = put(text + std::string(8'000, '.'));
    times.resize(known.size(), world.clock().wall_ms());
    return done;
  }
  // Ten minutes, in which there comes another data key, and then records.
  void pass(int times_ten_minutes, const std::string& text) {
    for (int i = 0; i < times_ten_minutes; ++i) {
      world.run_for(11 * kMinuteNs);
      const auto done = put_large(fmt::format("{}{} ", text, i));
      ASSERT_TRUE(done.ok()) << done.error().text;
    }
  }
  // What was put within `minutes` is read, in order; and nothing is in the way.
  void expect_youngest(std::int64_t minutes) {
    const auto all = read_all();
    ASSERT_TRUE(all.ok()) << all.error().text;
    const std::int64_t oldest_ms = world.clock().wall_ms() - minutes * 60'000;
    std::size_t next = 0;
    for (const std::string& text : *all) {
      while (next < known.size() && times[next] < oldest_ms && known[next] != text) ++next;
      if (next < known.size() && text == known[next]) ++next;
    }
    while (next < known.size() && times[next] < oldest_ms) ++next;
    EXPECT_EQ(next, known.size()) << known[next] << " is missing, or out of order";
  }

  std::vector<std::int64_t> times;  // of `known`
};

TEST(DataKeys, GoARetentionAfterAStartWhenTheirRecordsHave) {
  KeyMachine machine;
  machine.begin();
  machine.pass(5, "a");
  EXPECT_EQ(machine.keys(), (std::vector<std::uint64_t>{1, 2, 3, 4, 5, 6}));
  machine.crash_and_start();
  machine.pass(3, "b");
  EXPECT_EQ(machine.keys().front(), 1u) << "their records are still there";
  machine.expect_youngest(59);
  machine.pass(15, "c");
  EXPECT_EQ(machine.keys().front(), 6u);  // the newest when the process began, and those that came since
  machine.expect_youngest(59);
  machine.crash_and_start();
  EXPECT_EQ(machine.keys().front(), 6u);
  machine.expect_youngest(59);
  const std::uint64_t newest = machine.keys().back();
  machine.pass(18, "d");
  EXPECT_EQ(machine.keys().front(), newest);
  machine.expect_youngest(59);
}

TEST(DataKeys, WhatTheyEncryptedDoesNotComeBackWithALongerRetention) {
  KeyMachine machine;
  machine.begin();
  machine.pass(3, "old");
  machine.crash_and_start();
  machine.pass(18, "new");
  const std::size_t gone = 3 * 3;
  ASSERT_GT(machine.keys().front(), 3u);
  ASSERT_TRUE(machine.retain(8'760).ok());
  for (int round = 0; round < 3; ++round) {
    const auto all = machine.read_all();
    ASSERT_TRUE(all.ok()) << all.error().text;
    EXPECT_LE(all->size(), machine.known.size() - gone);
    EXPECT_THAT(*all, testing::Each(testing::Not(testing::HasSubstr("old"))));
    machine.expect_youngest(59);
    machine.crash_and_start();
  }
}

TEST(DataKeys, WhatIsBeforeAShardsKeptFromIsReadByNobodyThoughTheLogHoldsIt) {
  KeyMachine machine;
  machine.begin();
  machine.pass(2, "a");
  for (Shard shard : machine.stream()->shards) {
    const auto ask = [&](auto task) { return machine.world.await(machine.world.loop(0), std::move(task)); };
    const auto whole = ask(machine.broker->extent(shard));
    if (whole->value().end_offset == 0) continue;
    ASSERT_EQ(whole->value().first_offset, 0u);
    shard.kept_from = 4;
    EXPECT_EQ(ask(machine.broker->extent(shard))->value().first_offset, 4u);
    EXPECT_EQ(ask(machine.broker->offset_at_time(shard, 0))->value(), 4u);
    EXPECT_EQ(ask(machine.broker->read(shard, 0, {}))->value().records.front().offset, 4u);
    EXPECT_EQ(ask(machine.broker->read_for_consumer(shard, 3, {}))->value().records.front().offset, 4u);
    EXPECT_EQ(ask(machine.broker->read(shard, 5, {}))->value().records.front().offset, 5u);
  }
}

TEST(DataKeys, StayWhereRetentionHasNoEnd) {
  KeyMachine machine;
  machine.begin();
  ASSERT_TRUE(machine.retain(-1).ok());
  machine.pass(3, "a");
  machine.crash_and_start();
  machine.pass(18, "b");
  EXPECT_EQ(machine.keys().front(), 1u);
  machine.expect_youngest(100'000);
}

TEST(DataKeys, ACrashAnywhereTakesNoKeyThatIsNeeded) {
  std::size_t dropped = 0;
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    KeyMachine machine(seed);
    sim::SeededRandom dice{sim::Seed{seed}};
    machine.begin();
    for (int life = 0; life < 4; ++life) {
      machine.disk.crash_at_operation(machine.disk.operations() + dice.between(100, 2'500),
                                      dice.chance(0.5) ? sim::Crash::kPowerLoss : sim::Crash::kProcessKilled);
      for (int step = 0; step < 40 && !machine.disk.crashed(); ++step) {
        machine.world.run_for(static_cast<std::int64_t>(dice.between(1, 15)) * kMinuteNs);
        static_cast<void>(machine.put_large(fmt::format("{}.{} ", life, step)).ok());
        if (dice.chance(0.05)) static_cast<void>(machine.retain(dice.chance(0.5) ? 1 : 2).ok());
      }
      machine.crash_and_start();
      machine.expect_youngest(59);
    }
    dropped += machine.stream()->data_keys.front().number - 1;
  }
  EXPECT_GT(dropped, 40u) << "otherwise this shows little";
}

}  // namespace
}  // namespace millrace::broker
