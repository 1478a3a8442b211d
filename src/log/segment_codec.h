// log/segment_codec.h: the bytes of a segment's header, index and trailer (docs/format.md, "Segment").
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "log/segment.h"

namespace millrace::log {

// Of the formats that are read and written: docs/format.md.
inline constexpr std::uint16_t kFirstSegmentVersion = 1;  // without a folder
inline constexpr std::uint16_t kSegmentVersion = 2;

struct SegmentTrailer {
  std::uint64_t footer_position;
  std::uint64_t blocks;
  std::uint32_t footer_crc;
};

// folder   whose it is; 0: the bytes are those of version 1
std::array<std::uint8_t, kSegmentHeaderBytes> encode_segment_header(std::uint64_t number,
                                                                    std::uint64_t folder);
bool segment_header_is_good(ByteView bytes, std::uint64_t number);
// Of a good header; 0: it does not say.
std::uint64_t segment_header_folder(ByteView bytes);
std::array<std::uint8_t, kSegmentTrailerBytes> encode_segment_trailer(const SegmentTrailer& trailer);
// nullopt when it is damaged, or does not fit a file of `file_bytes`.
std::optional<SegmentTrailer> decode_segment_trailer(ByteView bytes, std::uint64_t file_bytes);
void append_block_entry(Bytes& footer, const BlockEntry& block);
// errors   kCorrupt: an entry that cannot be, of a file whose blocks end at `blocks_end`
Result<std::vector<BlockEntry>> decode_block_entries(ByteView footer, std::uint64_t blocks_end);

}  // namespace millrace::log
