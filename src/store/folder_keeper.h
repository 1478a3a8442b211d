// store/folder_keeper.h: keeps the file FOLDER up with what its parts note.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "base/loop.h"
#include "base/result.h"
#include "store/folder_file.h"

namespace millrace::store {

// Any thread. Notes made while a write is under way go out together with the next one.
class FolderKeeper final : public PartMarks {
 public:
  // disk     borrowed; outlives the keeper
  // record   of this start: its count is this start's
  // warn     called once for each time that writing begins to fail
  FolderKeeper(Disk& disk, FolderRecord record, std::unique_ptr<Worker> worker,
               std::function<void(const std::string& line)> warn);

  const Origin& origin() const { return origin_; }
  // Makes the record durable, with the notes up to now. Before it nothing of this start may be written.
  // errors   as the disk's
  Result<void> begin();
  void note(const std::string& part, PartMark mark) override;
  void forget(const std::string& part) override;
  // Makes all notes up to now durable. Blocks.
  // errors   as the disk's
  Result<void> flush();

 private:
  bool must_schedule();
  void write_later();

  Disk& disk_;
  const Origin origin_;
  const std::function<void(const std::string& line)> warn_;
  std::mutex mutex_;  // of what follows
  FolderRecord record_;
  bool begun_ = false;
  bool scheduled_ = false;
  std::mutex write_mutex_;  // of what follows; taken before mutex_
  std::unique_ptr<FolderFile> file_;
  bool failing_ = false;
  // Last member: its destructor ends the work that uses the others.
  std::unique_ptr<Worker> worker_;
};

}  // namespace millrace::store
