#include "store/posix_disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>

#include "store/posix_error.h"
#include "store/posix_file.h"
#include "store/posix_folder.h"
#include "store/read_files.h"

namespace millrace::store {
namespace {

constexpr int kFolderFlags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
constexpr mode_t kFolderMode = 0750;
constexpr mode_t kFileMode = 0640;  // records are the tenants': not for every user of the machine

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

// Most files are segments, of which there may be more than a process may have open.
std::size_t read_files_max() {
  constexpr rlim_t kShare = 8;
  constexpr rlim_t kLeast = 8;
  constexpr rlim_t kMost = 1'024;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return kLeast;
  return std::clamp(limit.rlim_cur / kShare, kLeast, kMost);
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

// Where the process has no descriptor left, those of files that nobody reads at the moment are given up for
// it. files   nullptr: there are none
Descriptor open_making_room(int root, const std::string& name, int flags, ReadFiles* files) {
  Descriptor fd{open_retried(root, name.c_str(), flags, kFileMode)};
  if (fd.ok() || errno != EMFILE || files == nullptr) return fd;
  files->close_idle();
  return Descriptor{open_retried(root, name.c_str(), flags, kFileMode)};
}

Result<std::shared_ptr<File>> open_to_read(const PosixFolder& root, const std::string& name,
                                           const std::string& where, ReadFiles* files) {
  Descriptor fd = open_making_room(root.descriptor(), name, O_CLOEXEC | O_RDONLY, files);
  if (!fd.ok()) return posix_error("open", where, errno);
  struct stat status {};
  if (fstat(fd.get(), &status) == 0 && S_ISDIR(status.st_mode))
    return posix_error("open", where, ENOENT);  // open(2) reads folders too; they are no files here
  return std::shared_ptr<File>(make_posix_file(std::move(fd), where, nullptr));
}

// Each holds a flock until it closes. Descriptors of their own: files keep the folder's open after the disk.
struct Locks {
  Descriptor folder;
  Descriptor file;
};

class PosixDisk final : public Disk {
 public:
  PosixDisk(std::string root, Descriptor folder, Locks locks, bool read_only)
      : root_(std::move(root)),
        folder_(std::make_shared<const PosixFolder>(std::move(folder), root_)),
        locks_(std::move(locks)),
        read_only_(read_only),
        read_files_(std::make_shared<ReadFiles>(read_files_max())) {}

  Result<std::unique_ptr<File>> open(std::string_view path, Mode mode) override {
    const std::string name(path);
    if (mode == Mode::kRead) {
      auto again = [root = folder_, name, where = describe(path),
                    files = std::weak_ptr(read_files_)]() -> Result<std::shared_ptr<File>> {
        const auto alive = files.lock();
        return open_to_read(*root, name, where, alive.get());
      };
      MR_ASSIGN(std::shared_ptr<File> opened, again());
      return read_files_->add(std::move(opened), std::move(again));
    }
    MR_TRY(check_writable(path));
    const std::size_t slash = path.find_last_of('/');
    MR_ASSIGN(auto folder, open_folder(slash == std::string_view::npos ? "" : path.substr(0, slash)));
    const int flags = O_CLOEXEC | O_RDWR | (mode == Mode::kCreate ? O_CREAT | O_EXCL : 0);
    Descriptor fd = open_making_room(folder_->descriptor(), name, flags, read_files_.get());
    if (!fd.ok()) return posix_error(mode == Mode::kCreate ? "create" : "open", describe(path), errno);
    return make_posix_file(std::move(fd), describe(path), std::move(folder));
  }

  Result<std::vector<std::string>> list(std::string_view folder) override {
    Descriptor fd{open_retried(folder_->descriptor(), or_root(folder).c_str(), kFolderFlags)};
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
    MR_TRY(check_kept(folder));
    MR_TRY(make_folders(folder_->descriptor(), or_root(folder), describe(folder)));
    MR_TRY(open_folder(folder));  // from now on it can be synced, however many files are open then
    return {};
  }

  Result<void> rename(std::string_view from, std::string_view to) override { return rename(from, to, 0); }
  Result<void> rename_new(std::string_view from, std::string_view to) override {
    return rename(from, to, RENAME_NOREPLACE);
  }

  Result<void> remove(std::string_view path) override {
    MR_TRY(check_writable(path));
    if (unlinkat(folder_->descriptor(), std::string(path).c_str(), 0) != 0 && errno != ENOENT)
      return posix_change_error("remove", describe(path), errno);
    return {};
  }

  Result<void> sync_folder(std::string_view folder) override {
    MR_TRY(check_writable(folder));
    MR_ASSIGN(const auto opened, open_folder(folder));
    return opened->sync();
  }

  Result<void> check_in_place() override {
    MR_TRY(folder_->check_in_place());
    struct statvfs status {};
    if (fstatvfs(folder_->descriptor(), &status) != 0) return posix_error("ask about", root_, errno);
    if (!read_only_ && (status.f_flag & ST_RDONLY) != 0)
      return Error{ErrorKind::kUnavailable, root_ + " is on a file system that is mounted read-only now"};
    std::vector<std::shared_ptr<const PosixFolder>> folders;
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [name, folder] : folders_) folders.push_back(folder);
    }
    for (const auto& folder : folders) MR_TRY(folder->check_in_place());
    return {};
  }

  Result<std::uint64_t> free_bytes() override {
    struct statvfs status {};
    while (fstatvfs(folder_->descriptor(), &status) != 0) {
      if (errno == EINTR) continue;
      return posix_error("ask free space of", root_, errno);
    }
    return std::uint64_t{status.f_bavail} * status.f_frsize;
  }

  std::string describe(std::string_view path) const override {
    return path.empty() ? root_ : root_ + '/' + std::string(path);
  }

 private:
  // One that was moved away is not made anew: when it is put back it would end up inside of the new one.
  Result<void> check_kept(std::string_view folder) {
    std::shared_ptr<const PosixFolder> kept;
    {
      const std::lock_guard lock(mutex_);
      if (const auto found = folders_.find(folder); found != folders_.end()) kept = found->second;
    }
    return kept != nullptr ? kept->check_in_place() : Result<void>{};
  }

  Result<void> check_writable(std::string_view path) const {
    if (read_only_)
      return Error{ErrorKind::kInvalid, describe(path) + ": the folder was opened only to read"};
    return {};
  }

  Result<void> rename(std::string_view from, std::string_view to, unsigned flags) {
    MR_TRY(check_writable(from));
    const std::string source(from);
    const std::string target(to);
    const int root = folder_->descriptor();
    if (renameat2(root, source.c_str(), root, target.c_str(), flags) != 0)
      return posix_change_error("rename", describe(from) + " to " + describe(to), errno);
    forget_folder(source);
    return {};
  }

  // A folder below the root, kept open once it was asked for.
  // errors   kNotFound, kUnavailable
  Result<std::shared_ptr<const PosixFolder>> open_folder(std::string_view name) {
    if (name.empty()) return folder_;
    const std::lock_guard lock(mutex_);
    const auto found = folders_.find(name);
    if (found != folders_.end()) return found->second;
    MR_ASSIGN(std::shared_ptr<const PosixFolder> opened,
              PosixFolder::open(folder_->descriptor(), std::string(name), describe(name)));
    return folders_.emplace(name, std::move(opened)).first->second;
  }

  // `name`, and all below it, if it was a folder, which stands somewhere else now.
  void forget_folder(const std::string& name) {
    const std::string below = name + '/';
    const std::lock_guard lock(mutex_);
    std::erase_if(folders_,
                  [&](const auto& entry) { return entry.first == name || entry.first.starts_with(below); });
  }

  const std::string root_;
  const std::shared_ptr<const PosixFolder> folder_;
  const Locks locks_;  // none where read_only_
  const bool read_only_;
  const std::shared_ptr<ReadFiles> read_files_;
  std::mutex mutex_;
  // By name: those that files were written in. A few, and as many as the server has folders.
  std::map<std::string, std::shared_ptr<const PosixFolder>, std::less<>> folders_;
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

// As flock with LOCK_EX; errno where it fails, else 0.
int lock_descriptor(int fd) {
  while (flock(fd, LOCK_EX | LOCK_NB) != 0)
    if (errno != EINTR) return errno;
  return 0;
}

// On the folder itself, which has no name that could be removed under the server.
Result<Descriptor> lock_folder(int root_descriptor, const std::string& root) {
  Descriptor folder{open_retried(root_descriptor, ".", kFolderFlags)};
  if (!folder.ok()) return posix_error("open folder", root, errno);
  switch (const int error = lock_descriptor(folder.get())) {
    case 0:
    // NFS wants a descriptor that writes.
    case EBADF:
    case EINVAL:
    case ENOLCK:
    case EOPNOTSUPP:
      return folder;
    case EWOULDBLOCK: {
      const Descriptor lock{open_retried(root_descriptor, "LOCK", O_RDONLY | O_CLOEXEC)};
      return Error{ErrorKind::kUnavailable, root + " is in use: " + holder_of(lock.get())};
    }
    default:
      return Error{ErrorKind::kUnavailable, posix_error_text("lock", root, error)};
  }
}

Result<Locks> take_locks(int folder, const std::string& root) {
  MR_ASSIGN(Descriptor folder_lock, lock_folder(folder, root));
  Descriptor lock{open_retried(folder, "LOCK", O_RDWR | O_CREAT | O_CLOEXEC, kFileMode)};
  if (!lock.ok()) return Error{ErrorKind::kUnavailable, posix_error_text("open lock", root + "/LOCK", errno)};
  const int error = lock_descriptor(lock.get());
  if (error == EWOULDBLOCK)
    return Error{ErrorKind::kUnavailable, root + " is in use: " + holder_of(lock.get())};
  if (error != 0) return Error{ErrorKind::kUnavailable, posix_error_text("lock", root + "/LOCK", error)};
  return Locks{std::move(folder_lock), std::move(lock)};
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
  MR_ASSIGN(Locks locks, take_locks(root.get(), name));
  return std::unique_ptr<Disk>(std::make_unique<PosixDisk>(name, std::move(root), std::move(locks), false));
}

Result<void> check_not_in_use(const std::string& folder) {
  MR_ASSIGN(const Descriptor root, open_root(or_root(folder)));
  const Descriptor lock{open_retried(root.get(), "LOCK", O_RDONLY | O_CLOEXEC)};
  for (const int held : {root.get(), lock.get()}) {
    int error = 0;
    while (held >= 0 && flock(held, LOCK_SH | LOCK_NB) != 0 && (error = errno) == EINTR) continue;
    if (error == EWOULDBLOCK)
      return Error{ErrorKind::kUnavailable,
                   absolute(or_root(folder)) + " is in use: " + holder_of(lock.get())};
  }
  return {};
}

void name_holder(Disk& disk) {
  auto lock = disk.open("LOCK", Disk::Mode::kWrite);
  if (!lock.ok() || !(*lock)->truncate(0).ok()) return;
  const std::string pid = std::to_string(getpid()) + '\n';
  const ByteView piece = as_bytes(pid);
  static_cast<void>((*lock)->write_at(0, {&piece, 1}).ok());
}

Result<std::unique_ptr<Disk>> open_posix_disk_read_only(const std::string& folder) {
  MR_ASSIGN(Descriptor root, open_root(or_root(folder)));
  return std::unique_ptr<Disk>(
      std::make_unique<PosixDisk>(absolute(or_root(folder)), std::move(root), Locks{}, true));
}

}  // namespace millrace::store
