// log/recovery.h: from what the disk holds to a log that can go on.
#pragma once

#include <memory>
#include <vector>

#include "log/journal.h"
#include "log/loop_state.h"
#include "log/settler.h"

namespace millrace::log {

struct RecoveredLoop {
  std::shared_ptr<LoopState> state;
  Journal::Start journal;
  std::vector<Settler::Group> unsettled;  // their batches are in the state's tail
};

struct Recovered {
  std::shared_ptr<LogContext> context;
  std::vector<RecoveredLoop> loops;
  std::vector<std::shared_ptr<Segment>> segments;
};

// As Log::open, before anything runs. Checks everything first, and changes the disk only when all is well.
Result<Recovered> recover(LogEnvironment environment, const LogOptions& options,
                          const std::vector<ShardOptions>& shards);

}  // namespace millrace::log
