// log/manifest.h: what the log consists of, as one small numbered object. Bytes: docs/format.md, "Manifest".
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/folder_clock.h"
#include "base/result.h"
#include "log/record.h"
#include "store/origin.h"

namespace millrace::log {

// Of the formats that are read and written: docs/format.md.
inline constexpr std::uint16_t kFirstManifestVersion = 1;  // without an origin
inline constexpr std::uint16_t kManifestVersion = 2;       // with an origin
inline constexpr std::uint16_t kManifestVersionWithLost =
    3;  // with lost blocks, and an origin, perhaps of zeros

// Where a loop's journal goes on: the group `sequence` stands at `offset` of this use of this file, or at the
// begin of the next use, or does not exist yet. All groups before it are in segments.
struct JournalPosition {
  std::uint64_t file = 0;
  std::uint64_t generation = 0;
  std::uint64_t offset = 0;
  std::uint64_t sequence = 0;
};

struct JournalFileEntry {
  std::uint64_t number;
  std::uint64_t bytes;
};

struct LoopManifest {
  std::int64_t last_arrival_ms = 0;  // of the records in segments
  std::uint64_t next_file = 1;       // numbers from here on were never given
  JournalPosition position;
  std::vector<JournalFileEntry> files;  // all that exist, sorted by number
};

struct SegmentEntry {
  std::uint64_t number;
  std::uint64_t bytes;
  std::uint32_t footer_crc;
};

struct Manifest {
  store::Origin origin;
  std::uint64_t next_segment = 1;
  std::vector<LoopManifest> loops;
  std::vector<SegmentEntry> segments;  // sorted by number
  // Shards that had blocks in segments that are gone: records before this offset are gone, and the shard's
  // end is not before it either.
  std::map<ShardKey, std::uint64_t> floors;
  // Blocks that an operator has given up, by segment: their positions in it, rising.
  std::map<std::uint64_t, std::vector<std::uint64_t>> lost;
  ClockMark clock;
};

// Whatever its number, in order.
void add_segment(Manifest& manifest, const SegmentEntry& entry);

// Without a folder in its origin, the bytes are those of version 1.
Bytes encode_manifest(const Manifest& manifest, std::uint64_t number);
// errors   kCorrupt: says what is wrong at which byte
Result<Manifest> decode_manifest(ByteView bytes, std::uint64_t number);

}  // namespace millrace::log
