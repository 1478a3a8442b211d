#include "store/private_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "store/posix_error.h"
#include "store/posix_file.h"

namespace millrace::store {
namespace {

constexpr mode_t kOwnerOnly = S_IRUSR | S_IWUSR;

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Result<void> write_whole(int descriptor, const std::string& path, ByteView content) {
  while (!content.empty()) {
    const ssize_t written = write(descriptor, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return posix_change_error("write", path, errno);
    content = content.subspan(static_cast<std::size_t>(written));
  }
  if (fsync(descriptor) != 0) return posix_change_error("sync", path, errno);
  return {};
}

// A new file with all of `content`.
Result<void> make_file(const std::string& path, ByteView content, mode_t mode) {
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return posix_change_error("remove", path, errno);
  const Descriptor file(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (file.get() < 0) return posix_error("make", path, errno);
  // Whatever the process's umask is.
  if (fchmod(file.get(), mode) != 0) return posix_change_error("make", path, errno);
  return write_whole(file.get(), path, content);
}

Result<void> sync_folder_of(const std::string& path) {
  const std::string parent = folder_of(path);
  const Descriptor folder(open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() < 0) return posix_error("open", parent, errno);
  if (fsync(folder.get()) != 0) return posix_change_error("sync", parent, errno);
  return {};
}

}  // namespace

Result<Bytes> read_private_file(const std::string& path, std::size_t bytes_max) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return posix_error("open", path, errno);
  struct stat about {};
  if (fstat(file.get(), &about) != 0) return posix_error("stat", path, errno);
  if ((about.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    return Error{ErrorKind::kInvalid, fmt::format("{} may be read by others (mode {:o}): must be 600", path,
                                                  about.st_mode & 0777u)};
  if (static_cast<std::size_t>(about.st_size) > bytes_max)
    return Error{ErrorKind::kInvalid,
                 fmt::format("{} has {} bytes: must have at most {}", path, about.st_size, bytes_max)};
  Bytes content;
  content.resize(static_cast<std::size_t>(about.st_size));
  std::size_t done = 0;
  while (done < content.size()) {
    const ssize_t got = read(file.get(), content.data() + done, content.size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return posix_error("read", path, errno);
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  content.resize(done);
  return content;
}

Result<void> make_private_file(const std::string& path, ByteView content) {
  const std::string fresh = path + ".new";
  MR_TRY(make_file(fresh, content, kOwnerOnly));
  // Never over one that is there: what it holds may be needed.
  if (link(fresh.c_str(), path.c_str()) != 0) return posix_change_error("make", path, errno);
  unlink(fresh.c_str());
  return sync_folder_of(path);
}

Result<void> replace_public_file(const std::string& path, ByteView content) {
  const std::string fresh = path + ".new";
  MR_TRY(make_file(fresh, content, kOwnerOnly | S_IRGRP | S_IROTH));
  if (rename(fresh.c_str(), path.c_str()) != 0) return posix_change_error("make", path, errno);
  return sync_folder_of(path);
}

}  // namespace millrace::store
