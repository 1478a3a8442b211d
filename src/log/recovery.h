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

// As Log::read and StoppedLog::start, before anything runs.
class Recovery {
 public:
  // Reads and checks everything, and changes nothing on disk.
  static Result<std::unique_ptr<Recovery>> read(LogEnvironment environment, const LogOptions& options,
                                                std::vector<ShardOptions> shards);
  virtual ~Recovery() = default;
  virtual const std::vector<JournalGroups>& journals() const = 0;
  // Makes the disk ready to go on; once.
  virtual Result<Recovered> finish(RunDecryptor* decryptor) = 0;
};

}  // namespace millrace::log
