#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "base/assert.h"
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

// NAME.tmp-NUMBER, as a put writes it.
bool is_unfinished(std::string_view name) {
  const std::size_t mark = name.rfind(kUnfinishedMark);
  if (mark == std::string_view::npos || mark == 0) return false;
  const std::string_view digits = name.substr(mark + kUnfinishedMark.size());
  return !digits.empty() &&
         std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// An error of a step before the object had its name: nothing is there, whatever that step left.
Error not_created(Error error) { return {ErrorKind::kUnavailable, std::move(error.text)}; }

class DirectoryStore final : public ObjectStore {
 public:
  DirectoryStore(Disk& disk, std::string_view folder, Conditions* conditions)
      : disk_(disk), folder_(folder), conditions_(conditions) {}

  // Clears what a crash left, and makes durable the names that a killed process did not.
  Result<void> recover() {
    MR_TRY(disk_.make_folder(folder_));
    return recover_folder(folder_);
  }

  Result<void> put_if_absent(std::string_view name, ByteView content) override {
    MR_ASSIGN(Unfinished made, begin(name));
    if (auto written = write_whole(made.unfinished, content); !written.ok()) {
      discard(made.unfinished);
      return not_created(std::move(written).error());
    }
    return give_name(made);
  }

  Result<std::unique_ptr<Writer>> create(std::string_view name, std::size_t head_bytes) override {
    MR_ASSIGN(Unfinished made, begin(name));
    auto file = disk_.open(made.unfinished, Disk::Mode::kCreate);
    if (!file.ok()) return not_created(std::move(file).error());
    return std::unique_ptr<Writer>(
        std::make_unique<FileWriter>(*this, std::move(made), std::move(*file), head_bytes));
  }

  Result<void> confirm(std::string_view name, ByteView content) override {
    MR_TRY(check_object_name(name));
    auto confirmed = make_hold(path_of(name), content);
    if (conditions_ != nullptr) tell(name, confirmed);
    return confirmed;
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

  Result<void> remove(std::span<const std::string> names) override {
    std::set<std::string> folders;
    for (const std::string& name : names) {
      MR_TRY(check_object_name(name));
      const std::string path = path_of(name);
      MR_TRY(disk_.remove(path));
      folders.emplace(folder_of(path));
    }
    for (const std::string& folder : folders)
      if (auto synced = disk_.sync_folder(folder);
          !synced.ok() && synced.error().kind != ErrorKind::kNotFound)  // nothing was ever put there
        return synced;
    return {};
  }

 private:
  // A file on its way to its name.
  struct Unfinished {
    std::string path;
    std::string unfinished;  // its name until then
  };

  class FileWriter final : public Writer {
   public:
    FileWriter(DirectoryStore& store, Unfinished made, std::unique_ptr<File> file, std::size_t head_bytes)
        : store_(store),
          made_(std::move(made)),
          file_(std::move(file)),
          head_bytes_(head_bytes),
          end_(head_bytes) {}
    ~FileWriter() override {
      file_.reset();
      if (!finished_) store_.discard(made_.unfinished);
    }

    Result<void> append(ByteView piece) override {
      MR_TRY(write(end_, piece));
      end_ += piece.size();
      return {};
    }

    Result<void> finish(ByteView head) override {
      MR_ASSERT(head.size() == head_bytes_);
      MR_TRY(write(0, head));
      finished_ = true;
      return store_.give_name(made_);
    }

   private:
    Result<void> write(std::uint64_t offset, ByteView bytes) {
      const std::array<ByteView, 1> pieces{bytes};
      auto written = file_->write_at(offset, pieces);
      if (written.ok()) written = file_->sync();
      if (!written.ok()) return not_created(std::move(written).error());
      return written;
    }

    DirectoryStore& store_;
    const Unfinished made_;
    std::unique_ptr<File> file_;
    const std::size_t head_bytes_;
    std::uint64_t end_;
    bool finished_ = false;
  };

  // errors   kConflict: the name is taken.  kUnavailable
  Result<Unfinished> begin(std::string_view name) {
    MR_TRY(check_object_name(name));
    std::string path = path_of(name);
    if (auto made = make_folder_once(std::string(folder_of(path))); !made.ok())
      return not_created(std::move(made).error());
    if (auto there = disk_.open(path, Disk::Mode::kRead); there.ok()) return conflict(path);
    std::string unfinished = path + std::string(kUnfinishedMark) + std::to_string(++puts_);
    return Unfinished{std::move(path), std::move(unfinished)};
  }

  // What was written whole, and synced, becomes the object.
  Result<void> give_name(const Unfinished& made) {
    mark_unsettled(made.path);
    if (auto renamed = disk_.rename_new(made.unfinished, made.path); !renamed.ok()) {
      discard(made.unfinished);
      const ErrorKind kind = renamed.error().kind;
      if (kind == ErrorKind::kUnknown) {  // it may be there: stays marked
        mark_to_make_again(made.path);
        return renamed;
      }
      unmark(made.path);
      if (kind == ErrorKind::kConflict) return conflict(made.path);
      return not_created(std::move(renamed).error());
    }
    if (auto synced = disk_.sync_folder(folder_of(made.path)); !synced.ok()) {
      if (synced.error().kind != ErrorKind::kUnavailable) mark_to_make_again(made.path);
      return Error{ErrorKind::kUnknown, std::move(synced.error().text)};
    }
    unmark(made.path);
    return {};
  }

  std::string path_of(std::string_view name) const { return joined(folder_, name); }

  Error conflict(const std::string& path) const {
    return {ErrorKind::kConflict, disk_.describe(path) + " is there already"};
  }

  Result<void> make_hold(const std::string& path, ByteView content) {
    auto there = read_whole(path);
    const bool missing = !there.ok() && there.error().kind == ErrorKind::kNotFound;
    if (!there.ok() && !missing) return not_created(std::move(there).error());
    if (there.ok() && there->text() != as_text(content)) return conflict(path);
    if (missing || is_to_make_again(path)) {
      // In place of the same bytes: whoever reads meanwhile sees no difference.
      const std::string unfinished = path + std::string(kUnfinishedMark) + std::to_string(++puts_);
      auto made = write_whole(unfinished, content);
      if (made.ok()) made = disk_.rename(unfinished, path);
      if (!made.ok()) {
        discard(unfinished);
        return not_created(std::move(made).error());
      }
    }
    if (auto synced = disk_.sync_folder(folder_of(path)); !synced.ok()) {
      if (synced.error().kind != ErrorKind::kUnavailable) mark_to_make_again(path);
      return not_created(std::move(synced).error());
    }
    const std::lock_guard lock(mutex_);
    to_make_again_.erase(path);
    if (const auto marked = unsettled_.find(path); marked != unsettled_.end()) unsettled_.erase(marked);
    return {};
  }

  void tell(std::string_view name, const Result<void>& confirmed) {
    const std::string part(name.substr(0, name.find('/')));
    const std::string condition = "change_in_doubt_" + part;
    if (confirmed.ok()) return conditions_->end(condition);
    conditions_->begin(
        {condition,
         "the last change below " + part + "/ may not be durable: changes there are refused until it is",
         confirmed.error().text});
  }

  Result<Bytes> read_whole(const std::string& path) {
    MR_ASSIGN(const std::unique_ptr<File> file, disk_.open(path, Disk::Mode::kRead));
    MR_ASSIGN(const std::uint64_t bytes, file->size());
    Bytes content;
    content.resize(bytes);
    MR_ASSIGN(const std::size_t got, file->read_at(0, {content.data(), content.size()}));
    content.resize(got);
    return content;
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
      if (is_unfinished(name)) {
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
  // The disk said that it failed to make the name durable: a sync that works later does not cover it.
  void mark_to_make_again(const std::string& path) {
    const std::lock_guard lock(mutex_);
    to_make_again_.insert(path);
  }
  bool is_to_make_again(const std::string& path) {
    const std::lock_guard lock(mutex_);
    return to_make_again_.count(path) != 0;
  }
  bool is_unsettled(const std::string& path) {
    const std::lock_guard lock(mutex_);
    return unsettled_.count(path) != 0;
  }

  Disk& disk_;
  const std::string folder_;
  Conditions* const conditions_;
  std::atomic<std::uint64_t> puts_ = 0;
  std::mutex mutex_;
  std::set<std::string> made_folders_;    // durably: each put would sync the folder above otherwise
  std::multiset<std::string> unsettled_;  // one for each put of the name that is under way or ended in doubt
  std::set<std::string> to_make_again_;   // of those in doubt
};

}  // namespace

Result<std::unique_ptr<ObjectStore>> open_directory_store(Disk& disk, std::string_view folder,
                                                          Conditions* conditions) {
  auto store = std::make_unique<DirectoryStore>(disk, folder, conditions);
  MR_TRY(store->recover());
  return std::unique_ptr<ObjectStore>(std::move(store));
}

std::unique_ptr<ObjectStore> view_directory_store(Disk& disk, std::string_view folder) {
  return std::make_unique<DirectoryStore>(disk, folder, nullptr);
}

}  // namespace millrace::store
