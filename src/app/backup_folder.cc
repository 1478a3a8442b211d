#include "app/backup_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "app/backup_mark.h"
#include "log/segment.h"
#include "log/segment_copy.h"
#include "store/folder_file.h"
#include "store/folder_tree.h"
#include "store/posix_disk.h"

namespace millrace::app {
namespace {

using enum ErrorKind;

constexpr std::string_view kUnfinished = ".part";

std::string name_of(std::uint64_t number) { return fmt::format("{:06}", number); }

// Of a backup's folder; nullopt: it is none.
std::optional<std::uint64_t> number_of(std::string_view name) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc{} || end != name.data() + name.size() || name != name_of(number))
    return std::nullopt;
  return number;
}

std::string_view without_ending(std::string_view name) {
  return name.substr(0, name.size() - kUnfinished.size());
}

// nullopt: what is there, a folder or not, has no mark.
Result<std::optional<BackupMark>> mark_at(const std::string& path) {
  if (!store::is_folder(path)) return std::optional<BackupMark>{};
  MR_ASSIGN(const auto disk, store::open_posix_disk_read_only(path));
  return read_backup_mark(*disk);
}

// As the first step of a backup leaves it when it is cut off: nothing of anybody is in it.
Result<bool> is_bare(const std::string& path) {
  if (!store::is_folder(path)) return false;
  MR_ASSIGN(const auto disk, store::open_posix_disk_read_only(path));
  MR_ASSIGN(const auto names, disk->list(""));
  for (const std::string& name : names) {
    if (name != "LOCK" && name != kBackupMark) return false;
    MR_ASSIGN(const auto file, disk->open(name, store::Disk::Mode::kRead));
    MR_ASSIGN(const std::uint64_t size, file->size());
    if (size != 0) return false;
  }
  return true;
}

}  // namespace

bool looks_like_data(const std::string& folder) {
  return store::is_file(fmt::format("{}/{}", folder, store::kFolderFile)) ||
         store::is_file(fmt::format("{}/{}", folder, kBackupMark)) ||
         store::is_file(fmt::format("{}/{}", folder, kRestoreMark)) ||
         (store::is_folder(folder + "/control") && store::is_folder(folder + "/log"));
}

Result<void> check_outside_data(const std::string& folder, const std::string& data) {
  MR_ASSIGN(const std::string real, store::real_path(folder));
  if (!data.empty()) {
    MR_ASSIGN(const std::string live, store::real_path(data));
    if (real == live)
      return Error{kInvalid, fmt::format("{} is the data folder itself, {}: name a folder outside of it",
                                         folder, live)};
    if (real.starts_with(live + "/"))
      return Error{kInvalid,
                   fmt::format("{} is inside the data folder {}: name a folder outside of it", folder, live)};
  }
  for (std::string above = real; !above.empty(); above.resize(above.rfind('/'))) {
    if (!looks_like_data(above)) continue;
    const bool is_backup = store::is_file(fmt::format("{}/{}", above, kBackupMark));
    const bool is_restore = store::is_file(fmt::format("{}/{}", above, kRestoreMark));
    const std::string what = is_backup ? "a backup" : is_restore ? "an unfinished restore" : "a data folder";
    return Error{kInvalid, above == real ? fmt::format("{} is {}: name another folder", folder, what)
                                         : fmt::format("{} is inside {}, which is {}: name another folder",
                                                       folder, above, what)};
  }
  return {};
}

Result<std::unique_ptr<BackupFolder>> BackupFolder::open(const std::string& path, std::uint64_t origin) {
  std::unique_ptr<BackupFolder> opened(new BackupFolder(path, origin));
  MR_ASSIGN(opened->disk_, store::open_posix_disk(path));
  MR_TRY(opened->find());
  return opened;
}

Result<void> BackupFolder::find() {
  MR_ASSIGN(const auto names, disk_->list(""));
  // First all is looked at, so that nothing goes from a folder of other backups.
  std::vector<std::string> unfinished;
  for (const std::string& name : names) {
    if (const auto number = number_of(name))
      MR_TRY(take_complete(*number));
    else if (name.ends_with(kUnfinished) && number_of(without_ending(name)))
      unfinished.push_back(name);
  }
  for (const std::string& name : unfinished) MR_TRY(clear_unfinished(name));
  std::sort(complete_.begin(), complete_.end());
  pick_number(names);
  if (complete_.empty()) return {};
  MR_ASSIGN(const auto newest, store::open_posix_disk_read_only(path_of(complete_.back())));
  auto manifest = log::read_manifest(*newest);
  if (manifest.ok()) newest_ = std::move(manifest->segments);  // else nothing is shared with it
  return {};
}

Result<void> BackupFolder::take_complete(std::uint64_t number) {
  const std::string path = path_of(number);
  MR_ASSIGN(const auto mark, mark_at(path));
  if (!mark || !mark->complete) {
    left_alone_.push_back(path);
    return {};
  }
  if (mark->folder != origin_)
    return Error{kInvalid,
                 fmt::format("{} is a backup of another data folder, {:016x}: this one is {:016x}. Name "
                             "another folder for the backups",
                             path, mark->folder, origin_)};
  complete_.push_back(number);
  return {};
}

Result<void> BackupFolder::clear_unfinished(const std::string& name) {
  const std::string path = path_ + "/" + name;
  MR_ASSIGN(const auto mark, mark_at(path));
  MR_ASSIGN(const bool bare, is_bare(path));
  if (bare || (mark && mark->folder == origin_)) return store::remove_tree(path, kBackupMark);
  left_alone_.push_back(path);
  return {};
}

// Behind the newest, and none that something else has.
void BackupFolder::pick_number(const std::vector<std::string>& names) {
  const auto has = [&](const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  const auto is_left = [&](const std::string& name) {
    return std::find(left_alone_.begin(), left_alone_.end(), path_ + "/" + name) != left_alone_.end();
  };
  number_ = complete_.empty() ? 1 : complete_.back() + 1;
  while (has(name_of(number_)) || is_left(name_of(number_) + std::string(kUnfinished))) ++number_;
}

std::string BackupFolder::path_of(std::uint64_t number) const { return path_ + "/" + name_of(number); }
std::string BackupFolder::unfinished() const { return path_of(number_) + std::string(kUnfinished); }

Result<store::Disk*> BackupFolder::begin() {
  MR_ASSIGN(begun_, store::open_posix_disk(unfinished()));
  MR_TRY(begin_backup_mark(*begun_, origin_));
  MR_TRY(begun_->make_folder("log/segments"));
  return begun_.get();
}

bool BackupFolder::link_segment(const log::SegmentEntry& segment) {
  const bool same = std::any_of(newest_.begin(), newest_.end(), [&](const log::SegmentEntry& there) {
    return there.number == segment.number && there.bytes == segment.bytes &&
           there.footer_crc == segment.footer_crc;
  });
  if (!same) return false;
  // A file system without links, or with too many of this file: it is copied.
  const std::string path = "/" + log::segment_path(segment.number);
  return store::link_file(path_of(complete_.back()) + path, unfinished() + path, segment.bytes);
}

Result<void> BackupFolder::commit() {
  MR_TRY(end_backup_mark(*begun_));
  MR_TRY(store::sync_folders(*begun_, unfinished()));
  begun_.reset();
  MR_TRY(disk_->rename_new(name_of(number_) + std::string(kUnfinished), name_of(number_)));
  MR_TRY(disk_->sync_folder(""));
  complete_.push_back(number_);
  return {};
}

Result<void> BackupFolder::remove_older(std::size_t keep) {
  while (complete_.size() > std::max<std::size_t>(keep, 1)) {
    const std::string name = name_of(complete_.front());
    const std::string leaving = name + std::string(kUnfinished);
    complete_.erase(complete_.begin());
    if (auto renamed = disk_->rename_new(name, leaving); !renamed.ok()) {
      if (renamed.error().kind != kConflict) return renamed;
      left_alone_.push_back(path_ + "/" + name);  // another folder has the name
      continue;
    }
    MR_TRY(disk_->sync_folder(""));
    MR_TRY(store::remove_tree(path_ + "/" + leaving, kBackupMark));
  }
  return {};
}

Result<std::string> find_backup(const std::string& folder, std::optional<std::uint64_t> number) {
  MR_ASSIGN(const auto disk, store::open_posix_disk_read_only(folder));
  MR_ASSIGN(const auto names, disk->list(""));
  std::optional<std::uint64_t> found;
  for (const std::string& name : names) {
    const auto each = number_of(name);
    if (!each || (number && each != number)) continue;
    MR_ASSIGN(const auto mark, mark_at(fmt::format("{}/{}", folder, name)));
    if (mark && mark->complete) found = std::max(found.value_or(0), *each);
    if (number && (!mark || !mark->complete))
      return Error{kNotFound, fmt::format("{}/{} has no whole mark of a backup, the file {}", folder, name,
                                          kBackupMark)};
  }
  if (!found)
    return Error{kNotFound, number ? fmt::format("{} has no complete backup {}", folder, name_of(*number))
                                   : fmt::format("{} has no complete backup", folder)};
  return folder + "/" + name_of(*found);
}

Result<void> refuse_folder_of_backups(const std::string& folder) {
  if (looks_like_data(folder)) return {};
  const auto newest = find_backup(folder, std::nullopt);
  if (!newest.ok()) return {};  // what else is wrong with it, the command itself says
  return Error{kInvalid, fmt::format("{} is a folder of backups: name one of them, such as the newest, {}",
                                     folder, *newest)};
}

}  // namespace millrace::app
