// cluster/snapshot_task.h: a control log is shortened beside the work on it: the state is read in small steps
// of a loop, made into bytes and written on a worker, a piece at a time, with time between the pieces.
#pragma once

#include <memory>
#include <string>

#include "base/callback.h"
#include "base/loop.h"
#include "base/result.h"
#include "base/task.h"
#include "cluster/control_log.h"

namespace millrace::cluster {

// A state as it was at one moment, whatever becomes of it meanwhile.
class SnapshotSource {
 public:
  virtual ~SnapshotSource() = default;
  // The state's next part: what makes its bytes, on the worker. Empty: that was all. On the loop, which does
  // nothing else meanwhile: a part is small, or next to nothing until its bytes are made.
  virtual Function<std::string()> next() = 0;
};

// Of a state that never changes, since others take its place.
std::unique_ptr<SnapshotSource> whole_state(Function<std::string()> encode);

// Writes what `source` holds, the state after the last entry of now, as a snapshot of `log`, and removes what
// it replaces. On `loop`, when nothing is being appended; others may append while it goes on, by `worker`.
// All are borrowed until it resumes. given_up   asked between the pieces: whether it is to end errors     as
// ControlLog::begin_snapshot, append and end_snapshot; kUnavailable when it was given up
Task<Result<void>> write_snapshot(ControlLog& log, SnapshotSource& source, Loop& loop, Worker& worker,
                                  const bool& given_up);

}  // namespace millrace::cluster
