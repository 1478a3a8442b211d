// log/segment_copy.h: the parts of a log that a backup carries from one data folder to another: segments,
// which never change, and a manifest of them with an empty journal. Calls block.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/random.h"
#include "log/manifest.h"
#include "log/write_pace.h"
#include "store/disk.h"

namespace millrace::log {

// Positions of the blocks of a segment that an operator has given up: that they are damaged is no news.
using LostBlocks = std::vector<std::uint64_t>;

// Copies the segment, durably, and reads the copy back from the disk. What stands there already is
// overwritten.
//   goes_on  called now and then; its error ends the copying
//   returns  a line for each block that is damaged in `from` too, and so in the copy
//   errors   kUnavailable  a disk said no; or the segment is gone or cut, by a server that was started anew
//            kCorrupt      header or index are damaged, or the copy is not what was copied
Result<std::vector<std::string>> copy_segment(store::Disk& from, const SegmentEntry& segment,
                                              const LostBlocks& lost, store::Disk& to, WritePace& pace,
                                              const std::function<Result<void>()>& goes_on);

// Reads a segment of `disk` in full, from the disk and not from the machine's memory of it.
//   was_read  called after each block with its bytes; its error ends the reading
//   returns   a line for each damaged block
//   errors    kCorrupt  header or index are damaged, or the file is missing or cut
Result<std::vector<std::string>> check_segment(
    store::Disk& disk, const SegmentEntry& segment, const LostBlocks& lost,
    const std::function<Result<void>(std::uint64_t bytes)>& was_read = nullptr);

// Makes a manifest of these segments and floors the newest one of `disk`, which has no log yet but may have
// segments, with a journal that is empty: all of the manifest's records are in segments.
//   errors   as File::write_at
Result<void> begin_log(store::Disk& disk, const Manifest& manifest, WritePace& pace, Random& random);

// The newest manifest of a log at rest.
//   errors   kCorrupt  there is none, or it is damaged; names it
Result<Manifest> read_manifest(store::Disk& disk);

}  // namespace millrace::log
