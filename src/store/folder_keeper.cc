#include "store/folder_keeper.h"

#include <fmt/format.h>

#include <utility>

namespace millrace::store {

FolderKeeper::FolderKeeper(Disk& disk, FolderRecord record, std::unique_ptr<Worker> worker,
                           std::function<void(const std::string& line)> warn)
    : disk_(disk),
      origin_(record.origin),
      warn_(std::move(warn)),
      record_(std::move(record)),
      worker_(std::move(worker)) {}

Result<void> FolderKeeper::begin() {
  const std::lock_guard writing(write_mutex_);
  const std::lock_guard lock(mutex_);
  MR_ASSIGN(file_, FolderFile::open(disk_, record_));
  begun_ = true;
  return {};
}

void FolderKeeper::note(const std::string& part, PartMark mark) {
  {
    const std::lock_guard lock(mutex_);
    PartMark& known = record_.parts[part];
    if (known == mark) return;
    known = std::move(mark);
    if (!must_schedule()) return;
  }
  write_later();
}

void FolderKeeper::forget(const std::string& part) {
  {
    const std::lock_guard lock(mutex_);
    if (record_.parts.erase(part) == 0 || !must_schedule()) return;
  }
  write_later();
}

// With mutex_ held.
bool FolderKeeper::must_schedule() { return begun_ && !std::exchange(scheduled_, true); }

void FolderKeeper::write_later() {
  worker_->run([this] {
    // A failure is only told: the parts are then ahead of the file, as after a crash.
    static_cast<void>(flush().ok());
  });
}

Result<void> FolderKeeper::flush() {
  const std::lock_guard writing(write_mutex_);
  FolderRecord record;
  {
    const std::lock_guard lock(mutex_);
    scheduled_ = false;
    record = record_;
  }
  MR_ASSERT(file_ != nullptr);
  auto written = file_->write(record);
  if (!written.ok() && !std::exchange(failing_, true))
    warn_(fmt::format("{} could not be written, and is tried again with the next change: {}",
                      disk_.describe(kFolderFile), written.error().text));
  if (written.ok()) failing_ = false;
  return written;
}

}  // namespace millrace::store
