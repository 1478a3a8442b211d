// log/record_walk.h: every record of a log at rest, for tools that salvage. Changes nothing; calls block.
#pragma once

#include <functional>

#include "base/result.h"
#include "log/run_codec.h"
#include "store/disk.h"

namespace millrace::log {

// Takes a run, header and all, whose bytes are checked; encrypted ones as they are. An error that it answers
// ends the walk.
using OnRun = std::function<Result<void>(const RunHeader& run, ByteView bytes)>;
// Takes a line that says what could not be read; the walk goes on behind it.
using OnDamage = std::function<void(const std::string& line)>;

// Walks what the newest manifest names: the runs of each shard in the order of their offsets, with all shards
// that are wanted one after the other as far as they are in segments, then those that are in the journals.
// Records that have expired, and of deleted streams, come too while they are there.
//   wanted   whether a shard's records are
//   errors   kCorrupt: the manifest is damaged.  kUnavailable.  What `visit` answers
Result<void> walk_records(store::Disk& disk, const std::function<bool(ShardKey)>& wanted, const OnRun& visit,
                          const OnDamage& damage);

}  // namespace millrace::log
