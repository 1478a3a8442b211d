#include "log/log.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "log/clock_keeper.h"
#include "log/compaction.h"
#include "log/loop_log.h"
#include "log/recovery.h"
#include "log/retention.h"
#include "log/scrub.h"

namespace millrace::log {

namespace {

constexpr std::size_t kReaders = 2;
constexpr int kBackgroundNice = 19;

class DiskLog final : public Log {
 public:
  explicit DiskLog(Recovered recovered) : context_(std::move(recovered.context)) {
    const auto& start_worker = context_->environment.start_worker;
    settle_worker_ = start_worker("log-settle", kBackgroundNice);
    files_worker_ = start_worker("log-files", 0);
    for (std::size_t i = 0; i < kReaders; ++i)
      read_workers_.push_back(start_worker(fmt::format("log-read-{}", i), 0));
    std::vector<Worker*> readers;
    readers.reserve(read_workers_.size());
    for (const auto& worker : read_workers_) readers.push_back(worker.get());
    for (std::size_t i = 0; i < recovered.loops.size(); ++i) {
      journal_workers_.push_back(start_worker(fmt::format("log-journal-{}", i), 0));
      loops_.push_back(std::make_shared<LoopLog>(
          std::move(recovered.loops[i]),
          LoopWorkers{*journal_workers_[i], *files_worker_, *settle_worker_, readers}));
    }
    std::vector<std::shared_ptr<LoopState>> states;
    states.reserve(loops_.size());
    for (const auto& loop : loops_) states.push_back(loop->state());
    compact_worker_ = start_worker("log-compact", kBackgroundNice);
    compaction_ = std::make_shared<Compaction>(context_, std::move(states), *compact_worker_,
                                               std::move(recovered.segments));
    scrub_worker_ = start_worker("log-scrub", kBackgroundNice);
    scrub_ = std::make_shared<Scrub>(context_, compaction_, *scrub_worker_);
    for (const auto& loop : loops_) {
      loop->settler().when_made([compaction = compaction_](std::shared_ptr<Segment> segment) {
        compaction->add(std::move(segment));
      });
      const bool scrubs = loop == loops_.front();
      loop->start([compaction = compaction_, scrub = scrubs ? scrub_ : nullptr] {
        compaction->tick();
        if (scrub != nullptr) scrub->tick();
      });
    }
    clock_keeper_ = std::make_shared<ClockKeeper>(context_, loops_.front()->state()->loop, *files_worker_);
    clock_keeper_->start();
    context_->pace.turn(true);
  }

  Result<void> close() override {
    struct Closing {
      std::mutex mutex;
      std::condition_variable ended;
      std::size_t left;
      std::string fault;
    };
    compaction_->stop();
    scrub_->stop();
    clock_keeper_->stop();
    context_->pace.turn(false);
    auto closing = std::make_shared<Closing>();
    closing->left = loops_.size();
    for (const auto& loop : loops_) {
      loop->state()->loop.post([loop, closing] {
        loop->stop([closing](Result<void> stopped) {
          const std::lock_guard lock(closing->mutex);
          if (!stopped.ok()) closing->fault = std::move(stopped.error().text);
          --closing->left;
          closing->ended.notify_all();
        });
      });
    }
    const auto ended = [closing] { return closing->left == 0; };
    if (context_->environment.wait_until) {
      context_->environment.wait_until([closing, ended] {
        const std::lock_guard lock(closing->mutex);
        return ended();
      });
    } else {
      std::unique_lock lock(closing->mutex);
      closing->ended.wait(lock, ended);
    }
    context_->pace.end();
    clock_keeper_->keep_last_mark();
    if (!closing->fault.empty())
      return Error{ErrorKind::kUnknown, "the log's clean-stop mark: " + closing->fault};
    return {};
  }

  void open_shard(const ShardOptions& options) override {
    LoopState& state = *loop_of_shard(options.shard).state();
    MR_ASSERT(state.loop.is_current());
    if (Shard* shard = state.shards.find(options.shard); shard != nullptr)
      shard->rest->retention_ms = options.retention_ms;
    else
      state.shards.open(options);
  }
  void remove_shard(ShardKey shard) override { loop_of_shard(shard).commit().remove_shard(shard); }

  void append(std::size_t loop_index, std::unique_ptr<Batch> batch,
              Function<void(std::shared_ptr<const Batch>)> done) override {
    loops_[loop_index]->commit().append(std::move(batch), std::move(done));
  }
  Task<Result<std::uint64_t>> seal(ShardKey shard) override {
    return seal_on(loops_[index_of(shard)], shard);
  }
  void unseal(ShardKey shard) override {
    if (Shard* found = loop_of_shard(shard).state()->shards.find(shard); found != nullptr)
      found->sealed = false;
  }

  Task<Result<ReadBatch>> read(ShardKey shard, std::uint64_t from, ReadLimits limits) override {
    return Reader::read(loop_of_shard(shard).reader(), shard, from, limits);
  }
  Task<Result<std::uint64_t>> offset_at_time(ShardKey shard, std::int64_t time_ms) override {
    return Reader::offset_at_time(loop_of_shard(shard).reader(), shard, time_ms);
  }
  Result<Extent> extent(ShardKey shard) override { return loop_of_shard(shard).reader()->extent(shard); }
  Result<ShardAges> ages(ShardKey shard) const override { return loop_of_shard(shard).reader()->ages(shard); }
  std::optional<std::int64_t> arrival_near(ShardKey shard, std::uint64_t offset) const override {
    return loop_of_shard(shard).reader()->arrival_near(shard, offset);
  }
  void when_past(ShardKey shard, std::uint64_t offset, Callback callback) override {
    loop_of_shard(shard).commit().when_past(shard, offset, std::move(callback));
  }

  void when_damaged(std::function<void(const DamagedBlock&)> tell) override {
    context_->damage.when_found(std::move(tell));
  }

  Task<Result<Checkpoint>> checkpoint() override { return checkpoint_of(context_, loops_); }

  Stats stats() const override {
    const auto value = [](const std::atomic<std::uint64_t>& counter) {
      return counter.load(std::memory_order_relaxed);
    };
    const Counters& counters = context_->counters;
    Stats stats{value(counters.appended_records),
                value(counters.appended_bytes),
                value(counters.groups),
                value(counters.group_bytes),
                value(counters.settled_bytes),
                value(counters.segment_bytes),
                value(counters.segments),
                0,
                0,
                value(counters.cold_reads),
                context_->damage.damaged(),
                context_->damage.lost(),
                value(counters.scrubbed_bytes),
                counters.scrub_finished_ms.load(std::memory_order_relaxed),
                value(counters.orphaned_files),
                value(counters.orphaned_bytes)};
    stats.scrub_pass_bytes = value(counters.scrub_pass_bytes);
    stats.scrub_pass_began_ms = counters.scrub_pass_began_ms.load(std::memory_order_relaxed);
    for (const auto& loop : loops_) {
      stats.journal_bytes += loop->journal_bytes();
      stats.tail_bytes += loop->tail_bytes();
      stats.unsettled_bytes += loop->unsettled_bytes();
      loop->commits().add_to(stats.commits);
      loop->syncs().add_to(stats.syncs);
    }
    stats.clock = context_->environment.clock.stats();
    return stats;
  }

 private:
  static Task<Result<std::uint64_t>> seal_on(std::shared_ptr<LoopLog> loop, ShardKey shard) {
    auto end = co_await eventually<Result<std::uint64_t>>([&](auto done) {
      loop->commit().seal(shard, [done](Result<std::uint64_t> at) mutable { done(std::move(at)); });
    });
    co_return end;
  }
  static Task<Result<Checkpoint>> checkpoint_of(std::shared_ptr<LogContext> context,
                                                std::vector<std::shared_ptr<LoopLog>> loops) {
    const auto here = std::find_if(loops.begin(), loops.end(),
                                   [](const auto& loop) { return loop->state()->loop.is_current(); });
    MR_ASSERT(here != loops.end());
    Loop& home = (*here)->state()->loop;
    for (const auto& loop : loops) {
      co_await switch_to(loop->state()->loop);
      auto settled = co_await eventually<Result<void>>([&](auto done) {
        loop->settler().settle_now([done](Result<void> outcome) mutable { done(std::move(outcome)); });
      });
      if (settled.ok()) continue;
      co_await switch_to(home);
      co_return std::move(settled).error();
    }
    co_await switch_to(home);
    Checkpoint made;
    ++context->removals_held;
    made.hold =
        std::shared_ptr<const void>(context.get(), [context](const void*) { --context->removals_held; });
    made.manifest = encode_manifest(context->manifest->current(), 1);
    co_return made;
  }
  std::size_t index_of(ShardKey shard) const { return loop_of(shard, loops_.size()); }
  LoopLog& loop_of_shard(ShardKey shard) const { return *loops_[index_of(shard)]; }

  std::shared_ptr<LogContext> context_;
  std::vector<std::shared_ptr<LoopLog>> loops_;
  std::shared_ptr<Compaction> compaction_;
  std::shared_ptr<Scrub> scrub_;
  std::shared_ptr<ClockKeeper> clock_keeper_;
  // Destroyed first, which ends what they still do.
  std::unique_ptr<Worker> scrub_worker_;
  std::unique_ptr<Worker> compact_worker_;
  std::unique_ptr<Worker> settle_worker_;
  std::unique_ptr<Worker> files_worker_;
  std::vector<std::unique_ptr<Worker>> read_workers_;
  std::vector<std::unique_ptr<Worker>> journal_workers_;
};

class StoppedDiskLog final : public StoppedLog {
 public:
  explicit StoppedDiskLog(std::unique_ptr<Recovery> recovery) : recovery_(std::move(recovery)) {}

  const std::vector<JournalGroups>& journals() const override { return recovery_->journals(); }
  Result<std::unique_ptr<Log>> start(RunDecryptor* decryptor) override {
    MR_ASSIGN(auto recovered, recovery_->finish(decryptor));
    return std::unique_ptr<Log>(std::make_unique<DiskLog>(std::move(recovered)));
  }

 private:
  std::unique_ptr<Recovery> recovery_;
};

}  // namespace

Result<std::unique_ptr<StoppedLog>> Log::read(LogEnvironment environment, LogOptions options,
                                              std::vector<ShardOptions> shards) {
  MR_ASSERT(!environment.loops.empty() && environment.loops.size() <= 256);
  MR_ASSERT(options.journal_file_bytes % kBlockBytes == 0);
  MR_ASSIGN(auto recovery, Recovery::read(std::move(environment), options, std::move(shards)));
  return std::unique_ptr<StoppedLog>(std::make_unique<StoppedDiskLog>(std::move(recovery)));
}

Result<std::unique_ptr<Log>> Log::open(LogEnvironment environment, LogOptions options,
                                       std::vector<ShardOptions> shards) {
  RunDecryptor* const decryptor = environment.decryptor;
  MR_ASSIGN(auto stopped, read(std::move(environment), options, std::move(shards)));
  return stopped->start(decryptor);
}

}  // namespace millrace::log
