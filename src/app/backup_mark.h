// app/backup_mark.h: the files in a data folder that say it is not to be served: a backup, or a restore that
// did not end. docs/backup.md, "Marks".
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "store/disk.h"

namespace millrace::app {

inline constexpr std::string_view kBackupMark = "BACKUP";
// Made first and removed last by `millrace restore`.
inline constexpr std::string_view kRestoreMark = "RESTORE";

struct BackupMark {
  std::uint64_t folder = 0;  // number of the data folder that was backed up
  bool complete = false;
  std::string keyring;  // digest of the backup's; empty: it has none, or the mark is of an earlier version
};

// The mark of a backup that begins. Durable.   errors   as the disk's
Result<void> begin_backup_mark(store::Disk& disk, std::uint64_t folder);
// Completes it: all of the backup is there.
Result<void> end_backup_mark(store::Disk& disk);
// nullopt: there is none, or it is not what this program writes.
// errors   kUnavailable
Result<std::optional<BackupMark>> read_backup_mark(store::Disk& disk);
// Digest of the file "keyring"; empty: there is none.
Result<std::string> keyring_digest(store::Disk& disk);

Result<void> put_restore_mark(store::Disk& disk);
Result<void> remove_restore_mark(store::Disk& disk);

// errors   kInvalid: `disk` has one of the marks
Result<void> refuse_backup(store::Disk& disk);

}  // namespace millrace::app
