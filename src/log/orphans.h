// log/orphans.h: files of the log that nothing knows: they are moved to orphaned/, and stay there until a
// person removes them. Calls block.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"
#include "store/disk.h"

namespace millrace::log {

inline constexpr std::string_view kOrphanedFolder = "orphaned";

// Moves the file to orphaned/PATH, durably; never over another: then to orphaned/PATH.N.
// warn     told what was moved where, and in a line for each shard what is in it, as far as that can be read
// errors   the disk's
Result<void> move_to_orphaned(store::Disk& disk, const std::string& path,
                              const std::function<void(const std::string& line)>& warn);

struct Orphaned {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
};
// What lies in orphaned/ now.
// errors   the disk's
Result<Orphaned> count_orphaned(store::Disk& disk);

}  // namespace millrace::log
