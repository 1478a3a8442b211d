// app/whole_check.h: everything that can be wrong with a data folder or a backup at rest: what `millrace
// verify` lists, and what `millrace restore` wants to be right.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"
#include "log/inspect.h"
#include "store/disk.h"

namespace millrace::app {

struct WholeCheck {
  std::uint64_t problems = 0;
  log::Inspection found;
};

// Reads all parts against FOLDER, and all sums of the log. A backup must be exactly what its FOLDER and its
// mark say, since nothing was written to it after them. Changes nothing; blocks.
//   keyring  its path
//   line     takes a line for each problem, once
//   errors   kUnavailable: the disk said no
Result<WholeCheck> check_whole(store::Disk& disk, const std::string& keyring,
                               const std::function<void(const std::string&)>& line);

}  // namespace millrace::app
