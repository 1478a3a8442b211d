// app/ephemeral_folder.h: the data folder of a server that keeps nothing.
#pragma once

#include <string>

#include "base/result.h"

namespace millrace::app {

// A new folder below $TMPDIR, or /tmp, which is removed with all that is in it when this goes. After a kill
// -9 it stays, as all temporary files do.
class EphemeralFolder {
 public:
  // errors   kUnavailable: it cannot be made; text says where
  static Result<EphemeralFolder> make();
  EphemeralFolder(EphemeralFolder&& other) noexcept;
  EphemeralFolder& operator=(EphemeralFolder&&) = delete;
  ~EphemeralFolder();

  const std::string& path() const { return path_; }

 private:
  explicit EphemeralFolder(std::string path) : path_(std::move(path)) {}

  std::string path_;  // empty: moved from
};

}  // namespace millrace::app
