// app/folder_copy.h: carries a data folder to another, part by part, and reads back what it wrote: what
// backup and restore have in common. Calls block.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "log/manifest.h"
#include "log/segment_copy.h"
#include "log/write_pace.h"
#include "store/disk.h"
#include "store/object_store.h"

namespace millrace::app {

struct CopyCounts {
  std::uint64_t segments = 0;         // in the copy
  std::uint64_t copied_segments = 0;  // of them, those that it did not share
  std::uint64_t copied_bytes = 0;     // of them
  std::uint64_t read_back_bytes = 0;  // of those that it shares
  std::vector<std::string> damaged;   // a line for each block that is damaged where it was copied from
  std::vector<std::string>
      renewed;  // a line for each damage of a segment that was to be shared, and was copied
};

// "3 segments, 1 of them copied with 4096 bytes, all read back"
std::string describe(const CopyCounts& counts);

// What this process writes from now on is its own user's alone; and it yields to a server.
void copy_politely();

class FolderCopy {
 public:
  // from, to     borrowed; `to` is empty but for its lock
  // bytes_per_s  of segments that are copied, at most, and eight times that of those only read; 0: as the
  //              disk can
  static Result<std::unique_ptr<FolderCopy>> begin(store::Disk& from, store::Disk& to,
                                                   std::uint64_t bytes_per_s);

  // From now on a segment that cannot be read as one is a line in counts().damaged instead of an error.
  void pass_losses() { passes_losses_ = true; }

  // A file at the top of the folder, or in keys/. Not there: nothing is copied.
  Result<void> copy_file(const std::string& path);
  // All such files, except LOCK and what is being written.
  Result<void> copy_files();
  // Names of the chains below control/.
  Result<std::vector<std::string>> chains();
  Result<void> copy_chain(const std::string& chain);
  store::ObjectStore& control() { return *control_; }

  // Segments, and then the manifest: the copy has a log.
  //   link     puts a segment there some other way; false: it is to be copied. What it puts is read back, and
  //            copied instead where it is damaged
  //   goes_on  called now and then; its error ends the copying
  Result<void> copy_log(const log::Manifest& manifest,
                        const std::function<bool(const log::SegmentEntry&)>& link,
                        const std::function<Result<void>()>& goes_on);

  const CopyCounts& counts() const { return counts_; }

 private:
  FolderCopy(store::Disk& from, store::Disk& to, std::uint64_t bytes_per_s);
  Result<void> copy_segment(const log::SegmentEntry& segment, const log::LostBlocks& lost,
                            const std::function<Result<void>()>& goes_on);
  // Whether the segment that was linked is whole.
  Result<bool> read_back(const log::SegmentEntry& segment, const log::LostBlocks& lost,
                         const std::function<Result<void>()>& goes_on);

  store::Disk& from_;
  store::Disk& to_;
  std::unique_ptr<store::ObjectStore> control_;
  std::atomic<std::uint64_t> no_journal_{0};
  log::WritePace pace_;
  log::WritePace read_pace_;
  bool passes_losses_ = false;
  CopyCounts counts_;
};

}  // namespace millrace::app
