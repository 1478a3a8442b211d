// app/backup_folder.h: a folder of backups. Each is a data folder of its own, "000007", which shares segments
// with the ones before it by hard links; docs/backup.md.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "log/manifest.h"
#include "store/disk.h"

namespace millrace::app {

// Whether a data folder, a backup or an unfinished restore is at the path, by the names in it.
bool looks_like_data(const std::string& folder);

// For commands that take one data folder, or one backup.
// errors   kInvalid: backups are in `folder`, which is none itself; the text names the newest
Result<void> refuse_folder_of_backups(const std::string& folder);

// Whether backups may be made in `folder`, which need not exist, or a data folder be restored into it. It
// must be outside of every data folder and backup, by whatever links its path leads there.
//   data     the folder that is backed up; empty: none
//   errors   kInvalid: the text says what is there
Result<void> check_outside_data(const std::string& folder, const std::string& data);

class BackupFolder {
 public:
  // Makes the folder where it is missing, and holds it. What a backup of `origin` that was cut off left in it
  // goes; what nothing shows to be of `origin` stays as it is.
  //   origin   number of the data folder
  //   errors   kInvalid: it has backups of another data folder.  kUnavailable: another process holds it, or
  //            the disk said no
  static Result<std::unique_ptr<BackupFolder>> open(const std::string& path, std::uint64_t origin);

  // Folders in it that have the name of a backup and not its mark: they are not touched. Paths.
  const std::vector<std::string>& left_alone() const { return left_alone_; }
  // Numbers of the complete backups, rising.
  const std::vector<std::uint64_t>& complete() const { return complete_; }
  std::string path_of(std::uint64_t number) const;

  // A new backup, empty but for its mark, that does not count before commit(); there until then.
  // errors   kUnavailable
  Result<store::Disk*> begin();
  std::uint64_t number() const { return number_; }
  // Puts the segment of the newest complete backup into the new one, if it is the same; false: it is not
  // there.
  bool link_segment(const log::SegmentEntry& segment);
  // Makes the new one durable and complete.
  Result<void> commit();
  // Removes complete backups of this data folder except the newest `keep`.
  Result<void> remove_older(std::size_t keep);

 private:
  BackupFolder(std::string path, std::uint64_t origin) : path_(std::move(path)), origin_(origin) {}
  Result<void> find();
  Result<void> take_complete(std::uint64_t number);
  Result<void> clear_unfinished(const std::string& name);
  void pick_number(const std::vector<std::string>& names);
  std::string unfinished() const;

  std::string path_;
  std::uint64_t origin_;
  std::unique_ptr<store::Disk> disk_;
  std::vector<std::uint64_t> complete_;
  std::vector<std::string> left_alone_;
  std::uint64_t number_ = 0;
  std::vector<log::SegmentEntry> newest_;  // its segments
  std::unique_ptr<store::Disk> begun_;
};

// Path of the backup of that number in `folder`, or of its newest complete one. Folders without a whole mark
// are none.
// errors   kNotFound
Result<std::string> find_backup(const std::string& folder, std::optional<std::uint64_t> number);

}  // namespace millrace::app
