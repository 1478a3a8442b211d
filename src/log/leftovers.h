// log/leftovers.h: files below log/ that the manifest does not name: what a crash left of ours goes, what
// belongs to a newer manifest refuses, and what is not ours stays. Calls block.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "log/manifest.h"
#include "store/disk.h"

namespace millrace::log {

struct Leftovers {
  std::vector<std::string> ours;    // paths that may be removed
  std::vector<std::string> others;  // unknown: to be named in a warning
};

// manifest   nullptr when there is none
// errors   kCorrupt: records are there that the manifest does not know of: it is missing, or older than they
// are
Result<Leftovers> find_leftovers(store::Disk& disk, const Manifest* manifest);

}  // namespace millrace::log
