#include "log/frame.h"

#include <algorithm>

#include "base/crc32c.h"
#include "log/byte_error.h"
#include "log/little_endian.h"

namespace millrace::log {

namespace {

constexpr std::uint32_t kMagic = 0x464a524d;  // "MRJF"
constexpr std::uint16_t kVersion = 1;
constexpr std::size_t kTableCrcAt = 48;
constexpr std::size_t kHeaderCrcAt = 52;
static_assert(kHeaderCrcAt + 4 == kFrameHeaderBytes);

void store_header(std::uint8_t* at, const FrameHeader& header, std::uint32_t table_crc) {
  store_at<std::uint32_t>(at, kMagic);
  store_at<std::uint16_t>(at + 4, kVersion);
  store_at<std::uint16_t>(at + 6, static_cast<std::uint16_t>(header.kind));
  store_at<std::uint64_t>(at + 8, header.generation);
  store_at<std::uint64_t>(at + 16, header.salt);
  store_at<std::uint64_t>(at + 24, header.sequence);
  store_at<std::uint64_t>(at + 32, header.durable_up_to);
  store_at<std::uint32_t>(at + 40, header.payload_bytes);
  store_at<std::uint32_t>(at + 44, 0);
  store_at<std::uint32_t>(at + kTableCrcAt, table_crc);
  store_at<std::uint32_t>(at + kHeaderCrcAt, crc32c({at, kHeaderCrcAt}));
}

// The sums of all chunks, over pieces that know nothing of chunks. The last chunk takes the padding too.
void sum_chunks(std::span<const ByteView> pieces, std::size_t payload_bytes, ByteView padding,
                std::uint8_t* table) {
  const std::size_t chunks = chunk_count(payload_bytes);
  std::size_t chunk = 0;
  std::size_t room = kChunkBytes;
  std::uint32_t sum = 0;
  for (ByteView piece : pieces) {
    while (!piece.empty()) {
      if (room == 0) {
        store_at<std::uint32_t>(table + 4 * chunk++, sum);
        sum = 0;
        room = kChunkBytes;
      }
      const std::size_t taken = std::min(room, piece.size());
      sum = crc32c(piece.first(taken), sum);
      piece = piece.subspan(taken);
      room -= taken;
    }
  }
  MR_ASSERT(chunk + 1 == chunks);
  store_at<std::uint32_t>(table + 4 * chunk, crc32c(padding, sum));
}

// Padding differs from frame to frame, so that what a shorter write left of an older frame is not mistaken
// for it.
void fill_padding(Bytes& padding, std::size_t bytes, std::uint64_t sequence) {
  padding.resize(bytes + sizeof sequence);
  const std::uint64_t pattern = sequence * 0x9e3779b97f4a7c15u;
  for (std::size_t at = 0; at < bytes; at += sizeof pattern)
    store_at<std::uint64_t>(padding.data() + at, pattern);
  padding.resize(bytes);
}

bool is_zero(ByteView bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

}  // namespace

std::span<const ByteView> FrameSealer::seal(const FrameHeader& header, std::span<const ByteView> payload) {
  const std::size_t begin = payload_begin(header.payload_bytes);
  const std::size_t total = frame_bytes(header.payload_bytes);
  fill_padding(padding_, total - begin - header.payload_bytes, header.sequence);
  head_.resize(begin);
  std::uint8_t* table = head_.data() + kFrameHeaderBytes;
  if (header.payload_bytes != 0) sum_chunks(payload, header.payload_bytes, padding_.view(), table);
  store_header(head_.data(), header, crc32c({table, begin - kFrameHeaderBytes}));
  pieces_.clear();
  pieces_.push_back(head_.view());
  pieces_.insert(pieces_.end(), payload.begin(), payload.end());
  if (!padding_.empty()) pieces_.push_back(padding_.view());
  return pieces_;
}

std::optional<FrameHeader> load_frame_header(ByteView bytes) {
  if (bytes.size() < kFrameHeaderBytes) return std::nullopt;
  const std::uint8_t* at = bytes.data();
  if (load<std::uint32_t>(at) != kMagic || load<std::uint16_t>(at + 4) != kVersion) return std::nullopt;
  if (load<std::uint32_t>(at + kHeaderCrcAt) != crc32c(bytes.first(kHeaderCrcAt))) return std::nullopt;
  const auto kind = load<std::uint16_t>(at + 6);
  if (kind < 1 || kind > 3) return std::nullopt;
  FrameHeader header;
  header.kind = FrameKind{kind};
  header.generation = load<std::uint64_t>(at + 8);
  header.salt = load<std::uint64_t>(at + 16);
  header.sequence = load<std::uint64_t>(at + 24);
  header.durable_up_to = load<std::uint64_t>(at + 32);
  header.payload_bytes = load<std::uint32_t>(at + 40);
  const bool is_group = header.kind == FrameKind::kGroup;
  if (is_group != (header.payload_bytes != 0) || header.payload_bytes > kFramePayloadBytesMax)
    return std::nullopt;
  return header;
}

FrameCheck check_frame(ByteView bytes, std::uint64_t generation, std::uint64_t salt, std::uint64_t sequence) {
  const auto header = load_frame_header(bytes);
  if (!header) {
    // A header with one wrong byte differs from the expected one in one field; a mark differs in two.
    if (bytes.size() < kFrameHeaderBytes) return {FrameFault::kOther, {}, {}};
    const std::uint8_t* at = bytes.data();
    const int wrong = (load<std::uint16_t>(at + 6) != static_cast<std::uint16_t>(FrameKind::kGroup) ? 1 : 0) +
                      (load<std::uint64_t>(at + 8) != generation ? 1 : 0) +
                      (load<std::uint64_t>(at + 16) != salt ? 1 : 0) +
                      (load<std::uint64_t>(at + 24) != sequence ? 1 : 0);
    const bool rotten =
        wrong <= 1 && one_byte_explains(bytes.first(kHeaderCrcAt), load<std::uint32_t>(at + kHeaderCrcAt));
    return {rotten ? FrameFault::kOneByte : FrameFault::kOther, {}, {}};
  }
  if (header->kind != FrameKind::kGroup || header->generation != generation || header->salt != salt ||
      header->sequence != sequence)
    return {FrameFault::kOther, {}, {}};
  const std::size_t total = frame_bytes(header->payload_bytes);
  if (total > bytes.size()) return {FrameFault::kTorn, *header, {}};
  const std::size_t begin = payload_begin(header->payload_bytes);
  const ByteView table = bytes.subspan(kFrameHeaderBytes, begin - kFrameHeaderBytes);
  const auto table_crc = load<std::uint32_t>(bytes.data() + kTableCrcAt);
  if (crc32c(table) != table_crc)
    return {one_byte_explains(table, table_crc) ? FrameFault::kOneByte : FrameFault::kTorn, *header, {}};
  bool rotten = false;
  const std::size_t chunks = chunk_count(header->payload_bytes);
  for (std::size_t i = 0; i < chunks; ++i) {
    const std::size_t chunk_begin = begin + i * kChunkBytes;
    const std::size_t chunk_end = i + 1 == chunks ? total : chunk_begin + kChunkBytes;
    const ByteView chunk = bytes.subspan(chunk_begin, chunk_end - chunk_begin);
    const auto expected = load<std::uint32_t>(table.data() + 4 * i);
    if (crc32c(chunk) == expected) continue;
    // Zeros were never written; anything else that one byte does not explain was not written by this frame
    // either.
    if (is_zero(chunk) || !one_byte_explains(chunk, expected)) return {FrameFault::kTorn, *header, {}};
    rotten = true;
  }
  if (rotten) return {FrameFault::kOneByte, *header, {}};
  return {FrameFault::kNone, *header, bytes.subspan(begin, header->payload_bytes), total};
}

}  // namespace millrace::log
