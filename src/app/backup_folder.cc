#include "app/backup_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "log/segment.h"
#include "log/segment_copy.h"
#include "store/folder_tree.h"
#include "store/posix_disk.h"

namespace millrace::app {
namespace {

using enum ErrorKind;

constexpr std::size_t kDigits = 6;
constexpr std::string_view kUnfinished = ".part";

// Of a backup's folder; nullopt: it is none.
std::optional<std::uint64_t> number_of(std::string_view name) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (name.size() < kDigits || error != std::errc{} || end != name.data() + name.size()) return std::nullopt;
  return number;
}

std::string name_of(std::uint64_t number) { return fmt::format("{:06}", number); }

}  // namespace

Result<void> refuse_backup(store::Disk& disk) {
  if (const auto mark = disk.open(kBackupMark, store::Disk::Mode::kRead); !mark.ok()) {
    if (mark.error().kind == kNotFound) return {};
    return mark.error();
  }
  return Error{kInvalid,
               fmt::format("{} is there: this folder is a backup, or a restore that did not end. `millrace "
                           "restore` makes a data folder of a backup",
                           disk.describe(kBackupMark))};
}

Result<std::unique_ptr<BackupFolder>> BackupFolder::open(const std::string& path) {
  std::unique_ptr<BackupFolder> opened(new BackupFolder(path));
  MR_ASSIGN(opened->disk_, store::open_posix_disk(path));
  MR_TRY(opened->find());
  return opened;
}

Result<void> BackupFolder::find() {
  MR_ASSIGN(const auto names, disk_->list(""));
  std::uint64_t last = 0;
  for (const std::string& name : names) {
    if (const auto number = number_of(name)) {
      complete_.push_back(*number);
      last = std::max(last, *number);
    } else if (name.ends_with(kUnfinished) &&
               number_of(std::string_view(name).substr(0, name.size() - kUnfinished.size()))) {
      MR_TRY(store::remove_tree(path_ + "/" + name));
    }
  }
  std::sort(complete_.begin(), complete_.end());
  number_ = last + 1;
  if (complete_.empty()) return {};
  MR_ASSIGN(const auto newest, store::open_posix_disk_read_only(path_of(complete_.back())));
  auto manifest = log::read_manifest(*newest);
  if (manifest.ok()) newest_ = std::move(manifest->segments);  // else nothing is shared with it
  return {};
}

std::string BackupFolder::path_of(std::uint64_t number) const { return path_ + "/" + name_of(number); }
std::string BackupFolder::unfinished() const { return path_of(number_) + std::string(kUnfinished); }

Result<store::Disk*> BackupFolder::begin() {
  MR_ASSIGN(begun_, store::open_posix_disk(unfinished()));
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
    MR_TRY(disk_->rename_new(name, leaving));
    MR_TRY(disk_->sync_folder(""));
    MR_TRY(store::remove_tree(path_ + "/" + leaving));
    complete_.erase(complete_.begin());
  }
  return {};
}

Result<std::string> find_backup(const std::string& folder, std::optional<std::uint64_t> number) {
  MR_ASSIGN(const auto disk, store::open_posix_disk_read_only(folder));
  MR_ASSIGN(const auto names, disk->list(""));
  std::optional<std::uint64_t> found;
  for (const std::string& name : names)
    if (const auto each = number_of(name); each && (!number || each == number))
      found = std::max(found.value_or(0), *each);
  if (!found)
    return Error{kNotFound, number ? fmt::format("{} has no complete backup {}", folder, name_of(*number))
                                   : fmt::format("{} has no complete backup", folder)};
  return folder + "/" + name_of(*found);
}

}  // namespace millrace::app
