#include "log/group_commit.h"

#include <algorithm>
#include <utility>

#include "log/retention.h"
#include "log/run_codec.h"

namespace millrace::log {

namespace {

constexpr std::int64_t kRetryNs = 200'000'000;  // how often a full disk is asked again
constexpr std::size_t kRunsAhead = 16;          // runs whose shards are fetched into the cache ahead

}  // namespace

void GroupCommit::append(std::unique_ptr<Batch> batch, Done done) {
  std::shared_ptr<Batch> shared = std::move(batch);
  const bool refused_lately =
      refusing_ && state_->context->environment.clock.monotonic_ns() - refused_at_ns_ < kRetryNs;
  if (refused_lately && !making_room_) {
    for (Run& run : shared->runs) run.status = RunStatus::kUnavailable;
    shared->error = journal_->fault();
    return state_->loop.post([shared, done = std::move(done)]() mutable { done(shared); });
  }
  const std::uint32_t bytes = place_runs(*shared);
  if (bytes == 0) return state_->loop.post([shared, done = std::move(done)]() mutable { done(shared); });
  gathering_.push_back({std::move(shared), std::move(done), bytes});
  begin_group();
}

// Gives every run its offset and time; returns the bytes to be written.
std::uint32_t GroupCommit::place_runs(Batch& batch) {
  ShardTable& shards = state_->shards;
  const std::int64_t now_ms = state_->arrival_now();
  const std::size_t runs = batch.runs.size();
  for (std::size_t i = 0; i < std::min(kRunsAhead, runs); ++i) shards.prefetch(batch.runs[i].shard);
  std::uint32_t bytes = 0;
  for (std::size_t i = 0; i < runs; ++i) {
    if (i + kRunsAhead < runs) {
      shards.prefetch(batch.runs[i + kRunsAhead].shard);
      __builtin_prefetch(batch.bytes.data() + batch.runs[i + kRunsAhead].begin, 1);
    }
    Run& run = batch.runs[i];
    Shard* shard = shards.find(run.shard);
    if (shard == nullptr || shard->sealed) {
      run.status = shard == nullptr ? RunStatus::kGone : RunStatus::kSealed;
      continue;
    }
    run.status = RunStatus::kPending;
    run.first_offset = shard->next_offset;
    run.arrival_ms = now_ms;
    shard->next_offset += run.count;
    place_run(batch.bytes.data() + run.begin, run.first_offset, now_ms);
    bytes += run.end - run.begin;
  }
  return bytes;
}

void GroupCommit::begin_group() {
  if (journal_->busy() || making_room_ || gathering_.empty()) return;
  if (!settler_->has_room()) {
    if (!settler_->fault().empty() && !settler_->try_again())
      refuse_all_waiting(RunStatus::kUnavailable, settler_->fault());
    return;
  }
  std::uint64_t bytes = 0;
  std::size_t taken = 0;
  for (const Pending& pending : gathering_) {
    if (taken > 0 && bytes + pending.bytes > state_->context->options.group_bytes_max) break;
    bytes += pending.bytes;
    ++taken;
  }
  if (!journal_->has_room(bytes)) {
    making_room_ = true;
    return journal_->make_room(bytes, [self = shared_from_this()] {
      self->making_room_ = false;
      self->refusing_ = !self->journal_->fault().empty();
      self->refused_at_ns_ = self->state_->context->environment.clock.monotonic_ns();
      if (self->refusing_) self->refuse_all_waiting(RunStatus::kUnavailable, self->journal_->fault());
      self->begin_group();
    });
  }
  refusing_ = false;
  group_.payload.clear();
  group_.to_encrypt.clear();
  group_.payload_bytes = bytes;
  for (std::size_t i = 0; i < taken; ++i) {
    writing_.push_back(std::move(gathering_.front()));
    gathering_.pop_front();
    add_to_group(*writing_.back().batch, writing_.back().bytes);
  }
  write_begun_ns_ = state_->context->environment.clock.monotonic_ns();
  journal_->write(
      group_, [self = shared_from_this()](Result<void> written) { self->group_written(std::move(written)); });
}

void GroupCommit::add_to_group(Batch& batch, std::uint32_t bytes) {
  std::uint8_t* data = batch.bytes.data();
  if (bytes == batch.bytes.size()) {
    group_.payload.push_back(batch.bytes.view());
  } else {
    for (const Run& run : batch.runs)
      if (run.status == RunStatus::kPending)
        group_.payload.push_back({data + run.begin, run.end - run.begin});
  }
  if (batch.encryptors.empty()) return;
  for (const Run& run : batch.runs)
    if (run.encryptor != nullptr && run.status == RunStatus::kPending)
      group_.to_encrypt.push_back({run.encryptor, {data + run.begin, run.end - run.begin}});
}

void GroupCommit::note_latency() {
  const LogEnvironment& environment = state_->context->environment;
  const std::int64_t took_us = (environment.clock.monotonic_ns() - write_begun_ns_) / 1'000;
  latencies_.count(took_us);
  if (took_us >= kSlowCommitMs * 1'000 && environment.slow_commit) environment.slow_commit(took_us / 1'000);
}

void GroupCommit::group_written(Result<void> written) {
  note_latency();
  if (!written.ok()) {
    const bool unknown = written.error().kind != ErrorKind::kUnavailable;
    const std::string& text = written.error().text;
    // What gathered has offsets behind the failed group's, and was not written.
    std::deque<Pending> gathered;
    gathered.swap(gathering_);
    std::vector<Pending> failed;
    failed.swap(writing_);
    std::vector<Pending> behind(std::make_move_iterator(gathered.begin()),
                                std::make_move_iterator(gathered.end()));
    refuse(behind, RunStatus::kUnavailable, text);
    refuse(failed, unknown ? RunStatus::kUnknown : RunStatus::kUnavailable, text);
    answer_seals(unknown ? text : std::string());
    for (Pending& pending : failed) pending.done(std::move(pending.batch));
    for (Pending& pending : behind) pending.done(std::move(pending.batch));
    answer_drain();
    return begin_group();
  }
  std::vector<Pending> group;
  group.swap(written_);
  group.swap(writing_);
  const JournalPosition end = journal_->position();
  const std::uint64_t bytes = group_.payload_bytes;
  begin_group();  // the disk goes on while these are published
  std::vector<Callback> woken;
  publish(group, woken);
  settler_->add_group({end, state_->tail.end(), frame_bytes(bytes)});
  Counters& counters = state_->context->counters;
  count(counters.groups, 1);
  count(counters.group_bytes, bytes);
  answer_seals({});
  for (Pending& pending : group) pending.done(std::move(pending.batch));
  for (Callback& callback : woken) callback();
  group.clear();
  written_.swap(group);
  answer_drain();
}

void GroupCommit::publish(std::vector<Pending>& group, std::vector<Callback>& woken) {
  for (Pending& pending : group) {
    const auto number = static_cast<std::uint32_t>(state_->tail.push(pending.batch));
    publish_runs(*pending.batch, number, woken);
    pending.batch->encryptors.clear();  // nobody may keep a key for what is in the tail
  }
  state_->tail.evict(state_->context->options.tail_cache_bytes);
}

void GroupCommit::publish_runs(Batch& batch, std::uint32_t number, std::vector<Callback>& woken) {
  ShardTable& shards = state_->shards;
  const std::size_t runs = batch.runs.size();
  std::uint64_t records = 0;
  for (std::size_t i = 0; i < std::min(2 * kRunsAhead, runs); ++i) shards.prefetch(batch.runs[i].shard);
  for (std::size_t i = 0; i < runs; ++i) {
    if (i + 2 * kRunsAhead < runs) shards.prefetch(batch.runs[i + 2 * kRunsAhead].shard);
    if (i + kRunsAhead < runs) {
      if (const Shard* ahead = shards.find(batch.runs[i + kRunsAhead].shard); ahead != nullptr)
        __builtin_prefetch(ahead->ring.next_slot(), 1);
    }
    Run& run = batch.runs[i];
    if (run.status != RunStatus::kPending) continue;
    Shard* shard = shards.find(run.shard);
    if (shard == nullptr) {
      run.status = RunStatus::kGone;
      continue;
    }
    MR_ASSERT(shard->durable_end == run.first_offset);
    if (shard->ring.full()) drop_evicted(*shard, state_->tail);
    shard->ring.push({static_cast<std::uint32_t>(run.first_offset), number, run.begin, run.count});
    shard->durable_end += run.count;
    run.status = RunStatus::kDurable;
    records += run.count;
    if (!shard->has_waiters) continue;
    auto& waiters = shard->rest->waiters;
    const auto waiting = std::stable_partition(
        waiters.begin(), waiters.end(),
        [&](const ShardRest::Waiter& waiter) { return waiter.offset >= shard->durable_end; });
    for (auto waiter = waiting; waiter != waiters.end(); ++waiter)
      woken.push_back(std::move(waiter->callback));
    waiters.erase(waiting, waiters.end());
    shard->has_waiters = !waiters.empty();
  }
  count(state_->context->counters.appended_records, records);
  count(state_->context->counters.appended_bytes, batch.bytes.size());
}

void GroupCommit::refuse(std::vector<Pending>& group, RunStatus status, const std::string& text) {
  for (auto pending = group.rbegin(); pending != group.rend(); ++pending) {
    Batch& batch = *pending->batch;
    batch.error = text;
    for (auto run = batch.runs.rbegin(); run != batch.runs.rend(); ++run) {
      if (run->status != RunStatus::kPending) continue;
      run->status = status;
      Shard* shard = state_->shards.find(run->shard);
      if (shard == nullptr) continue;
      MR_ASSERT(shard->next_offset == run->first_offset + run->count);
      shard->next_offset = run->first_offset;
    }
  }
}

void GroupCommit::refuse_all_waiting(RunStatus status, const std::string& text) {
  std::vector<Pending> refused(std::make_move_iterator(gathering_.begin()),
                               std::make_move_iterator(gathering_.end()));
  gathering_.clear();
  refuse(refused, status, text);
  answer_seals({});
  for (Pending& pending : refused) pending.done(std::move(pending.batch));
  answer_drain();
}

void GroupCommit::seal(ShardKey shard, SealDone done) {
  Shard* found = state_->shards.find(shard);
  if (found == nullptr) return done(Error{ErrorKind::kNotFound, "no such shard in the log"});
  found->sealed = true;
  sealing_.push_back({shard, std::move(done)});
  if (found->next_offset == found->durable_end) answer_seals({});
}

void GroupCommit::answer_seals(const std::string& unknown) {
  if (sealing_.empty()) return;
  std::vector<Sealing> open;
  open.swap(sealing_);
  for (Sealing& sealing : open) {
    const Shard* shard = state_->shards.find(sealing.shard);
    if (shard == nullptr)
      sealing.done(Error{ErrorKind::kNotFound, "no such shard in the log"});
    else if (!unknown.empty())
      sealing.done(Error{ErrorKind::kUnknown, unknown});
    else if (shard->next_offset == shard->durable_end)
      sealing.done(shard->durable_end);
    else
      sealing_.push_back(std::move(sealing));
  }
}

void GroupCommit::when_past(ShardKey shard, std::uint64_t offset, Callback callback) {
  Shard* found = state_->shards.find(shard);
  if (found == nullptr || found->durable_end > offset) return state_->loop.post(std::move(callback));
  found->rest->waiters.push_back({offset, std::move(callback)});
  found->has_waiters = true;
}

void GroupCommit::remove_shard(ShardKey shard) {
  Shard* found = state_->shards.find(shard);
  if (found == nullptr) return;
  std::vector<ShardRest::Waiter> waiters = std::move(found->rest->waiters);
  drop_blocks(*state_, *found);
  state_->shards.remove(shard);
  answer_seals({});
  for (ShardRest::Waiter& waiter : waiters) state_->loop.post(std::move(waiter.callback));
}

void GroupCommit::drain(Callback done) {
  drained_ = std::move(done);
  answer_drain();
}

void GroupCommit::answer_drain() {
  if (!drained_ || journal_->busy() || !gathering_.empty()) return;
  std::exchange(drained_, Callback{})();
}

}  // namespace millrace::log
