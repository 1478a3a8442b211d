// log/inspect.h: looks into a log at rest, for people: `millrace log verify` and `millrace log dump`. Changes
// nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "log/log.h"
#include "store/disk.h"

namespace millrace::log {

// Takes one line of text, without its end.
using LineSink = std::function<void(const std::string& line)>;

struct Inspection {
  std::uint64_t problems = 0;
  std::uint64_t segments = 0;
  std::uint64_t blocks = 0;
  std::uint64_t groups = 0;  // of the journals, not yet in segments
  std::uint64_t records =
      0;  // in blocks and groups that are whole; of deleted streams too, while they are there
  std::vector<JournalGroups> journals;  // of each loop; of a damaged one as far as it is read
};

enum class Inspect : std::uint8_t {
  kVerify,  // a line a problem: file, offset, what is wrong, what is readable around it
  kDump,    // besides, a line for each segment, block, group and record
};

// Reads the newest manifest and checks everything that it names: all sums of segments, blocks and journals.
// Goes on behind a damaged segment or block; a damaged journal is read up to the damage.
// disk     borrowed; may be read-only. Nothing else must write to it
// known    what the catalog knows: then it is also checked that each shard's records follow each other
// without a gap
//          and reach the end that is known, and that there are none of a shard that was never made
// errors   kUnavailable: the disk said no.  Damage is no error here, but a problem in the answer
// thread   any; blocks
struct KnownShards {
  std::vector<ShardOptions> shards;
  std::uint64_t next_shard;  // as in LogOptions
};
Result<Inspection> inspect(store::Disk& disk, Inspect what, const LineSink& line,
                           const KnownShards* known = nullptr);

}  // namespace millrace::log
