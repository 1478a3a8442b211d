#include "app/ephemeral_folder.h"

#include <fmt/format.h>

#include <cstdlib>
#include <system_error>
#include <utility>

#include "store/folder_tree.h"

namespace millrace::app {

Result<EphemeralFolder> EphemeralFolder::make() {
  const char* parent = std::getenv("TMPDIR");  // NOLINT(concurrency-mt-unsafe): before the first thread
  std::string path =
      fmt::format("{}/millrace-XXXXXX", parent != nullptr && *parent != '\0' ? parent : "/tmp");
  if (mkdtemp(path.data()) == nullptr) {
    return Error{ErrorKind::kUnavailable, fmt::format("--ephemeral: no folder can be made as {}: {}", path,
                                                      std::generic_category().message(errno))};
  }
  return EphemeralFolder(std::move(path));
}

EphemeralFolder::EphemeralFolder(EphemeralFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}

EphemeralFolder::~EphemeralFolder() {
  // What cannot be removed stays where temporary files are.
  if (!path_.empty()) static_cast<void>(store::remove_tree(path_).ok());
}

}  // namespace millrace::app
