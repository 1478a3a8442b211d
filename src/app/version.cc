#include "app/version.h"

#include <commit.h>  // made by cmake/commit.cmake, where the binary is built
#include <fmt/format.h>

#include "cluster/control_log.h"
#include "log/frame.h"
#include "log/manifest.h"
#include "log/segment_codec.h"
#include "store/folder_file.h"

namespace millrace::app {

std::string version_text() {
  return fmt::format(
      "millrace {}\n"
      "commit    {}\n"
      "compiler  {}\n"
      "formats   FOLDER {}, control log {}, manifest {}, segment {}, journal {}\n",
      kVersion, kCommit, __VERSION__, store::kFolderVersion, cluster::kControlVersion,
      log::kManifestVersionWithLost, log::kSegmentVersion, log::kJournalVersion);
}

}  // namespace millrace::app
