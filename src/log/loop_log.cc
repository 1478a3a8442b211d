#include "log/loop_log.h"

#include "log/journal_file.h"
#include "log/retention.h"

namespace millrace::log {

namespace {

constexpr std::int64_t kTickNs = 250'000'000;
// Shards whose retention a tick looks at: 20,000 are seen once in 10 s.
constexpr std::uint64_t kSweptAtOnce = 512;
// How much of a journal an older copy of it can lack unnoticed after a crash: 1 s. A clean stop leaves no
// such gap.
constexpr std::uint64_t kTicksPerNote = 4;

}  // namespace

LoopLog::LoopLog(RecoveredLoop recovered, const LoopWorkers& workers)
    : state_(std::move(recovered.state)),
      journal_(std::make_shared<Journal>(state_->context, state_->loop, workers.writer, workers.preparer,
                                         std::move(recovered.journal))),
      settler_(std::make_shared<Settler>(state_, journal_, workers.settler)),
      commit_(std::make_shared<GroupCommit>(state_, journal_, settler_)),
      reader_(std::make_shared<Reader>(state_, workers.readers)) {
  settler_->when_changed([commit = std::weak_ptr(commit_)] {
    if (const auto alive = commit.lock()) alive->resume();
  });
  for (const Settler::Group& group : recovered.unsettled) settler_->add_recovered(group);
  note_figures();
}

void LoopLog::note_figures() {
  journal_bytes_.store(journal_->bytes(), std::memory_order_relaxed);
  tail_bytes_.store(state_->tail.bytes(), std::memory_order_relaxed);
  unsettled_bytes_.store(settler_->unsettled_bytes(), std::memory_order_relaxed);
}

void LoopLog::start(Callback tick) {
  also_ = std::move(tick);
  tick_later();
}

void LoopLog::tick_later() {
  state_->loop.post_after(kTickNs, [self = shared_from_this()] { self->tick(); });
}

void LoopLog::tick() {
  if (stopped_) return;
  settler_->tick();
  sweep_slot_ =
      state_->shards.visit(sweep_slot_, kSweptAtOnce, [this](Shard& shard) { drop_expired(*state_, shard); });
  note_figures();
  if (also_) also_();
  if (++ticks_ % kTicksPerNote == 0) note_journal();
  tick_later();
}

void LoopLog::note_journal() {
  if (store::PartMarks* const marks = state_->context->environment.marks; marks != nullptr)
    marks->note(journal_folder(static_cast<std::uint32_t>(state_->loop.index())),
                {journal_->last_sequence(), 0, journal_->last_sum()});
}

void LoopLog::stop(Function<void(Result<void>)> done) {
  stopped_ = true;
  commit_->drain([self = shared_from_this(), done = std::move(done)]() mutable {
    self->settler_->stop();
    self->note_journal();
    self->journal_->stop(std::move(done));
  });
}

}  // namespace millrace::log
