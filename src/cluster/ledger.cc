#include "cluster/ledger.h"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "base/assert.h"
#include "base/clock.h"

namespace millrace::cluster {
namespace {

constexpr std::int64_t kConfirmAgainMs = 200;

}  // namespace

Result<Ledger::Opened> Ledger::open(store::ObjectStore& store, std::string prefix, Loop& loop,
                                    std::unique_ptr<Worker> worker) {
  auto opened = ControlLog::open(store, std::move(prefix));
  if (!opened.ok()) return std::move(opened).error();
  return Opened{std::shared_ptr<Ledger>(new Ledger(std::move(opened->log), loop, std::move(worker))),
                std::move(opened->snapshot), std::move(opened->entries)};
}

Task<Ledger::Turn> Ledger::turn() {
  const auto self = shared_from_this();
  co_await eventually<int>([&self](auto done) {
    if (std::exchange(self->taken_, true))
      self->waiting_.emplace_back([done]() mutable { done(0); });
    else
      done(0);
  });
  co_return Turn(self);
}

void Ledger::next_turn() {
  if (waiting_.empty()) {
    taken_ = false;
    return;
  }
  loop_.post(std::move(waiting_.front()));
  waiting_.pop_front();
}

Task<Result<void>> Ledger::append(std::string entry) {
  return append([entry = std::move(entry)]() mutable { return std::move(entry); });
}

Task<Result<void>> Ledger::append(Function<std::string()> encode) {
  const auto self = shared_from_this();
  if (in_doubt()) co_return refusal();
  std::string entry;
  Task<Result<void>> appending = perform([this, &encode, &entry] {
    entry = encode();
    return append_surely(*control_log_, entry);
  });
  auto appended = co_await std::move(appending);
  if (!appended.ok() && appended.error().kind != ErrorKind::kUnavailable) {
    doubt_ = appended.error().text;
    doubtful_ = std::move(entry);
    confirm_later();
  }
  co_return appended;
}

Error Ledger::refusal() const {
  return {ErrorKind::kUnavailable,
          fmt::format("the change before this one is not known to be durable yet: {}", doubt_)};
}

// On the worker. The caller keeps the ledger.
Task<Result<void>> Ledger::perform(std::function<Result<void>()> work) {
  auto outcome = co_await eventually<Result<void>>([&](auto done) {
    worker_->run([this, &work, done]() mutable {
      loop_.post([done, outcome = work()]() mutable { done(std::move(outcome)); });
    });
  });
  co_return outcome;
}

// What is in doubt is tried once more at once: most of it is over by then, and nobody has heard of it.
Result<void> Ledger::append_surely(ControlLog& log, const std::string& entry) {
  auto appended = log.append(entry);
  if (appended.ok() || appended.error().kind == ErrorKind::kUnavailable) return appended;
  auto confirmed = log.confirm();
  if (confirmed.ok() || confirmed.error().kind == ErrorKind::kConflict) return confirmed;
  return Error{ErrorKind::kUnknown, std::move(confirmed.error().text)};
}

void Ledger::confirm_later() {
  loop_.post_after(kConfirmAgainMs * kNsPerMs, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->confirm();
  });
}

void Ledger::confirm() {
  worker_->run([this, weak = weak_from_this()] {
    auto confirmed = std::make_shared<Result<void>>(control_log_->confirm());
    loop_.post([weak, confirmed] {
      const auto self = weak.lock();
      if (!self) return;
      if (confirmed->ok()) return spawn(self->apply_held());
      self->doubt_ = confirmed->error().text;
      // Another writer's entry stays there: only a start reads it.
      if (confirmed->error().kind != ErrorKind::kConflict) self->confirm_later();
    });
  });
}

// Whoever waits for a turn before this one is refused: the doubt ends where the entry has its effect.
Task<void> Ledger::apply_held() {
  const auto self = shared_from_this();
  Task<Turn> waiting = turn();
  const Turn turn = co_await std::move(waiting);
  if (held_) {
    Task<void> applying = held_(std::move(doubtful_));
    co_await std::move(applying);
  }
  doubtful_.clear();
  doubt_.clear();
}

void Ledger::snapshot(std::shared_ptr<SnapshotSource> source, Function<void(const Error&)> failed) {
  MR_ASSERT(!std::exchange(snapshotting_, true));
  spawn(write_snapshot_beside(std::move(source), std::move(failed)));
}

Task<void> Ledger::write_snapshot_beside(std::shared_ptr<SnapshotSource> source,
                                         Function<void(const Error&)> failed) {
  const auto self = shared_from_this();
  auto writing = write_snapshot(*control_log_, *source, loop_, *worker_, give_up_);
  const auto written = co_await std::move(writing);
  if (!written.ok() && !give_up_ && failed) failed(written.error());
  source.reset();
  snapshotting_ = false;
  for (Callback& waiting : std::exchange(snapshot_ended_, {})) loop_.post(std::move(waiting));
}

Task<void> Ledger::end_snapshot() {
  const auto self = shared_from_this();
  if (!snapshotting_) co_return;
  give_up_ = true;
  co_await eventually<int>(
      [&self](auto done) { self->snapshot_ended_.emplace_back([done]() mutable { done(0); }); });
  give_up_ = false;
}

Task<void> Ledger::on_worker(Callback work) {
  const auto self = shared_from_this();
  co_await eventually<int>([&](auto done) {
    worker_->run([this, &work, done]() mutable {
      work();
      loop_.post([done]() mutable { done(0); });
    });
  });
}

}  // namespace millrace::cluster
