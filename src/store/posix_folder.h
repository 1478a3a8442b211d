// store/posix_folder.h: a folder that stays open: syncing it needs no new descriptor, and whether its path
// still leads to it can be asked.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "store/posix_file.h"

namespace millrace::store {

// open(2) that goes on after a signal; -1 and errno where it fails.
int open_retried(int folder, const char* path, int flags, unsigned mode = 0);

// Any thread.
class PosixFolder {
 public:
  // path   absolute
  PosixFolder(Descriptor descriptor, std::string path)
      : descriptor_(std::move(descriptor)), path_(std::move(path)) {}
  // base   what `name` is relative to.
  // path   absolute
  // errors   kNotFound, kUnavailable (too many open files: nothing was tried)
  static Result<std::shared_ptr<PosixFolder>> open(int base, const std::string& name, std::string path);

  int descriptor() const { return descriptor_.get(); }
  // Makes the names in it durable.
  // errors   kUnknown: they may be or not, or the folder is not in place
  Result<void> sync() const;
  // Whether its path leads to it: what is durable in a folder that no path leads to is lost all the same.
  // errors   kUnavailable: it was removed, renamed or replaced, or a file system is mounted over it
  Result<void> check_in_place() const;

 private:
  const Descriptor descriptor_;
  const std::string path_;
};

}  // namespace millrace::store
