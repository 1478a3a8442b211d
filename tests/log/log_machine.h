// log/log_machine.h: a machine with a few loops and a failing disk that runs a Log, appends to it at random,
// and checks all that it reads back. One seed decides everything.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "log/log.h"
#include "log/machine_keys.h"
#include "log/shard_history.h"
#include "sim/sim_disk.h"
#include "sim/sim_world.h"

namespace millrace::log {

class LogMachine {
 public:
  static constexpr std::size_t kLoopsMax = 3;

  enum class Records : std::uint8_t { kPlain, kSomeEncrypted };
  explicit LogMachine(sim::Seed seed, Records records = Records::kPlain)
      : random_(seed),
        world_(random_.fork()),
        disk_(random_.fork(), &world_),
        encrypts_(records == Records::kSomeEncrypted) {
    for (std::size_t i = 0; i < kLoopsMax; ++i) world_.add_loop();
    options_.journal_file_bytes = 32'768u << random_.below(2);
    options_.settle_at_bytes = 16'384u << random_.below(3);
    options_.unsettled_bytes_max = options_.settle_at_bytes * random_.between(2, 6);
    options_.settle_after_ms = static_cast<std::int64_t>(random_.between(5, 500));
    options_.tail_cache_bytes = 8'192u << random_.below(4);
    options_.block_cache_bytes = 16'384;
    options_.group_bytes_max = 8'192u << random_.below(3);
    for (std::uint64_t i = 0, count = random_.between(2, 6); i < count; ++i) add_shard();
    for (int i = 0; encrypts_ && i < 6; ++i) change_key();
  }
  ~LogMachine() { stop_process(); }

  sim::SeededRandom& random() { return random_; }
  sim::SimWorld& world() { return world_; }
  sim::SimDisk& disk() { return disk_; }
  bool is_running() const { return log_ != nullptr; }
  // The first thing that was wrong; empty when nothing was.
  const std::string& fault() const { return fault_; }
  // While the disk fails on purpose, reads and opens may be refused.
  void expect_errors(bool expected) { errors_expected_ = expected; }
  // Files may rot: what is read may be kCorrupt, but never wrong.
  void expect_corruption(bool expected) { corruption_expected_ = expected; }
  std::uint64_t acknowledged() const { return acknowledged_; }
  std::uint64_t corrupt_reads() const { return corrupt_reads_; }
  std::uint64_t refused_reads() const { return refused_reads_; }
  MachineKeys& keys() { return keys_; }

  // Opens the log and reads all that it has. The error of Log::open, if any; other faults go to fault().
  Result<void> start() {
    warnings_.clear();
    LogEnvironment environment{disk_, world_.folder_clock(), world_.random(), {}, {}, {}, {}};
    if (random_.chance(0.1)) loops_ = random_.between(1, kLoopsMax);  // as on a machine that got other cores
    environment.decryptor = &keys_;
    for (std::size_t i = 0; i < loops_; ++i) environment.loops.push_back(&world_.loop(i));
    environment.start_worker = [this](const std::string& name, int) { return world_.start_worker(name); };
    environment.warn = [this](const std::string& line) { warnings_.push_back(line); };
    environment.wait_until = [this](const std::function<bool()>& done) {
      if (!world_.run_until(done)) fail("the log waits for what never comes");
    };
    std::vector<ShardOptions> shards;
    for (const auto& [number, history] : shards_)
      shards.push_back({ShardKey{number}, history.retention_ms()});
    auto opened = Log::open(std::move(environment), options_, std::move(shards));
    if (!opened.ok()) {
      world_.drop_events();
      return std::move(opened).error();
    }
    log_ = std::move(opened).value();
    keys_.enable_all();  // only now: what the disk holds is found and checked without keys
    read_all(true);
    return {};
  }

  // Reads every shard from its begin to its end and checks it; after a recovery also what must not be
  // missing.
  void read_all(bool is_recovery) {
    for (auto& [number, history] : shards_) {
      if (disk_.crashed() || !fault_.empty()) return;
      read_shard(ShardKey{number}, history, is_recovery);
    }
  }

  // One random thing that users or operators do.
  void step() {
    if (encrypts_ && random_.chance(0.1)) change_key();
    const std::uint64_t kind = random_.below(100);
    if (kind < 70)
      append();
    else if (kind < 82)
      read_somewhere();
    else if (kind < 90)
      wait_for_record();
    else if (kind < 93)
      seal_and_unseal();
    else if (kind < 94)
      remove_shard();
    else if (kind < 95)
      open_new_shard();
    else if (kind < 96)
      change_retention();
    else if (kind < 98)
      world_.run_for(static_cast<std::int64_t>(random_.between(1, 3'000)) * 1'000'000);
    else
      shift_clock();
    if (random_.chance(0.5)) world_.run_for(static_cast<std::int64_t>(random_.below(600'000)));
  }

  // A shard's records are encrypted from now on, with another key, or no more; or a key is disabled for a
  // while.
  void change_key() {
    const std::uint64_t kind = random_.below(10);
    std::uint64_t& key = shard_keys_[some_shard()];
    if (kind < 4)
      key = keys_.make();
    else if (kind < 6)
      key = 0;
    else if (kind < 7)
      keys_.disable(key);
    else if (kind < 9)
      keys_.enable_all();
    else
      keys_.forget_permissions();
  }

  void append() {
    const std::size_t loop = random_.below(loops_);
    std::vector<std::uint64_t> own;
    for (const auto& [number, history] : shards_)
      if (loop_of(ShardKey{number}, loops_) == loop) own.push_back(number);
    if (own.empty()) return;
    BatchBuilder builder(1'000);
    std::map<std::uint64_t, std::uint32_t> attempts;  // by shard
    for (std::uint64_t run = 0, runs = random_.between(1, 3); run < runs; ++run) {
      const std::uint64_t shard = own[random_.below(own.size())];
      if (attempts.count(shard) != 0) continue;
      const std::uint32_t attempt = next_attempt_++;
      const auto count =
          static_cast<std::uint32_t>(random_.chance(0.05) ? random_.between(10, 60) : random_.between(1, 4));
      attempts[shard] = attempt;
      shards_.at(shard).attempted(attempt, count, monotonic_ms());
      const std::uint64_t key = shard_keys_[shard];
      builder.encrypt_with(key != 0 && !keys_.is_disabled(key) ? keys_.encryptor(key) : nullptr);
      builder.begin_run(ShardKey{shard});
      for (std::uint32_t index = 0; index < count; ++index)
        builder.add(AttemptedRecord({attempt, index}).view());
    }
    ++unanswered_;
    world_.on(world_.loop(loop), [&] {
      log_->append(loop, builder.finish(), [this, attempts](const std::shared_ptr<const Batch>& batch) {
        --unanswered_;
        for (const Run& run : batch->runs) answered(run, attempts.at(to_number(run.shard)), batch->error);
      });
    });
  }

  // Appends until one is acknowledged; whether that happened.
  bool appends_again() {
    const std::uint64_t before = acknowledged_;
    for (int attempt = 0; attempt < 100 && acknowledged_ == before; ++attempt) {
      append();
      world_.run_for(200'000'000);
    }
    return acknowledged_ > before;
  }

  // Lets all that was asked for be answered.
  void drain() {
    if (!world_.run_until([this] { return unanswered_ == 0; })) fail("an append was never answered");
    world_.run_for(50'000'000);
    for (const Waiter& waiter : waiters_)
      if (!*waiter.called && shards_.count(waiter.shard) != 0 &&
          shards_.at(waiter.shard).known_end() > waiter.offset)
        fail(fmt::format("shard {}: nobody was told of offset {}", waiter.shard, waiter.offset));
  }

  Result<void> stop_cleanly() {
    drain();
    auto closed = log_->close();
    stop_process();
    return closed;
  }

  // After a crash of the disk, or in place of one.
  void stop_process() {
    if (!log_) return;
    if (disk_.crashed()) world_.run_for(100'000'000);  // all that is under way fails
    log_.reset();
    world_.drop_events();
    keys_.end_process();
    waiters_.clear();
    unanswered_ = 0;
    sealed_.clear();
  }

  void fail(std::string text) {
    if (fault_.empty()) fault_ = std::move(text);
  }
  std::string describe_files() const {
    std::string text;
    for (const std::string& path : disk_.paths())
      text += fmt::format("{} ({} bytes) ", path, disk_.file_bytes(path).size());
    for (const std::string& line : warnings_) text += "\n  warned: " + line;
    return text;
  }

 private:
  struct Waiter {
    std::uint64_t shard;
    std::uint64_t offset;
    std::shared_ptr<bool> called;
  };

  sim::SimLoop& loop_for(std::uint64_t shard) { return world_.loop(loop_of(ShardKey{shard}, loops_)); }
  std::uint64_t some_shard() {
    auto shard = shards_.begin();
    std::advance(shard, static_cast<std::ptrdiff_t>(random_.below(shards_.size())));
    return shard->first;
  }
  void note(std::uint64_t shard, const std::string& fault) {
    if (!fault.empty()) fail(fmt::format("shard {}: {}", shard, fault));
  }

  std::int64_t monotonic_ms() { return world_.clock().monotonic_ns() / kNsPerMs; }
  // By milliseconds to years; now and then for so long that it is taken as true.
  void shift_clock() {
    constexpr std::array<std::int64_t, 4> kScalesMs = {100, 2'000, 3 * kMsPerDay, 400 * kMsPerDay};
    const std::int64_t scale_ms = kScalesMs[random_.below(kScalesMs.size())];
    world_.shift_wall_clock(
        static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(2 * scale_ms))) - scale_ms);
    if (random_.chance(0.02)) world_.run_for((FolderClock::kGraceMs + 5'000) * kNsPerMs);
  }

  std::uint64_t add_shard() {
    const std::uint64_t number = next_shard_++;
    const std::int64_t retention_ms =
        random_.chance(0.7) ? kRetentionUnlimited : static_cast<std::int64_t>(random_.between(200, 5'000));
    shards_.emplace(number, ShardHistory(retention_ms));
    return number;
  }

  void answered(const Run& run, std::uint32_t attempt, const std::string& error) {
    const std::uint64_t number = to_number(run.shard);
    if (run.status == RunStatus::kDurable) ++acknowledged_;
    if (run.status == RunStatus::kPending) fail("an append was answered without a status");
    const bool failed = run.status == RunStatus::kUnavailable || run.status == RunStatus::kUnknown;
    if (failed && error.empty()) fail("an append failed and does not say why");
    if (failed && !errors_expected_ && !disk_.crashed()) fail("an append failed without a cause: " + error);
    const auto shard = shards_.find(number);
    if (shard == shards_.end()) return;  // removed meanwhile
    if (run.status == RunStatus::kGone) fail("a shard that is there is 'gone'");
    if (run.status == RunStatus::kSealed && sealed_.count(number) == 0 && sealed_once_.count(number) == 0)
      fail("a shard that was never sealed is 'sealed'");
    note(number, shard->second.answered(attempt, run, disk_.crashed()));
  }

  // Whether an error is one that the test has provoked.
  bool is_excused(const Error& error) {
    if (disk_.crashed()) return true;
    if (errors_expected_ && error.kind == ErrorKind::kUnavailable) return true;
    if (error.kind == ErrorKind::kKeyDisabled) {
      ++refused_reads_;
      return encrypts_;
    }
    if (!corruption_expected_ || error.kind != ErrorKind::kCorrupt) return false;
    ++corrupt_reads_;
    return true;
  }

  void check_batch(std::uint64_t number, std::uint64_t from, const ReadBatch& batch) {
    ShardHistory& history = shards_.at(number);
    std::uint64_t expected = batch.records.empty() ? from : batch.records.front().offset;
    if (expected > from) note(number, history.begins_at(expected, monotonic_ms()));
    if (expected < from) note(number, fmt::format("read from {} begins at {}", from, expected));
    for (const RecordView& record : batch.records) {
      if (record.offset != expected++)
        note(number, fmt::format("offset {} follows {}", record.offset, expected - 2));
      note(number, history.saw(record));
    }
    if (!batch.records.empty() && batch.next_offset != expected)
      note(number, fmt::format("goes on at {} behind {}", batch.next_offset, expected - 1));
    if (batch.end_offset < expected)
      note(number, fmt::format("ends at {}, but {} was read", batch.end_offset, expected - 1));
  }

  void read_shard(ShardKey shard, ShardHistory& history, bool is_recovery) {
    const std::uint64_t number = to_number(shard);
    std::uint64_t from = 0;
    std::optional<std::uint64_t> first;
    std::uint64_t end = 0;
    for (;;) {
      ReadLimits limits;
      limits.records_max = static_cast<std::uint32_t>(random_.between(1, 500));
      auto answer = world_.await(loop_for(number), log_->read(shard, from, limits));
      if (!answer) return fail(fmt::format("shard {}: a read from {} was never answered", number, from));
      if (!answer->ok()) {
        if (!is_excused(answer->error()))
          note(number, fmt::format("read from {}: {}", from, answer->error().text));
        return;
      }
      const ReadBatch& batch = answer->value();
      check_batch(number, from, batch);
      if (!fault_.empty()) return;
      if (!first) first = batch.records.empty() ? batch.next_offset : batch.records.front().offset;
      end = batch.end_offset;
      if (batch.records.empty()) break;
      from = batch.next_offset;
    }
    if (from != end && from != 0)
      return note(number, fmt::format("reads end at {}, the shard at {}", from, end));
    if (is_recovery)
      note(number, history.recovered(*first, end));
    else
      note(number, history.check_order(*first));
    if (end > *first) check_time_index(shard, history, *first, end);
  }

  void check_time_index(ShardKey shard, const ShardHistory& history, std::uint64_t first, std::uint64_t end) {
    if (!fault_.empty() || history.retention_ms() != kRetentionUnlimited) return;
    const std::int64_t time_ms =
        history.arrival_at(random_.between(first, end - 1)) + static_cast<std::int64_t>(random_.below(3)) - 1;
    std::uint64_t expected = first;
    while (expected < end && history.arrival_at(expected) < time_ms) ++expected;
    auto found = world_.await(loop_for(to_number(shard)), log_->offset_at_time(shard, time_ms));
    if (!found) return fail("offset_at_time was never answered");
    if (!found->ok()) {
      if (!is_excused(found->error())) note(to_number(shard), "offset_at_time: " + found->error().text);
    } else if (found->value() != expected) {
      note(to_number(shard),
           fmt::format("offset_at_time({}) is {}, not {}", time_ms, found->value(), expected));
    }
  }

  void read_somewhere() {
    const std::uint64_t number = some_shard();
    const ShardHistory& history = shards_.at(number);
    const std::uint64_t from = random_.below(history.known_end() + 1);
    ReadLimits limits;
    limits.records_max = static_cast<std::uint32_t>(random_.between(1, 50));
    limits.bytes_max = random_.between(1, 20'000);
    world_.on(loop_for(number), [&] {
      spawn(log_->read(ShardKey{number}, from, limits), [this, number, from](Result<ReadBatch> answer) {
        if (shards_.count(number) == 0) return;  // removed meanwhile
        if (answer.ok()) return check_batch(number, from, answer.value());
        if (!is_excused(answer.error()))
          note(number, fmt::format("read from {}: {}", from, answer.error().text));
      });
    });
  }

  void wait_for_record() {
    const std::uint64_t number = some_shard();
    const std::uint64_t offset = shards_.at(number).known_end() + random_.below(3);
    auto called = std::make_shared<bool>(false);
    waiters_.push_back({number, offset, called});
    world_.on(loop_for(number),
              [&] { log_->when_past(ShardKey{number}, offset, [called] { *called = true; }); });
  }

  void seal_and_unseal() {
    const std::uint64_t number = some_shard();
    if (sealed_.count(number) != 0) return;
    sealed_.insert(number);
    sealed_once_.insert(number);
    world_.on(loop_for(number), [&] {
      spawn(log_->seal(ShardKey{number}), [this, number](Result<std::uint64_t> end) {
        sealed_.erase(number);
        if (shards_.count(number) == 0) return;
        if (end.ok() && end.value() < shards_.at(number).known_end())
          note(number,
               fmt::format("sealed at {}, but {} is known", end.value(), shards_.at(number).known_end() - 1));
        if (!end.ok() && end.error().kind != ErrorKind::kUnknown) note(number, "seal: " + end.error().text);
        if (log_) log_->unseal(ShardKey{number});
      });
    });
  }

  void remove_shard() {
    if (shards_.size() < 3) return;
    const std::uint64_t number = some_shard();
    shards_.erase(number);
    world_.on(loop_for(number), [&] { log_->remove_shard(ShardKey{number}); });
  }

  void open_new_shard() {
    if (shards_.size() > 8) return;
    const std::uint64_t number = add_shard();
    world_.on(loop_for(number), [&] {
      log_->open_shard({ShardKey{number}, shards_.at(number).retention_ms()});
    });
  }

  void change_retention() {
    const std::uint64_t number = some_shard();
    if (shards_.at(number).retention_ms() == kRetentionUnlimited) return;
    shards_.at(number).set_retention_ms(static_cast<std::int64_t>(random_.between(200, 5'000)));
    world_.on(loop_for(number), [&] {
      log_->open_shard({ShardKey{number}, shards_.at(number).retention_ms()});
    });
  }

  sim::SeededRandom random_;
  sim::SimWorld world_;
  sim::SimDisk disk_;
  LogOptions options_;
  const bool encrypts_;
  MachineKeys keys_{world_.random(), [this](std::string text) { fail(std::move(text)); }};
  std::map<std::uint64_t, std::uint64_t> shard_keys_;  // 0, or none: its records are plain
  std::size_t loops_ = 2;
  std::map<std::uint64_t, ShardHistory> shards_;
  std::set<std::uint64_t> sealed_;
  std::set<std::uint64_t> sealed_once_;
  std::vector<Waiter> waiters_;
  std::vector<std::string> warnings_;
  std::string fault_;
  std::uint64_t next_shard_ = 1;
  std::uint32_t next_attempt_ = 1;
  std::uint64_t unanswered_ = 0;
  std::uint64_t acknowledged_ = 0;
  std::uint64_t corrupt_reads_ = 0;
  std::uint64_t refused_reads_ = 0;
  bool errors_expected_ = false;
  bool corruption_expected_ = false;
  std::unique_ptr<Log> log_;  // last: it borrows from all of the above
};

}  // namespace millrace::log
