#include "log/settler.h"

#include <fmt/format.h>

#include <algorithm>

#include "log/retention.h"
#include "log/settled_segment.h"

namespace millrace::log {

namespace {

constexpr std::int64_t kSettleRetryNs = 1'000'000'000;
constexpr std::int64_t kAgainNs = 200'000'000;  // where appends wait for it, so soon
constexpr std::size_t kJournalFilesMin =
    4;  // half full or not: above so many, and what the options allow, settle
constexpr std::size_t kAppliedAtOnce = 512;  // blocks told to their shards before the loop does other work
// Groups are small and their frames whole blocks: as many bytes of journal as may be, but few records.
constexpr std::size_t kBatchesAtOnce = 65'536;

}  // namespace

struct Settler::Job {
  std::uint32_t loop = 0;
  JournalPosition upto;
  std::uint64_t batches_end = 0;
  std::size_t groups = 0;
  std::uint64_t bytes = 0;
  std::int64_t last_arrival_ms = 0;
  Effort effort = Effort::kLittle;
  std::vector<std::shared_ptr<const Batch>> batches;
  // As far as it has come; a failed job goes on from there.
  bool written = false;
  bool in_manifest = false;
  OpenedSegment made;  // none when no shard wants the records
};

void Settler::add_recovered(const Group& group) {
  groups_.push_back({group, state_->context->environment.clock.monotonic_ns()});
  unsettled_bytes_ += group.bytes;
}

void Settler::add_group(const Group& group) {
  add_recovered(group);
  if (behind() && !hurry_) hurry_.emplace(state_->context->pace);
  if (unsettled_bytes_ >= state_->context->options.settle_at_bytes) start();
}

void Settler::tick() {
  if (groups_.empty()) {
    // Files that starts after kills left behind, without groups.
    if (journal_->used_files() > kJournalFilesMin) start();
    return;
  }
  const LogOptions& options = state_->context->options;
  const std::int64_t age_ms =
      (state_->context->environment.clock.monotonic_ns() - groups_.front().since_ns) / 1'000'000;
  const std::size_t files_max =
      std::max<std::size_t>(kJournalFilesMin, options.unsettled_bytes_max / options.journal_file_bytes);
  if (unsettled_bytes_ >= options.settle_at_bytes || age_ms >= options.settle_after_ms ||
      journal_->used_files() > files_max)
    start();
}

void Settler::start() {
  if (running_ || stopped_) return;
  running_ = true;
  auto job = std::make_shared<Job>();
  job->loop = static_cast<std::uint32_t>(state_->loop.index());
  const std::uint64_t begin = state_->tail.settled_end();
  job->upto = journal_->position();
  job->batches_end = begin;
  for (const Waiting& waiting : groups_) {
    if (job->groups > 0 && (job->bytes >= 2 * state_->context->options.settle_at_bytes ||
                            waiting.group.batches_end - begin > kBatchesAtOnce))
      break;
    ++job->groups;
    job->bytes += waiting.group.bytes;
    job->upto = waiting.group.end;
    job->batches_end = waiting.group.batches_end;
  }
  for (std::uint64_t number = begin; number < job->batches_end; ++number)
    job->batches.push_back(state_->tail.batch(static_cast<std::uint32_t>(number)));
  job->last_arrival_ms = state_->last_arrival_ms;
  if (behind() || !awaited_.empty()) job->effort = Effort::kLeast;
  run(std::move(job));
}

void Settler::run(std::shared_ptr<Job> job) {
  worker_.run([self = shared_from_this(), context = state_->context, job = std::move(job)] {
    auto outcome = std::make_shared<Result<void>>(perform(*context, *job));
    self->state_->loop.post([self, job, outcome] {
      if (self->stopped_) return;
      self->fault_ = outcome->ok() ? std::string() : outcome->error().text;
      if (outcome->ok()) {
        if (job->made.segment)
          self->state_->segments.emplace(static_cast<std::uint32_t>(job->made.segment->number()),
                                         job->made.segment);
        return self->apply(job, 0);
      }
      self->state_->context->warn("settling failed, will be tried again: " + self->fault_);
      self->failed_ = job;
      self->failed_at_ns_ = self->state_->context->environment.clock.monotonic_ns();
      self->state_->loop.post_after(kSettleRetryNs, [self, job] {
        if (!self->stopped_ && self->failed_ == job) self->run(std::exchange(self->failed_, nullptr));
      });
      self->answer_settled(Error{ErrorKind::kUnavailable, "settling failed: " + self->fault_});
      if (self->changed_) self->changed_();
    });
  });
}

void Settler::settle_now(Function<void(Result<void>)> done) {
  if (stopped_) return done(Error{ErrorKind::kUnavailable, "the log is closing"});
  if (failed_) return done(Error{ErrorKind::kUnavailable, "settling failed: " + fault_});
  if (groups_.empty()) return done({});
  awaited_.push_back({groups_.back().group.batches_end, std::move(done)});
  start();
}

void Settler::stop() {
  stopped_ = true;
  answer_settled(Error{ErrorKind::kUnavailable, "the log is closing"});
}

// All that wait: with an error those too whose groups are not settled.
void Settler::answer_settled(const Result<void>& outcome) {
  std::vector<Awaited> waiting = std::exchange(awaited_, {});
  for (Awaited& each : waiting) {
    if (outcome.ok() && each.batches_end > state_->tail.settled_end())
      awaited_.push_back(std::move(each));
    else
      each.done(outcome);
  }
}

bool Settler::try_again() {
  if (!failed_) return running_;
  if (stopped_ || state_->context->environment.clock.monotonic_ns() - failed_at_ns_ < kAgainNs) return false;
  run(std::exchange(failed_, nullptr));
  return true;
}

Result<void> Settler::perform(LogContext& context, Job& job) {
  if (!job.written) {
    MR_ASSIGN(job.made, write_settled(context, job.batches, job.effort));
    job.written = true;
  }
  if (!job.in_manifest) MR_TRY(put_in_manifest(context, job));
  return context.manifest->confirm();
}

Result<void> Settler::put_in_manifest(LogContext& context, Job& job) {
  auto edited = context.manifest->edit([&](Manifest& manifest) {
    LoopManifest& loop = manifest.loops[job.loop];
    loop.position = job.upto;
    loop.last_arrival_ms = std::max(loop.last_arrival_ms, job.last_arrival_ms);
    if (job.made.segment) add_segment(manifest, job.made.segment->entry());
  });
  job.in_manifest = edited.ok() || edited.error().kind == ErrorKind::kUnknown;
  return edited;
}

void Settler::apply(std::shared_ptr<Job> job, std::size_t from) {
  if (stopped_) return;
  const std::vector<BlockEntry>& blocks = job->made.blocks;
  const std::size_t to = std::min(blocks.size(), from + kAppliedAtOnce);
  for (std::size_t i = from; i < to; ++i) add_block(*state_, blocks[i], *job->made.segment);
  if (to < blocks.size())
    return state_->loop.post([self = shared_from_this(), job = std::move(job), to] { self->apply(job, to); });
  finished(*job);
}

void Settler::finished(const Job& job) {
  state_->tail.settle_before(job.batches_end);
  state_->tail.evict(state_->context->options.tail_cache_bytes);
  groups_.erase(groups_.begin(), groups_.begin() + static_cast<std::ptrdiff_t>(job.groups));
  unsettled_bytes_ -= job.bytes;
  if (!behind()) hurry_.reset();
  journal_->release_before(job.upto);
  if (job.made.segment) {
    job.made.segment->applied = true;
    Counters& counters = state_->context->counters;
    count(counters.segments, 1);
    count(counters.segment_bytes, job.made.segment->bytes());
    count(counters.settled_bytes, job.bytes);
    if (made_) made_(job.made.segment);
  }
  running_ = false;
  answer_settled({});
  if (changed_) changed_();
  tick();
  if (!awaited_.empty()) start();
}

}  // namespace millrace::log
