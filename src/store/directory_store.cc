#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <set>
#include <string>

#include "store/object_name.h"
#include "store/object_store.h"

namespace millrace::store {
namespace {

std::string_view folder_of(std::string_view path) {
  const std::size_t slash = path.find_last_of('/');
  return slash == std::string_view::npos ? std::string_view{} : path.substr(0, slash);
}

std::string joined(std::string_view folder, std::string_view name) {
  std::string path(folder);
  if (!path.empty() && !name.empty()) path += '/';
  path += name;
  return path;
}

// An error of a step before the object had its name: nothing is there, whatever that step left.
Error not_created(Error error) { return {ErrorKind::kUnavailable, std::move(error.text)}; }

class DirectoryStore final : public ObjectStore {
 public:
  DirectoryStore(Disk& disk, std::string_view folder) : disk_(disk), folder_(folder) {}

  // Clears what a crash left, and makes durable the names that a killed process did not.
  Result<void> recover() {
    MR_TRY(disk_.make_folder(folder_));
    return recover_folder(folder_);
  }

  Result<void> put_if_absent(std::string_view name, ByteView content) override {
    MR_TRY(check_object_name(name));
    const std::string path = path_of(name);
    const std::string folder(folder_of(path));
    if (auto made = make_folder_once(folder); !made.ok()) return not_created(std::move(made).error());
    if (auto there = disk_.open(path, Disk::Mode::kRead); there.ok()) return conflict(path);

    const std::string unfinished = path + std::string(kUnfinishedMark) + std::to_string(++puts_);
    if (auto written = write_whole(unfinished, content); !written.ok()) {
      discard(unfinished);
      return not_created(std::move(written).error());
    }
    mark_unsettled(path);
    if (auto renamed = disk_.rename_new(unfinished, path); !renamed.ok()) {
      discard(unfinished);
      const ErrorKind kind = renamed.error().kind;
      if (kind == ErrorKind::kUnknown) return renamed;  // it may be there: stays marked
      unmark(path);
      if (kind == ErrorKind::kConflict) return conflict(path);
      return not_created(std::move(renamed).error());
    }
    if (auto synced = disk_.sync_folder(folder); !synced.ok())
      return Error{ErrorKind::kUnknown, std::move(synced.error().text)};
    unmark(path);
    return {};
  }

  Result<Bytes> get(std::string_view name) override {
    MR_ASSIGN(const std::unique_ptr<File> file, open_object(name));
    MR_ASSIGN(const std::uint64_t bytes, file->size());
    return read(*file, name, 0, bytes);
  }

  Result<Bytes> get_range(std::string_view name, std::uint64_t offset, std::uint64_t length) override {
    MR_ASSIGN(const std::unique_ptr<File> file, open_object(name));
    MR_ASSIGN(const std::uint64_t bytes, file->size());
    if (offset > bytes || length > bytes - offset)
      return Error{ErrorKind::kInvalid, disk_.describe(path_of(name)) + " has " + std::to_string(bytes) +
                                            " bytes: no " + std::to_string(length) + " from " +
                                            std::to_string(offset)};
    return read(*file, name, offset, length);
  }

  Result<std::vector<Entry>> list(std::string_view prefix) override {
    if (!prefix.empty()) {
      if (prefix.back() != '/')
        return Error{ErrorKind::kInvalid, "prefix '" + std::string(prefix) + "' does not end in '/'"};
      prefix.remove_suffix(1);
      MR_TRY(check_object_name(prefix));
    }
    std::vector<Entry> entries;
    auto listed = list_folder(prefix, entries);
    if (!listed.ok() && listed.error().kind != ErrorKind::kNotFound) return std::move(listed).error();
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.name < b.name; });
    return entries;
  }

  Result<void> remove(std::string_view name) override {
    MR_TRY(check_object_name(name));
    const std::string path = path_of(name);
    MR_TRY(disk_.remove(path));
    auto synced = disk_.sync_folder(folder_of(path));
    if (!synced.ok() && synced.error().kind == ErrorKind::kNotFound) return {};  // nothing was ever put there
    return synced;
  }

 private:
  std::string path_of(std::string_view name) const { return joined(folder_, name); }

  Error conflict(const std::string& path) const {
    return {ErrorKind::kConflict, disk_.describe(path) + " is there already"};
  }

  Result<void> make_folder_once(const std::string& folder) {
    {
      const std::lock_guard lock(mutex_);
      if (made_folders_.count(folder) != 0) return {};
    }
    MR_TRY(disk_.make_folder(folder));
    const std::lock_guard lock(mutex_);
    made_folders_.insert(folder);
    return {};
  }

  Result<void> write_whole(const std::string& path, ByteView content) {
    MR_ASSIGN(const std::unique_ptr<File> file, disk_.open(path, Disk::Mode::kCreate));
    const std::array<ByteView, 1> pieces{content};
    MR_TRY(file->write_at(0, pieces));
    return file->sync();
  }

  // What cannot be removed now is removed at the next open, and never listed.
  void discard(const std::string& unfinished) {
    [[maybe_unused]] const Result<void> removed = disk_.remove(unfinished);
  }

  Result<std::unique_ptr<File>> open_object(std::string_view name) {
    MR_TRY(check_object_name(name));
    const std::string path = path_of(name);
    auto file = disk_.open(path, Disk::Mode::kRead);
    // Opened first: what was there then is durable once its folder is.
    if (file.ok() && is_unsettled(path)) {
      if (auto synced = disk_.sync_folder(folder_of(path)); !synced.ok())
        return Error{ErrorKind::kUnavailable, std::move(synced.error().text)};
    }
    return file;
  }

  Result<Bytes> read(File& file, std::string_view name, std::uint64_t offset, std::uint64_t length) {
    Bytes content;
    content.resize(length);
    MR_ASSIGN(const std::size_t got, file.read_at(offset, {content.data(), content.size()}));
    if (got != length)
      return Error{ErrorKind::kCorrupt, disk_.describe(path_of(name)) + " ends at " +
                                            std::to_string(offset + got) + ": cut short"};
    return content;
  }

  // `folder`: relative to the store's own.
  Result<void> list_folder(std::string_view folder, std::vector<Entry>& entries) {
    MR_ASSIGN(const std::vector<std::string> names, disk_.list(path_of(folder)));
    for (const std::string& entry : names) {
      if (entry.find(kUnfinishedMark) != std::string::npos) continue;
      std::string name = joined(folder, entry);
      auto file = open_object(name);
      if (file.ok()) {
        MR_ASSIGN(const std::uint64_t bytes, (*file)->size());
        entries.push_back({std::move(name), bytes});
        continue;
      }
      if (file.error().kind == ErrorKind::kInvalid) continue;  // not ours: no object has such a name
      if (file.error().kind != ErrorKind::kNotFound) return std::move(file).error();
      auto below = list_folder(name, entries);  // a folder, or removed meanwhile
      if (!below.ok() && below.error().kind != ErrorKind::kNotFound) return below;
    }
    return {};
  }

  Result<void> recover_folder(const std::string& folder) {
    MR_ASSIGN(const std::vector<std::string> names, disk_.list(folder));
    for (const std::string& name : names) {
      const std::string path = joined(folder, name);
      if (name.find(kUnfinishedMark) != std::string::npos) {
        MR_TRY(disk_.remove(path));
        continue;
      }
      auto below = recover_folder(path);
      if (!below.ok() && below.error().kind != ErrorKind::kNotFound) return below;  // kNotFound: it is a file
    }
    return disk_.sync_folder(folder);
  }

  // Between the rename and the end of the sync an object can be seen that a power loss would take back.
  void mark_unsettled(const std::string& path) {
    const std::lock_guard lock(mutex_);
    unsettled_.insert(path);
  }
  void unmark(const std::string& path) {
    const std::lock_guard lock(mutex_);
    unsettled_.erase(unsettled_.find(path));
  }
  bool is_unsettled(const std::string& path) {
    const std::lock_guard lock(mutex_);
    return unsettled_.count(path) != 0;
  }

  Disk& disk_;
  const std::string folder_;
  std::atomic<std::uint64_t> puts_ = 0;
  std::mutex mutex_;
  std::set<std::string> made_folders_;    // durably: each put would sync the folder above otherwise
  std::multiset<std::string> unsettled_;  // one for each put of the name that is under way or ended in doubt
};

}  // namespace

Result<std::unique_ptr<ObjectStore>> open_directory_store(Disk& disk, std::string_view folder) {
  auto store = std::make_unique<DirectoryStore>(disk, folder);
  MR_TRY(store->recover());
  return std::unique_ptr<ObjectStore>(std::move(store));
}

}  // namespace millrace::store
