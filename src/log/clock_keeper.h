// log/clock_keeper.h: compares the folder's clock with the machine's, and keeps in the manifest what the
// clock must know at the next start.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "log/log_context.h"

namespace millrace::log {

class ClockKeeper : public std::enable_shared_from_this<ClockKeeper> {
 public:
  // How often the time that the clock shows is kept: a crash of an idle server loses so much of what passed.
  static constexpr std::int64_t kMarkEveryMs = 10 * 60'000;

  // loop    where it compares, once a second; the clock has begun
  // worker  where it writes; all borrowed
  ClockKeeper(std::shared_ptr<LogContext> context, Loop& loop, Worker& worker);

  // Before the loop runs, or on it.
  void start();
  // Any thread; what is being written goes on.
  void stop() { stopped_ = true; }
  // Blocks; after stop(), when the loops have let go of the log.
  void keep_last_mark();

 private:
  void tick_later();
  void tick();
  void keep(std::vector<ClockSkip> skips);
  void keep_mark();
  void kept(const Result<void>& outcome);

  std::shared_ptr<LogContext> context_;
  Loop& loop_;
  Worker& worker_;
  std::atomic<bool> stopped_{false};
  bool writing_ = false;
  bool in_doubt_ = false;  // the manifest may have the skips or not: it is written again until it does
  std::int64_t marked_ns_;
};

}  // namespace millrace::log
