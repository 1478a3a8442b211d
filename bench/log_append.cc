// Drives Log::append on a real disk: batches of 500 records of 150 bytes over some shards, a few batches in
// flight. bench_log_append DIR [seconds]
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "log/log.h"
#include "store/posix_disk.h"

namespace {

using namespace millrace;

// A loop of one thread, without sockets.
class BareLoop final : public Loop {
 public:
  explicit BareLoop(std::size_t index) : index_(index), thread_([this] { serve(); }) {}
  ~BareLoop() override {
    post([this] { stopping_ = true; });
    thread_.join();
  }
  void post(Callback callback) override {
    const std::lock_guard lock(mutex_);
    given_.push_back(std::move(callback));
    woken_.notify_one();
  }
  void post_after(std::int64_t delay_ns, Callback callback) override {
    const std::lock_guard lock(mutex_);
    timers_.emplace(system_clock().monotonic_ns() + delay_ns, std::move(callback));
    woken_.notify_one();
  }
  bool is_current() const override { return std::this_thread::get_id() == thread_.get_id(); }
  std::size_t index() const override { return index_; }

 private:
  void serve() {
    std::vector<Callback> taken;
    while (!stopping_) {
      {
        std::unique_lock lock(mutex_);
        for (;;) {
          const std::int64_t now = system_clock().monotonic_ns();
          while (!timers_.empty() && timers_.begin()->first <= now)
            given_.push_back(std::move(timers_.extract(timers_.begin()).mapped()));
          if (!given_.empty()) break;
          if (timers_.empty())
            woken_.wait(lock);
          else
            woken_.wait_for(lock, std::chrono::nanoseconds(timers_.begin()->first - now));
        }
        taken.swap(given_);
      }
      for (Callback& callback : taken) callback();
      taken.clear();
    }
  }

  std::size_t index_;
  std::mutex mutex_;
  std::condition_variable woken_;
  std::vector<Callback> given_;
  std::multimap<std::int64_t, Callback> timers_;
  bool stopping_ = false;
  std::thread thread_;
};

struct Load {
  log::Log* log;
  BareLoop* loop;
  std::uint64_t shards;
  std::uint64_t next = 0;
  std::uint64_t appended = 0;
  std::uint64_t failed = 0;
  int in_flight = 0;
  std::atomic<bool> stop{false};
  std::atomic<bool> ended{false};
  std::vector<std::int64_t> latencies_ns;
  std::string value;
};

void append_one(Load& load) {
  log::BatchBuilder builder(500 * 200, std::min<std::uint64_t>(500, load.shards));
  for (int i = 0; i < 500; ++i) {
    // As hash keys fall: each record into any shard; with one shard, one run.
    load.next = load.next * 6364136223846793005u + 1442695040888963407u;
    builder.begin_run(log::ShardKey{1 + (load.next >> 33) % load.shards});
    builder.add({.key = as_bytes("user-0123456789"), .value = as_bytes(load.value)});
  }
  ++load.in_flight;
  const std::int64_t begin = system_clock().monotonic_ns();
  load.log->append(0, builder.finish(), [&load, begin](std::shared_ptr<const log::Batch> batch) {
    --load.in_flight;
    for (const auto& run : batch->runs)
      (run.status == log::RunStatus::kDurable ? load.appended : load.failed) += run.count;
    load.latencies_ns.push_back(system_clock().monotonic_ns() - begin);
    if (!load.stop)
      load.loop->post([&load] { append_one(load); });
    else if (load.in_flight == 0)
      load.ended = true;
  });
}

int run(const std::string& folder, std::uint64_t shards, double seconds) {
  auto disk = store::open_posix_disk(folder);
  if (!disk.ok()) return fmt::print("{}\n", disk.error().text), 1;
  BareLoop loop(0);
  FolderClock clock(system_clock());
  log::LogEnvironment environment{**disk,
                                  clock,
                                  system_random(),
                                  {&loop},
                                  store::start_thread_worker,
                                  [](const std::string& line) { fmt::print("warning: {}\n", line); },
                                  {}};
  std::vector<log::ShardOptions> options;
  for (std::uint64_t i = 1; i <= shards; ++i) options.push_back({log::ShardKey{i}});
  auto opened = log::Log::open(environment, {}, options);
  if (!opened.ok()) return fmt::print("{}\n", opened.error().text), 1;
  Load load{.log = opened->get(), .loop = &loop, .shards = shards};
  for (int i = 0; i < 150; ++i) load.value.push_back(static_cast<char>('a' + (i * i * 7) % 26));
  const std::int64_t begin = system_clock().monotonic_ns();
  for (int i = 0; i < 8; ++i) loop.post([&load] { append_one(load); });
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  load.stop = true;
  while (!load.ended) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  const double elapsed = static_cast<double>(system_clock().monotonic_ns() - begin) / 1e9;
  const auto stats = (*opened)->stats();
  std::sort(load.latencies_ns.begin(), load.latencies_ns.end());
  const auto at = [&](double share) {
    return static_cast<double>(load.latencies_ns[static_cast<std::size_t>(
               share * static_cast<double>(load.latencies_ns.size() - 1))]) /
           1e6;
  };
  fmt::print(
      "{:>6} shards: {:>9.0f} records/s {:>6.1f} MB/s, {} groups of {:.0f} KB; p50 {:.2f} p99 {:.2f} max "
      "{:.2f} ms; "
      "failed {}; segments {} ({:.0f} MB), journal {:.0f} MB, tail {:.0f} MB\n",
      shards, static_cast<double>(load.appended) / elapsed,
      static_cast<double>(stats.appended_bytes) / elapsed / 1e6, stats.groups,
      static_cast<double>(stats.group_bytes) / static_cast<double>(stats.groups) / 1e3, at(0.5), at(0.99),
      at(1), load.failed, stats.segments, static_cast<double>(stats.segment_bytes) / 1e6,
      static_cast<double>(stats.journal_bytes) / 1e6, static_cast<double>(stats.tail_bytes) / 1e6);
  auto closed = (*opened)->close();
  if (!closed.ok()) fmt::print("{}\n", closed.error().text);
  opened->reset();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return fmt::print("usage: bench_log_append DIR [seconds]\n"), 2;
  const double seconds = argc > 2 ? std::atof(argv[2]) : 3;
  for (const std::uint64_t shards : {1, 100, 10'000})
    if (run(fmt::format("{}/{}", argv[1], shards), shards, seconds) != 0) return 1;
  return 0;
}
