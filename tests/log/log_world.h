// A log on a simulated machine, and what tests do with it.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "log/log.h"
#include "sim/sim_disk.h"
#include "sim/sim_world.h"

namespace millrace::log::testing {

inline LogOptions small_options() {
  LogOptions options;
  options.journal_file_bytes = 256u << 10;
  options.unsettled_bytes_max = 1u << 20;
  options.settle_at_bytes = 1u << 30;  // only where a test asks for it
  options.settle_after_ms = 1'000'000'000;
  options.tail_cache_bytes = 1u << 30;
  options.block_cache_bytes = 1u << 20;
  options.freed_at_once_bytes = 512;
  options.group_bytes_max = 64u << 10;
  return options;
}

class LogWorld {
 public:
  explicit LogWorld(std::size_t loops = 1, std::uint64_t seed = 7)
      : world(sim::Seed{seed}), disk(sim::Seed{seed + 1}, &world) {
    for (std::size_t i = 0; i < loops; ++i) world.add_loop();
    loops_used = loops;
    options = small_options();
  }
  ~LogWorld() { drop(); }

  LogEnvironment environment() {
    LogEnvironment made{disk, world.folder_clock(), world.random(), {}, {}, {}, {}};
    for (std::size_t i = 0; i < loops_used; ++i) made.loops.push_back(&world.loop(i));
    made.start_worker = [this](const std::string& name, int) { return world.start_worker(name); };
    made.warn = [this](const std::string& line) { warnings.push_back(line); };
    made.decryptor = decryptor;
    made.wait_until = [this](const std::function<bool()>& done) {
      EXPECT_TRUE(world.run_until([&] { return done(); }));
    };
    return made;
  }

  void add_shards(std::uint64_t n, std::int64_t retention_ms = kRetentionUnlimited) {
    for (std::uint64_t i = 0; i < n; ++i) shards.push_back({ShardKey{shards.size() + 1}, retention_ms});
  }
  Result<void> try_open() {
    auto opened = Log::open(environment(), options, shards);
    if (!opened.ok()) return std::move(opened).error();
    log = std::move(opened).value();
    return {};
  }
  void open() {
    auto opened = try_open();
    ASSERT_TRUE(opened.ok()) << opened.error().text;
  }
  // The error of a start that must fail.
  Error open_error() {
    auto opened = try_open();
    if (!opened.ok()) return opened.error();
    drop();
    return {ErrorKind::kNotFound, "it started"};
  }
  void close() {
    auto closed = log->close();
    EXPECT_TRUE(closed.ok()) << closed.error().text;
    log.reset();
    world.drop_events();
  }
  void drop() {
    world.drop_events();
    log.reset();
    world.drop_events();
  }
  void kill(sim::Crash kind = sim::Crash::kProcessKilled) {
    disk.crash(kind);
    drop();
    disk.restart();
  }

  sim::SimLoop& loop_of_shard(ShardKey shard) { return world.loop(loop_of(shard, loops_used)); }

  // Appends one batch and does not wait; the answer comes into the returned place.
  using Answer = std::shared_ptr<std::shared_ptr<const Batch>>;
  Answer start_append(const std::vector<std::pair<std::uint64_t, std::string>>& records) {
    auto answer = std::make_shared<std::shared_ptr<const Batch>>();
    BatchBuilder builder(1'024);
    for (const auto& [shard, value] : records) {
      builder.begin_run(ShardKey{shard});
      builder.add({.key = as_bytes("key"), .value = as_bytes(value)});
    }
    const std::size_t index = loop_of(ShardKey{records.front().first}, loops_used);
    world.on(world.loop(index), [&, batch = builder.finish()]() mutable {
      log->append(index, std::move(batch),
                  [answer](std::shared_ptr<const Batch> done) { *answer = std::move(done); });
    });
    return answer;
  }
  std::shared_ptr<const Batch> append_batch(std::unique_ptr<Batch> batch) {
    Answer answer = std::make_shared<std::shared_ptr<const Batch>>();
    const std::size_t index = loop_of(batch->runs.front().shard, loops_used);
    world.on(world.loop(index), [&]() mutable {
      log->append(index, std::move(batch),
                  [answer](std::shared_ptr<const Batch> done) { *answer = std::move(done); });
    });
    EXPECT_TRUE(world.run_until([&] { return *answer != nullptr; })) << "an append was never answered";
    return *answer;
  }
  std::shared_ptr<const Batch> append(const std::vector<std::pair<std::uint64_t, std::string>>& records) {
    const Answer answer = start_append(records);
    EXPECT_TRUE(world.run_until([&] { return *answer != nullptr; })) << "an append was never answered";
    return *answer;
  }
  RunStatus append_one(std::uint64_t shard, const std::string& value) {
    return append({{shard, value}})->runs.front().status;
  }
  // n records "PREFIX-0" … of one shard, each in a group of its own.
  void append_many(std::uint64_t shard, const std::string& prefix, int n, std::size_t padding = 0) {
    for (int i = 0; i < n; ++i)
      ASSERT_EQ(append_one(shard, fmt::format("{}-{}{}", prefix, i, std::string(padding, '.'))),
                RunStatus::kDurable);
  }

  Result<ReadBatch> read(std::uint64_t shard, std::uint64_t from, ReadLimits limits = {}) {
    sim::SimLoop& loop = loop_of_shard(ShardKey{shard});
    std::optional<Result<ReadBatch>> answer;
    world.on(loop, [&] {
      spawn(log->read(ShardKey{shard}, from, limits),
            [&](Result<ReadBatch> read) { answer.emplace(std::move(read)); });
    });
    EXPECT_TRUE(world.run_until([&] { return answer.has_value(); }));
    return std::move(*answer);
  }
  // All values of a shard from `from` on, without the padding.
  std::vector<std::string> values(std::uint64_t shard, std::uint64_t from = 0, ReadLimits limits = {}) {
    std::vector<std::string> all;
    for (;;) {
      auto batch = read(shard, from, limits);
      EXPECT_TRUE(batch.ok()) << batch.error().text;
      if (!batch.ok() || batch->records.empty()) return all;
      for (const RecordView& record : batch->records) {
        std::string value(as_text(record.value));
        all.push_back(value.substr(0, value.find('.')));
      }
      from = batch->next_offset;
    }
  }
  Extent extent(std::uint64_t shard) {
    std::optional<Result<Extent>> answer;
    world.on(loop_of_shard(ShardKey{shard}), [&] { answer.emplace(log->extent(ShardKey{shard})); });
    EXPECT_TRUE((*answer).ok());
    return **answer;
  }
  std::uint64_t offset_at(std::uint64_t shard, std::int64_t time_ms) {
    auto found = world.await(loop_of_shard(ShardKey{shard}), log->offset_at_time(ShardKey{shard}, time_ms));
    EXPECT_TRUE(found.has_value() && found->ok());
    return **found;
  }
  // Runs until all that waits is in segments.
  void settle() { world.run_for(std::int64_t{options.settle_after_ms} * 1'000'000 + 3'000'000'000); }

  void run_for_minutes(std::int64_t minutes) { world.run_for(minutes * 60 * kNsPerS); }

  std::string newest_journal_path() const {
    for (const std::string& path : disk.paths())
      if (path.ends_with(".mrj")) return path;
    return {};
  }
  std::vector<std::string> paths_ending(std::string_view end) const {
    std::vector<std::string> found;
    for (const std::string& path : disk.paths())
      if (path.ends_with(end)) found.push_back(path);
    return found;
  }

  sim::SimWorld world;
  sim::SimDisk disk;
  std::size_t loops_used;
  LogOptions options;
  std::vector<ShardOptions> shards;
  std::unique_ptr<Log> log;
  std::vector<std::string> warnings;
  RunDecryptor* decryptor = nullptr;
};

inline std::vector<std::string> numbered(const std::string& prefix, int n) {
  std::vector<std::string> made;
  for (int i = 0; i < n; ++i) made.push_back(fmt::format("{}-{}", prefix, i));
  return made;
}

}  // namespace millrace::log::testing
