// log/journal_scan.h: reads a loop's journal from a position to its end, and decides what the end is: where
// writing stopped, or damage. Changes nothing. Decision 0003 says how the two are told apart.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "log/frame.h"
#include "log/journal_file.h"
#include "log/manifest.h"

namespace millrace::log {

struct ScannedFrame {
  const JournalFile& file;
  std::uint64_t offset;
  FrameHeader header;
  ByteView payload;     // checked runs; valid during the call
  JournalPosition end;  // where the frame behind it goes
  std::uint32_t sum;    // frame_sum()
};

struct JournalScan {
  // All files of the loop: the first `in_use` hold what was scanned, in order (the last is where writing goes
  // on); the others are ready for another use.
  std::vector<std::shared_ptr<JournalFile>> files;
  std::size_t in_use = 1;
  JournalPosition end;
  struct LastFrame {
    std::size_t file;  // in `files`
    std::uint64_t offset;
    std::size_t bytes;
  };
  std::optional<LastFrame> last_frame;
  bool clean_stop = false;
  std::uint64_t generation_max = 0;
  // Says what was cut off, when a write had not ended.
  std::string torn;
};

// Opens the loop's files and calls `visit` for each frame from the manifest's position on.
// folder   whose they must be: the manifest's origin
// errors   kCorrupt: damage, or what `visit` found; names file, offset and what is readable.  kUnavailable
Result<JournalScan> scan_journal(store::Disk& disk, std::uint32_t loop, const LoopManifest& manifest,
                                 std::uint64_t folder, store::Disk::Mode mode,
                                 const std::function<Result<void>(const ScannedFrame&)>& visit);

}  // namespace millrace::log
