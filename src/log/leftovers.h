// log/leftovers.h: files below log/ that the manifest does not name: what a crash is known to leave goes,
// what belongs to a newer manifest refuses, any other file of the log's names is moved to orphaned/, and the
// rest stays. Calls block.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "log/manifest.h"
#include "store/disk.h"

namespace millrace::log {

struct Leftovers {
  // Paths that may be removed. A crash leaves: a segment that no manifest named yet, or that the last one
  // gave up, while it was being removed; a journal file that was not yet named, or was given up; one that was
  // being filled with zeros. Known by this folder's number in its header, or by having nothing in it.
  std::vector<std::string> ours;
  std::vector<std::string> orphans;  // segments and journal files of which that is not known
  std::vector<std::string> others;   // files of other names: to be named in a warning
};

// manifest   nullptr when there is none
// folder     this folder's number; 0: it has none, and whose a file is is not asked
// errors   kCorrupt: records are there that the manifest does not know of: it is missing, or older than they
// are
Result<Leftovers> find_leftovers(store::Disk& disk, const Manifest* manifest, std::uint64_t folder);

}  // namespace millrace::log
