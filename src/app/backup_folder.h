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

// In a folder that is no data folder to be served: a backup, or a restore that did not end.
inline constexpr std::string_view kBackupMark = "BACKUP";

// errors   kInvalid: `disk` has the mark
Result<void> refuse_backup(store::Disk& disk);

class BackupFolder {
 public:
  // Makes the folder where it is missing, and holds it. What a backup that was cut off left in it goes.
  // errors   kUnavailable: another process holds it, or the disk said no
  static Result<std::unique_ptr<BackupFolder>> open(const std::string& path);

  // Numbers of the complete backups, rising.
  const std::vector<std::uint64_t>& complete() const { return complete_; }
  std::string path_of(std::uint64_t number) const;

  // A new, empty backup that does not count before commit(); there until then.
  // errors   kUnavailable
  Result<store::Disk*> begin();
  std::uint64_t number() const { return number_; }
  // Puts the segment of the newest complete backup into the new one, if it is the same; false: it is not
  // there.
  bool link_segment(const log::SegmentEntry& segment);
  // Makes the new one durable and complete.
  Result<void> commit();
  // Removes complete backups but for the newest `keep`.
  Result<void> remove_older(std::size_t keep);

 private:
  explicit BackupFolder(std::string path) : path_(std::move(path)) {}
  Result<void> find();
  std::string unfinished() const;

  std::string path_;
  std::unique_ptr<store::Disk> disk_;
  std::vector<std::uint64_t> complete_;
  std::uint64_t number_ = 0;
  std::vector<log::SegmentEntry> newest_;  // its segments
  std::unique_ptr<store::Disk> begun_;
};

// Path of the backup of that number in `folder`, or of its newest complete one.
// errors   kNotFound
Result<std::string> find_backup(const std::string& folder, std::optional<std::uint64_t> number);

}  // namespace millrace::app
