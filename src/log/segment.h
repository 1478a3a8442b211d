// log/segment.h: an immutable file of settled records: blocks of many shards, then an index of them.
// Bytes: docs/format.md, "Segment".
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "log/manifest.h"
#include "log/record.h"
#include "store/disk.h"

namespace millrace::log {

// Consecutive records of one shard in a segment, as the footer has it.
struct BlockEntry {
  ShardKey shard;
  std::uint64_t first_offset;
  std::int64_t first_arrival_ms;
  std::int64_t last_arrival_ms;
  std::uint64_t position;  // in the file
  std::uint32_t count;     // of records
  std::uint32_t stored_bytes;
  std::uint32_t raw_bytes;
  std::uint32_t crc;    // CRC32C of the stored bytes
  std::uint32_t codec;  // a Codec

  std::uint64_t end_offset() const { return first_offset + count; }
};

class Segment;

// As a shard's loop keeps it.
struct BlockRef {
  std::uint64_t first_offset;
  std::int64_t first_arrival_ms;
  std::int64_t last_arrival_ms;
  std::uint64_t position;
  std::uint32_t segment;  // its number
  std::uint32_t count;
  std::uint32_t stored_bytes;
  std::uint32_t raw_bytes;
  std::uint32_t crc;
  std::uint32_t codec;

  // In place of a Codec: its records are lost, an operator said so, and readers go on behind them.
  static constexpr std::uint32_t kLost = 0xffff'ffff;

  std::uint64_t end_offset() const { return first_offset + count; }
  bool is_lost() const { return codec == kLost; }
};
BlockRef make_ref(const BlockEntry& entry, std::uint32_t segment);

inline constexpr std::size_t kSegmentHeaderBytes = 32;
inline constexpr std::size_t kBlockEntryBytes = 64;
inline constexpr std::size_t kSegmentTrailerBytes = 32;

std::string segment_path(std::uint64_t number);
std::optional<std::uint64_t> segment_number(std::string_view name);

// Any thread.
class Segment {
 public:
  Segment(std::uint64_t number, std::string path, std::unique_ptr<store::File> file, std::uint64_t bytes,
          std::uint32_t footer_crc, const std::vector<BlockEntry>& blocks)
      : number_(number),
        path_(std::move(path)),
        file_(std::move(file)),
        bytes_(bytes),
        footer_crc_(footer_crc) {
    for (const BlockEntry& block : blocks) block_bytes_ += block.stored_bytes;
    live_bytes = static_cast<std::int64_t>(block_bytes_);
  }

  std::uint64_t number() const { return number_; }
  const std::string& path() const { return path_; }
  store::File& file() { return *file_; }
  std::uint64_t bytes() const { return bytes_; }
  // Of its blocks, without header and index.
  std::uint64_t block_bytes() const { return block_bytes_; }
  SegmentEntry entry() const { return {number_, bytes_, footer_crc_}; }

  // Bytes of blocks that some shard still has; loops count them down.
  std::atomic<std::int64_t> live_bytes{0};
  // Every loop knows its blocks: it may be rewritten.
  std::atomic<bool> applied{false};
  // Some of it cannot be read, or is marked as lost: it is not rewritten, and stays until all of it is gone.
  std::atomic<bool> damaged{false};

 private:
  std::uint64_t number_;
  std::string path_;
  std::unique_ptr<store::File> file_;
  std::uint64_t bytes_;
  std::uint32_t footer_crc_;
  std::uint64_t block_bytes_ = 0;
};

struct OpenedSegment {
  std::shared_ptr<Segment> segment;
  std::vector<BlockEntry> blocks;  // by shard, then offset
};
// Reads and checks header, trailer and footer; not the blocks.
// errors   kCorrupt: missing, cut short, or damaged; names file and offset.  kUnavailable
Result<OpenedSegment> open_segment(store::Disk& disk, const SegmentEntry& entry);

// Reads, checks and unpacks a block: runs of one shard, back to back.
// errors   kCorrupt: names file, offset and records.  kUnavailable
Result<Bytes> load_block(store::Disk& disk, Segment& segment, const BlockRef& block);

}  // namespace millrace::log
