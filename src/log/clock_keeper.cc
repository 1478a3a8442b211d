#include "log/clock_keeper.h"

#include <algorithm>
#include <utility>

namespace millrace::log {

namespace {

constexpr std::int64_t kCompareEveryNs = 1'000'000'000;

}  // namespace

ClockKeeper::ClockKeeper(std::shared_ptr<LogContext> context, Loop& loop, Worker& worker)
    : context_(std::move(context)),
      loop_(loop),
      worker_(worker),
      marked_ns_(context_->environment.clock.monotonic_ns()) {}

void ClockKeeper::start() { tick_later(); }

void ClockKeeper::tick_later() {
  loop_.post_after(kCompareEveryNs, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->tick();
  });
}

void ClockKeeper::tick() {
  if (stopped_) return;
  tick_later();
  if (writing_) return;
  FolderClock& clock = context_->environment.clock;
  if (in_doubt_) {
    writing_ = true;
    worker_.run([self = shared_from_this()] {
      self->loop_.post([self, outcome = self->context_->manifest->confirm()] { self->kept(outcome); });
    });
  } else if (auto skips = clock.observe()) {
    keep(std::move(*skips));
  } else if (clock.monotonic_ns() - marked_ns_ >= kMarkEveryMs * kNsPerMs) {
    keep_mark();
  }
}

void ClockKeeper::keep(std::vector<ClockSkip> skips) {
  writing_ = true;
  worker_.run([self = shared_from_this(), skips = std::move(skips)] {
    auto outcome = self->context_->manifest->edit([&](Manifest& manifest) {
      manifest.clock = {self->context_->environment.clock.wall_ms(), skips};
    });
    self->loop_.post([self, outcome = std::move(outcome)] { self->kept(outcome); });
  });
}

void ClockKeeper::kept(const Result<void>& outcome) {
  writing_ = false;
  FolderClock& clock = context_->environment.clock;
  if (outcome.ok()) {
    in_doubt_ = false;
    return clock.accept();
  }
  context_->warn("the folder's clock cannot skip to the wall clock yet: " + outcome.error().text);
  in_doubt_ = in_doubt_ || outcome.error().kind != ErrorKind::kUnavailable;
  if (!in_doubt_) clock.decline();
}

void ClockKeeper::keep_mark() {
  writing_ = true;
  marked_ns_ = context_->environment.clock.monotonic_ns();
  worker_.run([self = shared_from_this()] {
    self->keep_last_mark();
    self->loop_.post([self] { self->writing_ = false; });
  });
}

void ClockKeeper::keep_last_mark() {
  // Without it the next start takes less time for passed; no more.
  static_cast<void>(context_->manifest
                        ->edit([mark = context_->environment.clock.mark()](Manifest& manifest) {
                          manifest.clock.shown_ms = std::max(manifest.clock.shown_ms, mark.shown_ms);
                          if (manifest.clock.skips.empty()) manifest.clock.skips = mark.skips;
                        })
                        .ok());
}

}  // namespace millrace::log
