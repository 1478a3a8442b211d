#include "store/posix_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "store/posix_error.h"

namespace millrace::store {

int open_retried(int folder, const char* path, int flags, unsigned mode) {
  for (;;) {
    const int fd = openat(folder, path, flags, mode);
    if (fd >= 0 || errno != EINTR) return fd;
  }
}

Result<std::shared_ptr<PosixFolder>> PosixFolder::open(int base, const std::string& name, std::string path) {
  Descriptor opened{open_retried(base, name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!opened.ok()) return posix_error("open folder", path, errno);
  return std::make_shared<PosixFolder>(std::move(opened), std::move(path));
}

Result<void> PosixFolder::sync() const {
  while (fsync(descriptor_.get()) != 0) {
    if (errno == EINTR) continue;
    return Error{ErrorKind::kUnknown, posix_error_text("sync folder", path_, errno)};
  }
  if (auto there = check_in_place(); !there.ok())
    return Error{ErrorKind::kUnknown, std::move(there.error().text)};
  return {};
}

Result<void> PosixFolder::check_in_place() const {
  struct stat here {};
  struct stat there {};
  if (fstat(descriptor_.get(), &here) != 0) return posix_error("stat folder", path_, errno);
  if (stat(path_.c_str(), &there) != 0) {
    if (errno == ENOENT || errno == ENOTDIR)
      return Error{ErrorKind::kUnavailable, path_ + " was removed or renamed under the running server"};
    return Error{ErrorKind::kUnavailable, posix_error_text("look up", path_, errno)};
  }
  if (here.st_dev != there.st_dev || here.st_ino != there.st_ino)
    return Error{ErrorKind::kUnavailable,
                 path_ +
                     " is another folder than the one that the server opened: it was replaced, or a file "
                     "system was mounted or unmounted there"};
  return {};
}

}  // namespace millrace::store
