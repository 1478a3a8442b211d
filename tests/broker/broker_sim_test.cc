// The broker over a simulated machine: puts, reshards, crashes; and a checker of what is read in the end.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include <fmt/format.h>

#include "broker/broker.h"
#include "broker/hash_key.h"
#include "sim/sim_disk.h"
#include "sim/sim_world.h"
#include "store/object_store.h"

namespace millrace::broker {
namespace {

struct Machine {
  explicit Machine(std::uint64_t seed_number)
      : world(sim::Seed{seed_number}), disk(sim::Seed{seed_number}, &world), dice(sim::Seed{seed_number}) {
    world.add_loop();
    world.add_loop();
  }
  ~Machine() { die(); }

  Result<void> boot() {
    MR_ASSIGN(store, store::open_directory_store(disk, "objects"));
    log::LogOptions log_options;
    log_options.journal_file_bytes = 64 << 10;
    log_options.settle_at_bytes = 64 << 10;
    log_options.unsettled_bytes_max = 512 << 10;
    log_options.tail_cache_bytes = 64 << 10;
    BrokerOptions options;
    options.transition_ms = 20;
    options.memory = memory = std::make_shared<MemoryShare>("streams", memory_bytes_max);
    log::LogEnvironment environment{
        disk, world.folder_clock(), world.random(), {&world.loop(0), &world.loop(1)}, {}, {}};
    environment.start_worker = [this](const std::string& name, int) { return world.start_worker(name); };
    environment.warn = [](const std::string&) {};
    MR_ASSIGN(broker, Broker::open(std::move(environment), log_options, *store, options));
    return {};
  }
  void die() {
    world.drop_events();
    broker.reset();
    world.drop_events();
    store.reset();
  }
  void crash_and_boot(sim::Crash kind) {
    if (!disk.crashed()) disk.crash(kind);
    die();
    disk.restart();
    const auto booted = boot();
    ASSERT_TRUE(booted.ok()) << booted.error().text;
  }

  Result<void> run(Task<Result<void>> command) {
    auto outcome = world.await(world.loop(1), std::move(command));
    if (!outcome) return Error{ErrorKind::kUnknown, "no answer"};
    return *outcome;
  }
  std::shared_ptr<const Stream> stream(std::size_t loop = 1) {
    std::shared_ptr<const Stream> found;
    world.on(world.loop(loop), [&] { found = broker->catalog()->find("s"); });
    return found;
  }
  // On every loop: a change that nobody waits for reaches them one by one.
  bool settles(StreamStatus status) {
    return world.run_until([&] {
      return stream(0) != nullptr && stream(0)->status == status && stream(1) != nullptr &&
             stream(1)->status == status;
    });
  }
  void create(std::uint32_t shards) {
    ASSERT_TRUE(run(broker->create_stream({"s", shards, false, {}})).ok());
    ASSERT_TRUE(settles(StreamStatus::kActive));
  }

  sim::SimWorld world;
  sim::SimDisk disk;
  sim::SeededRandom dice;
  std::uint64_t memory_bytes_max = 64u << 20;
  std::shared_ptr<MemoryShare> memory;
  std::unique_ptr<store::ObjectStore> store;
  std::unique_ptr<Broker> broker;
};

// What producers tried and what they were told, by key: the records of a key are numbered from 0.
struct History {
  struct Record {
    std::string text;
    bool acknowledged = false;
  };
  std::map<std::string, std::vector<Record>> keys;
  std::size_t acknowledged = 0;
  bool stop = false;
  std::size_t producing = 0;
};

Task<void> produce(Machine& machine, History& history, Loop& loop, std::string key_prefix, int rounds) {
  for (int round = 0; round < rounds && !history.stop; ++round) {
    std::vector<std::pair<std::string, std::size_t>> sent;
    const std::size_t count = 1 + machine.dice.next_u64() % 5;
    for (std::size_t i = 0; i < count; ++i) {
      const std::string key = fmt::format("{}-{}", key_prefix, machine.dice.next_u64() % 4);
      auto& records = history.keys[key];
      records.push_back(
          {fmt::format("{}:{}:{}", key, records.size(), std::string(machine.dice.next_u64() % 400, 'x'))});
      sent.emplace_back(key, records.size() - 1);
    }
    std::vector<std::string> texts;  // a copy: other rounds may move the history's
    for (const auto& [key, number] : sent) texts.push_back(history.keys[key][number].text);
    std::vector<PutEntry> entries;
    for (std::size_t i = 0; i < sent.size(); ++i)
      entries.push_back(
          {.partition_key = sent[i].first, .explicit_hash_key = {}, .data = texts[i], .base64 = false});
    auto put = co_await machine.broker->put("s", entries);
    if (put.ok())
      for (std::size_t i = 0; i < sent.size(); ++i)
        if (put->outcomes[i].status == log::RunStatus::kDurable) {
          history.keys[sent[i].first][sent[i].second].acknowledged = true;
          ++history.acknowledged;
        }
    co_await sleep_for(loop, static_cast<std::int64_t>(machine.dice.next_u64() % 4) * kNsPerMs);
  }
  --history.producing;
}

void start_producers(Machine& machine, History& history, const std::string& generation, int rounds) {
  for (std::size_t producer = 0; producer < 4; ++producer) {
    Loop& loop = machine.world.loop(producer % 2);
    ++history.producing;
    machine.world.on(
        machine.world.loop(producer % 2), [&machine, &history, &loop, generation, producer, rounds] {
          spawn(produce(machine, history, loop, fmt::format("{}{}", generation, producer), rounds));
        });
  }
}

// All that was acknowledged is read, in order by key with parents before children, and nothing twice or
// unheard of.
void expect_history(Machine& machine, const History& history) {
  std::map<std::string, std::vector<std::string>> read;
  for (const Shard& shard : machine.stream()->shards) {
    std::uint64_t from = 0;
    for (;;) {
      auto batch = machine.world.await(machine.world.loop(0), machine.broker->read(shard, from, {7, 2'000}));
      ASSERT_TRUE(batch.has_value());
      ASSERT_TRUE(batch->ok()) << batch->error().text;
      if ((*batch)->records.empty()) break;
      for (const log::RecordView& record : (*batch)->records) {
        ASSERT_EQ(record.offset, from++);
        read[std::string(as_text(record.key))].emplace_back(as_text(record.value));
      }
      ASSERT_EQ((*batch)->next_offset, from);
    }
    if (shard.end_offset) {
      ASSERT_EQ(from, *shard.end_offset);
    }
  }
  for (const auto& [key, texts] : read) {
    const auto sent = history.keys.find(key);
    ASSERT_NE(sent, history.keys.end()) << key;
    std::size_t next = 0;
    for (const std::string& text : texts) {
      while (next < sent->second.size() && sent->second[next].text != text) {
        ASSERT_FALSE(sent->second[next].acknowledged)
            << "lost or out of order: " << sent->second[next].text.substr(0, 20);
        ++next;
      }
      ASSERT_LT(next, sent->second.size()) << "twice or never sent: " << text.substr(0, 20);
      ++next;
    }
    for (; next < sent->second.size(); ++next)
      ASSERT_FALSE(sent->second[next].acknowledged) << "lost at the end";
  }
  for (const auto& [key, records] : history.keys)
    for (const auto& record : records) {
      ASSERT_FALSE(record.acknowledged && !read.contains(key)) << "lost: all of " << key;
    }
}

// A reshard of some kind; whether it was taken.
bool reshard_somehow(Machine& machine) {
  const auto stream = machine.stream();
  const auto& open = stream->open_shards;
  const std::size_t at = machine.dice.next_u64() % open.size();
  const Shard& shard = stream->shards[open[at]];
  switch (machine.dice.next_u64() % 3) {
    case 0: {
      const HashNumber first = to_number(shard.range.first);
      const HashNumber width = to_number(shard.range.last) - first;
      return machine.run(machine.broker->split_shard("s", shard.index, to_key(first + width / 2 + 1))).ok();
    }
    case 1:
      if (at + 1 == open.size()) return false;
      return machine.run(machine.broker->merge_shards("s", shard.index, stream->shards[open[at + 1]].index))
          .ok();
    default:
      return machine.run(machine.broker->update_shard_count("s", 1 + machine.dice.next_u64() % 5)).ok();
  }
}

TEST(Broker, AStreamIsCreatingThenActiveAndGoneAfterItsDeletion) {
  Machine machine{1};
  ASSERT_TRUE(machine.boot().ok());
  ASSERT_TRUE(machine.run(machine.broker->create_stream({"s", 3, false, {{"team", "web"}}})).ok());
  EXPECT_EQ(machine.stream()->status, StreamStatus::kCreating);
  EXPECT_EQ(machine.run(machine.broker->create_stream({"s", 3, false, {}})).error().kind,
            ErrorKind::kConflict);
  ASSERT_TRUE(machine.settles(StreamStatus::kActive));
  EXPECT_EQ(machine.stream()->shards.size(), 3u);
  EXPECT_EQ(machine.stream()->tags.at("team"), "web");
  ASSERT_TRUE(machine.run(machine.broker->delete_stream("s", true)).ok());
  EXPECT_EQ(machine.stream()->status, StreamStatus::kDeleting);
  EXPECT_TRUE(machine.world.run_until([&] { return machine.stream() == nullptr; }));
  EXPECT_EQ(machine.run(machine.broker->delete_stream("s", true)).error().kind, ErrorKind::kNotFound);
}

TEST(Broker, WhatIsDeletedWhileItIsCreatedIsDeletingForItsTime) {
  Machine machine{1};
  ASSERT_TRUE(machine.boot().ok());
  ASSERT_TRUE(machine.run(machine.broker->create_stream({"s", 1, false, {}})).ok());
  machine.world.run_for(15'000'000);  // of the 20 ms that it is CREATING
  ASSERT_TRUE(machine.run(machine.broker->delete_stream("s", true)).ok());
  machine.world.run_for(15'000'000);
  ASSERT_NE(machine.stream(), nullptr);
  EXPECT_EQ(machine.stream()->status, StreamStatus::kDeleting);
  EXPECT_TRUE(machine.world.run_until([&] { return machine.stream() == nullptr; }));
}

TEST(Broker, AConsumerThatIsDeregisteredWhileItIsCreatedIsDeletingForItsTime) {
  Machine machine{1};
  ASSERT_TRUE(machine.boot().ok());
  machine.create(1);
  ASSERT_TRUE(machine.run(machine.broker->register_consumer({"s", "c", {}})).ok());
  machine.world.run_for(15'000'000);
  const std::uint64_t id = machine.stream()->find_consumer("c")->id;
  ASSERT_TRUE(machine.run(machine.broker->deregister_consumer("s", id)).ok());
  machine.world.run_for(15'000'000);
  ASSERT_NE(machine.stream()->find_consumer("c"), nullptr);
  EXPECT_EQ(machine.stream()->find_consumer("c")->status, ConsumerStatus::kDeleting);
  EXPECT_TRUE(machine.world.run_until([&] { return machine.stream()->find_consumer("c") == nullptr; }));
}

TEST(Broker, AClosedShardGoesWithItsLastRecord) {
  Machine machine{1};
  ASSERT_TRUE(machine.boot().ok());
  machine.create(1);
  ASSERT_TRUE(machine.run(machine.broker->update_shard_count("s", 2)).ok());
  ASSERT_TRUE(machine.settles(StreamStatus::kActive));
  machine.world.spend(23 * 3'600'000 * kNsPerMs);
  machine.world.run_for(61'000'000'000);
  ASSERT_EQ(machine.stream()->shards.size(), 3u);
  machine.world.spend(3'600'000 * kNsPerMs);
  machine.world.run_for(61'000'000'000);
  EXPECT_EQ(machine.stream()->shards.size(), 2u);
  EXPECT_EQ(machine.stream()->find(0), nullptr);
}

TEST(Broker, AShardThatExpiredBeforeRetentionRoseStaysGoneOverACrash) {
  Machine machine{1};
  ASSERT_TRUE(machine.boot().ok());
  machine.create(1);
  ASSERT_TRUE(machine.run(machine.broker->update_shard_count("s", 2)).ok());
  ASSERT_TRUE(machine.settles(StreamStatus::kActive));
  ASSERT_EQ(machine.stream()->shards.size(), 3u);
  machine.world.spend(25 * 3'600'000 * kNsPerMs);
  ASSERT_TRUE(machine.run(machine.broker->set_retention("s", 100)).ok());
  for (int start = 0; start < 2; ++start) {
    EXPECT_EQ(machine.stream()->shards.size(), 2u) << "start " << start;
    EXPECT_EQ(machine.stream()->find(0), nullptr);
    machine.crash_and_boot(sim::Crash::kPowerLoss);
  }
}

TEST(Broker, WhatMakesTheStreamsMoreIsRefusedWhereThereIsNoMemory) {
  Machine machine{1};
  machine.memory_bytes_max = 30'000;
  ASSERT_TRUE(machine.boot().ok());
  machine.create(2);
  const std::uint64_t plain = machine.memory->used();
  const auto tag = [&](int number) {
    return machine.run(machine.broker->add_tags("s", std::nullopt,
                                                {{fmt::format("tag{}", number), std::string(1'000, 'v')}}));
  };
  int tags = 0;
  while (tag(tags).ok()) ++tags;
  EXPECT_EQ(tag(tags).error().kind, ErrorKind::kLimit);
  EXPECT_GT(tags, 15);
  EXPECT_LT(tags, 30);
  EXPECT_LE(machine.memory->used(), machine.memory_bytes_max);
  EXPECT_EQ(machine.run(machine.broker->create_stream({"t", 2, false, {}})).error().kind, ErrorKind::kLimit);
  for (int i = 0; i < tags; ++i)
    ASSERT_TRUE(machine.run(machine.broker->remove_tags("s", std::nullopt, {fmt::format("tag{}", i)})).ok());
  EXPECT_EQ(machine.memory->used(), plain);
  EXPECT_TRUE(machine.run(machine.broker->create_stream({"t", 2, false, {}})).ok());
}

// Beside the snapshots that they make due.
TEST(Broker, ACrashAnywhereUnderManyCommandsLosesNoneThatWasAcknowledged) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    Machine machine{seed};
    ASSERT_TRUE(machine.boot().ok());
    machine.create(1);
    std::int64_t acknowledged = 0;
    const auto tag = [&](std::int64_t number) {
      return machine.run(machine.broker->add_tags("s", std::nullopt, {{"n", fmt::format("{}", number)}}));
    };
    for (; acknowledged < 250; ++acknowledged) ASSERT_TRUE(tag(acknowledged + 1).ok());
    machine.disk.crash_at_operation(machine.disk.operations() + 1 + seed * 17, sim::Crash::kPowerLoss);
    while (acknowledged < 400 && tag(acknowledged + 1).ok()) ++acknowledged;
    machine.crash_and_boot(sim::Crash::kPowerLoss);
    const std::int64_t found = std::stoll(machine.stream()->tags.at("n"));
    EXPECT_GE(found, acknowledged) << "seed " << seed;
    EXPECT_LE(found, acknowledged + 1) << "seed " << seed;
  }
}

TEST(Broker, WhatIsPutIsReadInOrderAndSurvivesAKill) {
  Machine machine{2};
  ASSERT_TRUE(machine.boot().ok());
  machine.create(3);
  History history;
  start_producers(machine, history, "a", 40);
  ASSERT_TRUE(machine.world.run_until([&] { return history.producing == 0; }));
  EXPECT_GT(history.acknowledged, 300u);
  expect_history(machine, history);
  machine.crash_and_boot(sim::Crash::kProcessKilled);
  expect_history(machine, history);
}

TEST(Broker, ReshardsUnderPutsLoseNothingAndKeepTheOrderOfAKey) {
  std::size_t reshards = 0;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Machine machine{seed};
    ASSERT_TRUE(machine.boot().ok());
    machine.create(2);
    History history;
    start_producers(machine, history, "a", 60);
    for (int i = 0; i < 5; ++i) {
      if (reshard_somehow(machine)) ++reshards;
      ASSERT_TRUE(machine.settles(StreamStatus::kActive));
    }
    ASSERT_TRUE(machine.world.run_until([&] { return history.producing == 0; }));
    for (const auto& [key, records] : history.keys)
      for (const auto& record : records) ASSERT_TRUE(record.acknowledged) << "nothing failed here";
    expect_history(machine, history);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(reshards, 80u);
}

TEST(Broker, ACrashAnywhereUnderPutsAndReshardsLosesNothingAcknowledged) {
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Machine machine{seed};
    const auto kind = seed % 2 == 0 ? sim::Crash::kPowerLoss : sim::Crash::kProcessKilled;
    ASSERT_TRUE(machine.boot().ok());
    machine.create(2);
    History history;
    for (int generation = 0; generation < 3; ++generation) {
      machine.disk.crash_at_operation(machine.disk.operations() + 1 + machine.dice.next_u64() % 120, kind);
      start_producers(machine, history, std::string(1, static_cast<char>('a' + generation)), 40);
      for (int i = 0; i < 4 && !machine.disk.crashed(); ++i) {
        machine.world.run_for(static_cast<std::int64_t>(machine.dice.next_u64() % 30) * kNsPerMs);
        if (!machine.disk.crashed() && machine.stream()->status == StreamStatus::kActive)
          reshard_somehow(machine);
      }
      machine.world.run_until([&] { return machine.disk.crashed() || history.producing == 0; });
      machine.crash_and_boot(kind);
      if (HasFatalFailure()) return;
      history.producing = 0;
      ASSERT_TRUE(machine.settles(StreamStatus::kActive)) << "what the crash cut short is finished";
      expect_history(machine, history);
      if (HasFatalFailure()) return;
    }
  }
}

// No file can be opened for some seconds, or folders cannot be synced, again and again; power is lost in the
// middle of some. Nothing is acknowledged that a power loss takes back, and afterwards commands work without
// a restart.
TEST(Broker, WithoutDescriptorsNothingIsAcknowledgedThatIsNotDurableAndThenAllGoesOn) {
  std::size_t refused = 0;
  std::size_t doubts = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Machine machine{seed};
    ASSERT_TRUE(machine.boot().ok());
    machine.create(2);
    History history;
    std::map<std::string, std::string> tags;
    start_producers(machine, history, "a", 300);
    for (int round = 0; round < 4; ++round) {
      if (seed % 2 == 0)
        machine.disk.set_faults({.folder_syncs = 1});
      else
        machine.disk.use_up_open_files(true);
      for (int i = 0; i < 4; ++i) {
        if (machine.stream()->status == StreamStatus::kActive) reshard_somehow(machine);
        const std::string name = fmt::format("tag-{}-{}", round, i);
        const auto tagged = machine.run(machine.broker->add_tags("s", std::nullopt, {{name, "1"}}));
        if (tagged.ok()) tags[name] = "1";
        if (!tagged.ok()) ++refused;
        if (!tagged.ok() && tagged.error().kind == ErrorKind::kUnknown) ++doubts;
        machine.world.run_for(static_cast<std::int64_t>(machine.dice.next_u64() % 100) * kNsPerMs);
      }
      machine.disk.set_faults({});
      machine.disk.use_up_open_files(false);
      if (seed % 3 == 0 && round == 2) {  // before anything in doubt could be made durable
        machine.crash_and_boot(sim::Crash::kPowerLoss);
        history.producing = 0;
      }
      ASSERT_TRUE(machine.settles(StreamStatus::kActive)) << "what was begun is finished without a restart";
      bool taken = false;
      for (int i = 0; i < 20 && !taken; ++i) {
        taken = machine.run(machine.broker->add_tags("s", std::nullopt, {{"z", "1"}})).ok();
        machine.world.run_for(100 * kNsPerMs);
      }
      ASSERT_TRUE(taken) << "commands are taken again";
    }
    machine.world.run_until([&] { return history.producing == 0; });
    expect_history(machine, history);
    if (HasFatalFailure()) return;
    machine.crash_and_boot(sim::Crash::kPowerLoss);
    ASSERT_TRUE(machine.settles(StreamStatus::kActive));
    expect_history(machine, history);
    for (const auto& [name, value] : tags) ASSERT_TRUE(machine.stream()->tags.contains(name)) << name;
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(refused, 100u);
  EXPECT_GT(doubts, 5u);
}

}  // namespace
}  // namespace millrace::broker
