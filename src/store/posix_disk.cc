#include "store/posix_disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "store/posix_error.h"
#include "store/posix_file.h"

namespace millrace::store {
namespace {

constexpr int kFolderFlags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
constexpr mode_t kFolderMode = 0750;
constexpr mode_t kFileMode = 0640;  // records are the tenants': not for every user of the machine

int open_retried(int folder, const char* path, int flags, mode_t mode = 0) {
  for (;;) {
    const int fd = openat(folder, path, flags, mode);
    if (fd >= 0 || errno != EINTR) return fd;
  }
}

Result<void> sync_descriptor(int fd, std::string_view where) {
  while (fsync(fd) != 0) {
    if (errno == EINTR) continue;
    return Error{ErrorKind::kUnknown, posix_error_text("sync folder", where, errno)};
  }
  return {};
}

std::string_view parent_of(std::string_view path) {
  const std::size_t slash = path.find_last_of('/');
  if (slash == std::string_view::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// "" is the root of the disk.
std::string or_root(std::string_view path) { return path.empty() ? "." : std::string(path); }

// Makes `path` below `base` with its parents and makes their names durable, also where another had just made
// them. An ancestor that was there before is left alone: a service may not read what is above its folder.
Result<void> make_folders(int base, const std::string& path, std::string_view described) {
  struct stat status {};
  const bool is_there = fstatat(base, path.c_str(), &status, 0) == 0;
  if (is_there && !S_ISDIR(status.st_mode)) return posix_error("make folder", described, ENOTDIR);
  const std::string parent(parent_of(path));
  if (!is_there) {
    if (parent != "." && parent != "/") MR_TRY(make_folders(base, parent, described));
    if (mkdirat(base, path.c_str(), kFolderMode) != 0 && errno != EEXIST)
      return Error{ErrorKind::kUnavailable, posix_error_text("make folder", described, errno)};
  }
  const Descriptor opened{open_retried(base, parent.c_str(), kFolderFlags)};
  if (!opened.ok()) {
    if (is_there && errno == EACCES) return {};
    return posix_error("open folder above", described, errno);
  }
  return sync_descriptor(opened.get(), described);
}

class PosixDisk final : public Disk {
 public:
  PosixDisk(std::string root, Descriptor folder, Descriptor lock, bool read_only)
      : root_(std::move(root)), folder_(std::move(folder)), lock_(std::move(lock)), read_only_(read_only) {}

  Result<std::unique_ptr<File>> open(std::string_view path, Mode mode) override {
    if (mode != Mode::kRead) MR_TRY(check_writable(path));
    int flags = O_CLOEXEC | (mode == Mode::kRead ? O_RDONLY : O_RDWR);
    if (mode == Mode::kCreate) flags |= O_CREAT | O_EXCL;
    Descriptor fd{open_retried(folder_.get(), std::string(path).c_str(), flags, kFileMode)};
    if (!fd.ok()) return posix_error(mode == Mode::kCreate ? "create" : "open", describe(path), errno);
    struct stat status {};
    if (mode == Mode::kRead && fstat(fd.get(), &status) == 0 && S_ISDIR(status.st_mode))
      return posix_error("open", describe(path),
                         ENOENT);  // open(2) reads folders too; they are no files here
    return make_posix_file(std::move(fd), describe(path));
  }

  Result<std::vector<std::string>> list(std::string_view folder) override {
    Descriptor fd{open_retried(folder_.get(), or_root(folder).c_str(), kFolderFlags)};
    if (!fd.ok()) return posix_error("list", describe(folder), errno);
    DIR* stream = fdopendir(fd.get());
    if (stream == nullptr) return posix_error("list", describe(folder), errno);
    fd.release();  // the stream owns it now
    const std::unique_ptr<DIR, int (*)(DIR*)> closed_at_end(stream, closedir);
    std::vector<std::string> names;
    for (;;) {
      errno = 0;
      const dirent* entry = readdir(stream);
      if (entry == nullptr) break;
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
    }
    if (errno != 0) return posix_error("list", describe(folder), errno);
    std::sort(names.begin(), names.end());
    return names;
  }

  Result<void> make_folder(std::string_view folder) override {
    MR_TRY(check_writable(folder));
    return make_folders(folder_.get(), or_root(folder), describe(folder));
  }

  Result<void> rename(std::string_view from, std::string_view to) override { return rename(from, to, 0); }
  Result<void> rename_new(std::string_view from, std::string_view to) override {
    return rename(from, to, RENAME_NOREPLACE);
  }

  Result<void> remove(std::string_view path) override {
    MR_TRY(check_writable(path));
    if (unlinkat(folder_.get(), std::string(path).c_str(), 0) != 0 && errno != ENOENT)
      return posix_change_error("remove", describe(path), errno);
    return {};
  }

  Result<void> sync_folder(std::string_view folder) override {
    MR_TRY(check_writable(folder));
    const Descriptor fd{open_retried(folder_.get(), or_root(folder).c_str(), kFolderFlags)};
    if (!fd.ok()) return posix_error("sync folder", describe(folder), errno);
    return sync_descriptor(fd.get(), describe(folder));
  }

  Result<std::uint64_t> free_bytes() override {
    struct statvfs status {};
    while (fstatvfs(folder_.get(), &status) != 0) {
      if (errno == EINTR) continue;
      return posix_error("ask free space of", root_, errno);
    }
    return std::uint64_t{status.f_bavail} * status.f_frsize;
  }

  std::string describe(std::string_view path) const override {
    return path.empty() ? root_ : root_ + '/' + std::string(path);
  }

 private:
  Result<void> check_writable(std::string_view path) const {
    if (read_only_)
      return Error{ErrorKind::kInvalid, describe(path) + ": the folder was opened only to read"};
    return {};
  }

  Result<void> rename(std::string_view from, std::string_view to, unsigned flags) {
    MR_TRY(check_writable(from));
    const std::string source(from);
    const std::string target(to);
    if (renameat2(folder_.get(), source.c_str(), folder_.get(), target.c_str(), flags) != 0)
      return posix_change_error("rename", describe(from) + " to " + describe(to), errno);
    return {};
  }

  const std::string root_;
  const Descriptor folder_;
  const Descriptor lock_;  // holds the flock until it closes; none where read_only_
  const bool read_only_;
};

// The folder as an absolute path, for messages that mean something from any working directory.
std::string absolute(const std::string& folder) {
  const std::unique_ptr<char, void (*)(void*)> path(realpath(folder.c_str(), nullptr), std::free);
  return path ? path.get() : folder;
}

// "process 4711 holds it", where the holder has left its number.
std::string holder_of(int lock) {
  std::array<char, 32> text{};
  const ssize_t got = pread(lock, text.data(), text.size() - 1, 0);
  const long pid = got > 0 ? std::strtol(text.data(), nullptr, 10) : 0;
  return pid > 0 ? "process " + std::to_string(pid) + " holds it" : "another process holds it";
}

Result<Descriptor> take_lock(int folder, const std::string& root) {
  Descriptor lock{open_retried(folder, "LOCK", O_RDWR | O_CREAT | O_CLOEXEC, kFileMode)};
  if (!lock.ok()) return Error{ErrorKind::kUnavailable, posix_error_text("open lock", root + "/LOCK", errno)};
  while (flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno == EWOULDBLOCK)
      return Error{ErrorKind::kUnavailable, root + " is in use: " + holder_of(lock.get())};
    return Error{ErrorKind::kUnavailable, posix_error_text("lock", root + "/LOCK", errno)};
  }
  // The number serves the message above only: on a full disk it may be missing.
  const std::string pid = std::to_string(getpid()) + '\n';
  if (ftruncate(lock.get(), 0) == 0) {
    [[maybe_unused]] const ssize_t wrote = pwrite(lock.get(), pid.data(), pid.size(), 0);
  }
  return lock;
}

Result<Descriptor> open_root(const std::string& folder) {
  Descriptor fd{open_retried(AT_FDCWD, folder.c_str(), kFolderFlags)};
  if (!fd.ok()) return Error{ErrorKind::kUnavailable, posix_error_text("open folder", folder, errno)};
  return fd;
}

}  // namespace

Result<std::unique_ptr<Disk>> open_posix_disk(const std::string& folder) {
  if (auto made = make_folders(AT_FDCWD, or_root(folder), folder); !made.ok())
    return Error{ErrorKind::kUnavailable, std::move(made.error().text)};
  MR_ASSIGN(Descriptor root, open_root(or_root(folder)));
  const std::string name = absolute(or_root(folder));
  MR_ASSIGN(Descriptor lock, take_lock(root.get(), name));
  return std::unique_ptr<Disk>(std::make_unique<PosixDisk>(name, std::move(root), std::move(lock), false));
}

Result<std::unique_ptr<Disk>> open_posix_disk_read_only(const std::string& folder) {
  MR_ASSIGN(Descriptor root, open_root(or_root(folder)));
  return std::unique_ptr<Disk>(
      std::make_unique<PosixDisk>(absolute(or_root(folder)), std::move(root), Descriptor{}, true));
}

}  // namespace millrace::store
