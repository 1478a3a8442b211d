// log/frame.h: the bytes of a journal frame (docs/format.md, "Journal frame"): a header, a table with the
// CRC32C of each chunk of the payload, the payload, and padding to whole blocks. A mark is a header alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.h"

namespace millrace::log {

// What a disk may tear, at most, and where frames begin. A multiple of every sector size in use.
inline constexpr std::size_t kBlockBytes = 4096;
inline constexpr std::size_t kFrameHeaderBytes = 56;
inline constexpr std::size_t kChunkBytes = 4096;
inline constexpr std::size_t kChunkSumBytes = 8;  // CRC32C, and XOR of its words
inline constexpr std::size_t kFramePayloadBytesMax = 128u << 20;

enum class FrameKind : std::uint16_t {
  kGroup = 1,      // a group of runs
  kMark = 2,       // no payload: says how far the journal is durable
  kCleanStop = 3,  // as kMark, and the writer stopped behind it
};

// Of the format that is written: docs/format.md.
inline constexpr std::uint16_t kJournalVersion = 1;

struct FrameHeader {
  FrameKind kind = FrameKind::kGroup;
  std::uint64_t generation = 0;     // of the file's use
  std::uint64_t salt = 0;           // of the file's use: random, so that no payload can pose as a frame
  std::uint64_t sequence = 0;       // of the group; a mark has that of the last group before it
  std::uint64_t durable_up_to = 0;  // newest group that was durable when this was written; 0: none
  std::uint32_t payload_bytes = 0;
};

constexpr std::size_t chunk_count(std::size_t payload_bytes) {
  return (payload_bytes + kChunkBytes - 1) / kChunkBytes;
}
// From the frame's begin to its payload.
constexpr std::size_t payload_begin(std::size_t payload_bytes) {
  return kFrameHeaderBytes + kChunkSumBytes * chunk_count(payload_bytes);
}
// In the file: whole blocks.
constexpr std::size_t frame_bytes(std::size_t payload_bytes) {
  const std::size_t bytes = payload_begin(payload_bytes) + payload_bytes;
  return (bytes + kBlockBytes - 1) / kBlockBytes * kBlockBytes;
}

// Makes a frame of `payload` to be written as pieces, without copying the payload.
class FrameSealer {
 public:
  // The pieces, frame_bytes() in all; they borrow `payload` and this sealer, until the next call.
  std::span<const ByteView> seal(const FrameHeader& header, std::span<const ByteView> payload);
  // Of the frame that was sealed last: frame_sum() of it.
  std::uint32_t sum() const { return sum_; }

 private:
  Bytes head_;
  Bytes padding_;
  std::vector<ByteView> pieces_;
  std::uint32_t sum_ = 0;
};

// By what a frame is told from every other: its header's CRC, which covers the sums of all that is in it.
// frame   whole, or its header
std::uint32_t frame_sum(ByteView frame);

enum class FrameFault : std::uint8_t {
  kNone,
  kOther,   // not a frame of this generation with this sequence: the journal's end, or something overwritten
  kTorn,    // begins as the frame that was asked for, and does not go on as it: a write that did not end
  kOneBit,  // that frame but for one bit: rot
};

// The header in the block at `bytes` (at least kFrameHeaderBytes), when its own CRC holds.
std::optional<FrameHeader> load_frame_header(ByteView bytes);

struct FrameCheck {
  FrameFault fault;
  FrameHeader header;     // when fault is kNone or kTorn
  ByteView payload;       // when fault is kNone; into `bytes`
  std::size_t bytes = 0;  // when fault is kNone: the frame's length
  std::uint32_t sum = 0;  // likewise: frame_sum()
};
// Looks for the group `sequence` of `generation` and `salt` at the begin of `bytes`, which go to the end of
// the file.
FrameCheck check_frame(ByteView bytes, std::uint64_t generation, std::uint64_t salt, std::uint64_t sequence);

}  // namespace millrace::log
