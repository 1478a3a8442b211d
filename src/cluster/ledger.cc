#include "cluster/ledger.h"

#include <fmt/format.h>

#include <utility>

namespace millrace::cluster {

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

Task<Result<void>> Ledger::append(std::string entry) { return write(Write::kEntry, std::move(entry)); }

Task<Result<void>> Ledger::snapshot(std::string state) { return write(Write::kSnapshot, std::move(state)); }

Task<Result<void>> Ledger::write(Write what, std::string content) {
  const auto self = shared_from_this();
  if (!doubt_.empty()) {
    co_return Error{ErrorKind::kUnavailable,
                    fmt::format("its ledger is in doubt, restart to resolve: {}", doubt_)};
  }
  auto written = co_await eventually<Result<void>>([&](auto done) {
    worker_->run([this, what, &content, done]() mutable {
      auto outcome = what == Write::kEntry ? control_log_->append(content) : control_log_->snapshot(content);
      loop_.post([done, outcome = std::move(outcome)]() mutable { done(std::move(outcome)); });
    });
  });
  if (what == Write::kEntry && !written.ok() && written.error().kind != ErrorKind::kUnavailable)
    doubt_ = written.error().text;
  co_return written;
}

}  // namespace millrace::cluster
