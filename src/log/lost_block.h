// log/lost_block.h: `millrace log skip`: gives up a damaged block, so that readers go on behind it. Calls
// block.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "log/segment.h"
#include "store/disk.h"

namespace millrace::log {

// Marks the block that begins at byte `position` of the segment as lost, durably.
//   disk     a data folder that no server holds
//   returns  the block
//   errors   kNotFound     there is no such segment or block
//            kConflict     it is not damaged, or is marked already
//            kUnavailable  the disk said no
Result<BlockEntry> mark_block_lost(store::Disk& disk, std::uint64_t segment, std::uint64_t position);

}  // namespace millrace::log
