#include "log/segment_codec.h"

#include <fmt/format.h>

#include "base/crc32c.h"
#include "base/little_endian.h"
#include "log/compression.h"
#include "log/frame.h"

namespace millrace::log {

namespace {

constexpr std::uint32_t kHeaderMagic = 0x4753524d;   // "MRSG"
constexpr std::uint32_t kTrailerMagic = 0x5453524d;  // "MRST"
constexpr std::size_t kSegmentFolderAt = 16;
constexpr std::size_t kSegmentCrcAt = 28;
static_assert(kSegmentCrcAt + 4 == kSegmentHeaderBytes && kSegmentCrcAt + 4 == kSegmentTrailerBytes);

bool entry_is_sound(const BlockEntry& block, const BlockEntry* before, std::uint64_t blocks_end) {
  if (block.count == 0 || block.end_offset() < block.first_offset ||
      block.first_arrival_ms > block.last_arrival_ms)
    return false;
  if (block.stored_bytes == 0 || block.raw_bytes == 0 || block.raw_bytes > kFramePayloadBytesMax)
    return false;
  if (block.codec > static_cast<std::uint32_t>(Codec::kZstd)) return false;
  if (block.position < kSegmentHeaderBytes || block.position > blocks_end ||
      block.stored_bytes > blocks_end - block.position)
    return false;
  if (block.codec == static_cast<std::uint32_t>(Codec::kNone) && block.stored_bytes != block.raw_bytes)
    return false;
  if (before == nullptr) return true;
  return before->shard < block.shard ||
         (before->shard == block.shard && before->end_offset() <= block.first_offset);
}

}  // namespace

std::array<std::uint8_t, kSegmentHeaderBytes> encode_segment_header(std::uint64_t number,
                                                                    std::uint64_t folder) {
  std::array<std::uint8_t, kSegmentHeaderBytes> out{};
  store_at<std::uint32_t>(out.data(), kHeaderMagic);
  store_at<std::uint16_t>(out.data() + 4, folder == 0 ? kFirstSegmentVersion : kSegmentVersion);
  store_at<std::uint64_t>(out.data() + 8, number);
  store_at<std::uint64_t>(out.data() + kSegmentFolderAt, folder);
  store_at<std::uint32_t>(out.data() + kSegmentCrcAt, crc32c({out.data(), kSegmentCrcAt}));
  return out;
}

bool segment_header_is_good(ByteView bytes, std::uint64_t number) {
  return bytes.size() >= kSegmentHeaderBytes && load<std::uint32_t>(bytes.data()) == kHeaderMagic &&
         (load<std::uint16_t>(bytes.data() + 4) == kFirstSegmentVersion ||
          load<std::uint16_t>(bytes.data() + 4) == kSegmentVersion) &&
         load<std::uint64_t>(bytes.data() + 8) == number &&
         load<std::uint32_t>(bytes.data() + kSegmentCrcAt) == crc32c(bytes.first(kSegmentCrcAt));
}

std::uint64_t segment_header_folder(ByteView bytes) {
  if (load<std::uint16_t>(bytes.data() + 4) == kFirstSegmentVersion) return 0;
  return load<std::uint64_t>(bytes.data() + kSegmentFolderAt);
}

std::array<std::uint8_t, kSegmentTrailerBytes> encode_segment_trailer(const SegmentTrailer& trailer) {
  std::array<std::uint8_t, kSegmentTrailerBytes> out{};
  store_at<std::uint64_t>(out.data(), trailer.footer_position);
  store_at<std::uint64_t>(out.data() + 8, trailer.blocks);
  store_at<std::uint32_t>(out.data() + 16, trailer.footer_crc);
  store_at<std::uint32_t>(out.data() + 20, kTrailerMagic);
  store_at<std::uint32_t>(out.data() + kSegmentCrcAt, crc32c({out.data(), kSegmentCrcAt}));
  return out;
}

std::optional<SegmentTrailer> decode_segment_trailer(ByteView bytes, std::uint64_t file_bytes) {
  if (bytes.size() < kSegmentTrailerBytes || load<std::uint32_t>(bytes.data() + 20) != kTrailerMagic ||
      load<std::uint32_t>(bytes.data() + kSegmentCrcAt) != crc32c(bytes.first(kSegmentCrcAt)))
    return std::nullopt;
  const SegmentTrailer trailer{load<std::uint64_t>(bytes.data()), load<std::uint64_t>(bytes.data() + 8),
                               load<std::uint32_t>(bytes.data() + 16)};
  const std::uint64_t footer_end = file_bytes - kSegmentTrailerBytes;
  if (trailer.footer_position < kSegmentHeaderBytes || trailer.footer_position > footer_end ||
      (footer_end - trailer.footer_position) / kBlockEntryBytes != trailer.blocks ||
      (footer_end - trailer.footer_position) % kBlockEntryBytes != 0)
    return std::nullopt;
  return trailer;
}

void append_block_entry(Bytes& footer, const BlockEntry& block) {
  std::uint8_t* at = footer.prepare(kBlockEntryBytes);
  store_at<std::uint64_t>(at, to_number(block.shard));
  store_at<std::uint64_t>(at + 8, block.first_offset);
  store_at<std::int64_t>(at + 16, block.first_arrival_ms);
  store_at<std::int64_t>(at + 24, block.last_arrival_ms);
  store_at<std::uint64_t>(at + 32, block.position);
  store_at<std::uint32_t>(at + 40, block.count);
  store_at<std::uint32_t>(at + 44, block.stored_bytes);
  store_at<std::uint32_t>(at + 48, block.raw_bytes);
  store_at<std::uint32_t>(at + 52, block.crc);
  store_at<std::uint32_t>(at + 56, block.codec);
  store_at<std::uint32_t>(at + 60, 0);
  footer.commit(kBlockEntryBytes);
}

Result<std::vector<BlockEntry>> decode_block_entries(ByteView footer, std::uint64_t blocks_end) {
  std::vector<BlockEntry> blocks;
  blocks.reserve(footer.size() / kBlockEntryBytes);
  for (std::size_t begin = 0; begin + kBlockEntryBytes <= footer.size(); begin += kBlockEntryBytes) {
    const std::uint8_t* at = footer.data() + begin;
    const BlockEntry block{ShardKey{load<std::uint64_t>(at)}, load<std::uint64_t>(at + 8),
                           load<std::int64_t>(at + 16),       load<std::int64_t>(at + 24),
                           load<std::uint64_t>(at + 32),      load<std::uint32_t>(at + 40),
                           load<std::uint32_t>(at + 44),      load<std::uint32_t>(at + 48),
                           load<std::uint32_t>(at + 52),      load<std::uint32_t>(at + 56)};
    if (!entry_is_sound(block, blocks.empty() ? nullptr : &blocks.back(), blocks_end))
      return Error{ErrorKind::kCorrupt, fmt::format("entry {} of its index cannot be", blocks.size())};
    blocks.push_back(block);
  }
  return blocks;
}

}  // namespace millrace::log
