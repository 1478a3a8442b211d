// fuzz/log_folder.h: small data folders of a log as real code leaves them, and a machine that starts on one.
// Every record says which one it is: record `offset` of shard `shard` is AttemptedRecord({shard, offset}).
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "log/attempted_records.h"
#include "log/log.h"
#include "sim/sim_disk.h"
#include "sim/sim_world.h"

namespace millrace::log {

using Files = std::map<std::string, std::string>;  // content by path

inline AttemptedRecord record_at(std::uint64_t shard, std::uint64_t offset) {
  return AttemptedRecord({static_cast<std::uint32_t>(shard), static_cast<std::uint32_t>(offset)});
}

// One process after the other on one disk.
class Machine {
 public:
  Machine(std::size_t loops, std::uint64_t shards) : world(sim::Seed{11}), disk(sim::Seed{12}, &world) {
    for (std::size_t i = 0; i < loops; ++i) world.add_loop();
    loops_ = loops;
    shards_ = shards;
    options.journal_file_bytes = 16u << 10;
    options.settle_at_bytes = 1u << 30;
    options.settle_after_ms = 1'000'000'000;
    options.tail_cache_bytes = 4'096;
    options.block_cache_bytes = 16u << 10;
    options.group_bytes_max = 8'192;
  }
  ~Machine() { drop(); }
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  void put(const Files& files) {
    for (const auto& [path, content] : files) {
      MR_ASSERT(disk.make_folder(sim::NameSpace::folder_of(path)).ok());
      auto file = disk.open(path, store::Disk::Mode::kCreate);
      MR_ASSERT(file.ok());
      const ByteView piece = as_bytes(content);
      MR_ASSERT((*file)->write_at(0, {&piece, 1}).ok());
      MR_ASSERT((*file)->sync().ok());
    }
  }
  Files files() const {
    Files found;
    for (const std::string& path : disk.paths()) found[path] = std::string(disk.file_bytes(path).text());
    return found;
  }

  Result<void> start() {
    LogEnvironment environment{disk, world.folder_clock(), world.random(), {}, {}, {}, {}};
    for (std::size_t i = 0; i < loops_; ++i) environment.loops.push_back(&world.loop(i));
    environment.start_worker = [this](const std::string& name, int) { return world.start_worker(name); };
    environment.warn = [this](const std::string& line) { warnings.push_back(line); };
    environment.wait_until = [this](const std::function<bool()>& done) { MR_ASSERT(world.run_until(done)); };
    std::vector<ShardOptions> shards;
    for (std::uint64_t shard = 1; shard <= shards_; ++shard)
      shards.push_back({ShardKey{shard}, retention_ms});
    auto opened = Log::open(std::move(environment), options, std::move(shards));
    if (!opened.ok()) {
      world.drop_events();
      return std::move(opened).error();
    }
    log = std::move(opened).value();
    return {};
  }
  Result<void> stop() {
    auto closed = log->close();
    drop();
    return closed;
  }
  void drop() {
    world.drop_events();
    log.reset();
    world.drop_events();
  }

  // Appends the shard's next `count` records as one group.
  RunStatus append(std::uint64_t shard, std::uint32_t count) {
    const std::uint64_t from = extent(shard).end_offset;
    BatchBuilder builder(1'024);
    builder.begin_run(ShardKey{shard});
    for (std::uint32_t i = 0; i < count; ++i) builder.add(record_at(shard, from + i).view());
    std::optional<RunStatus> status;
    const std::size_t loop = loop_of(ShardKey{shard}, loops_);
    world.on(world.loop(loop), [&] {
      log->append(loop, builder.finish(),
                  [&](const std::shared_ptr<const Batch>& done) { status = done->runs.front().status; });
    });
    MR_ASSERT(world.run_until([&] { return status.has_value(); }));
    return *status;
  }
  Result<ReadBatch> read(std::uint64_t shard, std::uint64_t from) {
    auto answer = world.await(loop(shard), log->read(ShardKey{shard}, from, {}));
    MR_ASSERT(answer.has_value());
    return std::move(*answer);
  }
  Result<std::uint64_t> offset_at_time(std::uint64_t shard, std::int64_t time_ms) {
    auto answer = world.await(loop(shard), log->offset_at_time(ShardKey{shard}, time_ms));
    MR_ASSERT(answer.has_value());
    return *answer;
  }
  Extent extent(std::uint64_t shard) {
    std::optional<Result<Extent>> answer;
    world.on(loop(shard), [&] { answer.emplace(log->extent(ShardKey{shard})); });
    MR_ASSERT((*answer).ok());
    return **answer;
  }

  sim::SimWorld world;
  sim::SimDisk disk;
  LogOptions options;
  std::int64_t retention_ms = kRetentionUnlimited;
  std::vector<std::string> warnings;
  std::unique_ptr<Log> log;

 private:
  sim::SimLoop& loop(std::uint64_t shard) { return world.loop(loop_of(ShardKey{shard}, loops_)); }

  std::size_t loops_;
  std::uint64_t shards_;
};

// What a process left, and what it served when it stopped.
struct Folder {
  std::string name;
  std::size_t loops;
  std::uint64_t shards;  // keys 1 to this
  Files files;
  std::map<std::uint64_t, Extent> extents;  // by shard
};

enum class End : std::uint8_t { kKilled, kCleanStop };

inline Folder take_folder(std::string name, Machine& machine, std::size_t loops, std::uint64_t shards,
                          End end) {
  Folder folder{std::move(name), loops, shards, {}, {}};
  for (std::uint64_t shard = 1; shard <= shards; ++shard) folder.extents[shard] = machine.extent(shard);
  if (end == End::kCleanStop) MR_ASSERT(machine.stop().ok());
  folder.files = machine.files();
  return folder;
}

inline std::size_t count_files(const Folder& folder, std::string_view name_end) {
  std::size_t count = 0;
  for (const auto& [path, content] : folder.files) count += path.ends_with(name_end) ? 1 : 0;
  return count;
}

inline Folder journal_folder_left(End end) {
  Machine machine(1, 2);
  machine.options.journal_file_bytes = 32u << 10;
  MR_ASSERT(machine.start().ok());
  for (std::uint32_t i = 0; i < 6; ++i)
    MR_ASSERT(machine.append(1 + i % 2, 1 + i % 3) == RunStatus::kDurable);
  return take_folder(end == End::kKilled ? "killed" : "stopped", machine, 1, 2, end);
}

// Rounds of appends that settle, each into a segment of its own; then some that wait in recycled journals.
inline Folder settled_folder_left(std::string name, std::uint32_t rounds, std::int64_t retention_ms,
                                  End end) {
  Machine machine(2, 4);
  machine.options.settle_after_ms = 10;
  machine.retention_ms = retention_ms;
  MR_ASSERT(machine.start().ok());
  for (std::uint32_t round = 0; round < rounds; ++round) {
    for (std::uint64_t shard = 1; shard <= 4; ++shard)
      MR_ASSERT(machine.append(shard, 1 + round % 3) == RunStatus::kDurable);
    machine.world.run_for(500'000'000);
  }
  machine.world.run_for(30'000'000'000);
  for (std::uint64_t shard = 1; shard <= 3; ++shard)
    MR_ASSERT(machine.append(shard, 2) == RunStatus::kDurable);
  return take_folder(std::move(name), machine, 2, 4, end);
}

// A file whose last group did not reach the disk, and one that says so.
inline Folder failed_sync_folder_left() {
  Machine machine(1, 2);
  MR_ASSERT(machine.start().ok());
  MR_ASSERT(machine.append(1, 2) == RunStatus::kDurable);
  machine.world.run_for(5'000'000'000);  // until the background has synced what is its own
  machine.disk.fail_next(sim::Operation::kSync);
  MR_ASSERT(machine.append(2, 1) == RunStatus::kUnknown);
  machine.world.run_for(1'000'000'000);
  for (std::uint32_t i = 0; i < 3; ++i) MR_ASSERT(machine.append(1 + i % 2, 2) == RunStatus::kDurable);
  return take_folder("failed sync", machine, 1, 2, End::kKilled);
}

inline const std::vector<Folder>& log_folders() {
  static const std::vector<Folder> folders = [] {
    std::vector<Folder> made;
    made.push_back(journal_folder_left(End::kKilled));
    made.push_back(journal_folder_left(End::kCleanStop));
    made.push_back(settled_folder_left("settled", 3, kRetentionUnlimited, End::kKilled));
    made.push_back(settled_folder_left("joined", 10, kRetentionUnlimited, End::kCleanStop));
    made.push_back(settled_folder_left("expired", 6, 2'000, End::kKilled));
    made.push_back(failed_sync_folder_left());
    MR_ASSERT(count_files(made[2], ".mrs") >= 3);
    MR_ASSERT(count_files(made[3], ".mrs") < 10);  // joined
    MR_ASSERT(made[4].extents.at(1).first_offset > 0);
    return made;
  }();
  return folders;
}

}  // namespace millrace::log
