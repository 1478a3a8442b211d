#include "log/frame.h"

#include <algorithm>
#include <utility>

#include "base/crc32c.h"
#include "base/little_endian.h"
#include "log/bit_error.h"

namespace millrace::log {

namespace {

constexpr std::uint32_t kMagic = 0x464a524d;  // "MRJF"
constexpr std::size_t kTableCrcAt = 48;
constexpr std::size_t kHeaderCrcAt = 52;
static_assert(kHeaderCrcAt + 4 == kFrameHeaderBytes);

void store_header(std::uint8_t* at, const FrameHeader& header, std::uint32_t table_crc) {
  store_at<std::uint32_t>(at, kMagic);
  store_at<std::uint16_t>(at + 4, kJournalVersion);
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
class ChunkSums {
 public:
  explicit ChunkSums(std::uint8_t* table) : next_(table) {}

  void add(ByteView piece) {
    while (!piece.empty()) {
      if (bytes_ == kChunkBytes) end_chunk();
      const std::size_t taken = std::min(kChunkBytes - bytes_, piece.size());
      add_to_chunk(piece.first(taken));
      piece = piece.subspan(taken);
    }
  }
  std::uint8_t* end(ByteView padding) {
    add_to_chunk(padding);
    end_chunk();
    return next_;
  }

 private:
  void add_to_chunk(ByteView bytes) {
    crc_ = crc32c(bytes, crc_);
    words_ ^= xor_words(bytes, bytes_);
    bytes_ += bytes.size();
  }
  void end_chunk() {
    store_at<std::uint32_t>(next_, std::exchange(crc_, 0));
    store_at<std::uint32_t>(next_ + 4, std::exchange(words_, 0));
    next_ += kChunkSumBytes;
    bytes_ = 0;
  }

  std::uint8_t* next_;
  std::size_t bytes_ = 0;
  std::uint32_t crc_ = 0;
  std::uint32_t words_ = 0;
};

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

enum class ChunkState : std::uint8_t { kGood, kOneBit, kElse };

// Bytes of another write pass for one flipped bit once in 2^49: both sums must name the same one. Zeros were
// never written.
ChunkState check_chunk(ByteView chunk, const std::uint8_t* sums) {
  const auto crc = load<std::uint32_t>(sums);
  if (crc32c(chunk) == crc) return ChunkState::kGood;
  const auto bit = find_flipped_bit(chunk, crc);
  if (!bit || is_zero(chunk)) return ChunkState::kElse;
  const std::uint32_t words = xor_words(chunk) ^ load<std::uint32_t>(sums + 4);
  return words == std::uint32_t{1} << (*bit % 32) ? ChunkState::kOneBit : ChunkState::kElse;
}

}  // namespace

std::span<const ByteView> FrameSealer::seal(const FrameHeader& header, std::span<const ByteView> payload) {
  const std::size_t begin = payload_begin(header.payload_bytes);
  const std::size_t total = frame_bytes(header.payload_bytes);
  fill_padding(padding_, total - begin - header.payload_bytes, header.sequence);
  head_.resize(begin);
  std::uint8_t* table = head_.data() + kFrameHeaderBytes;
  if (header.payload_bytes != 0) {
    ChunkSums sums(table);
    for (const ByteView piece : payload) sums.add(piece);
    MR_ASSERT(sums.end(padding_.view()) == head_.data() + begin);
  }
  store_header(head_.data(), header, crc32c({table, begin - kFrameHeaderBytes}));
  sum_ = frame_sum(head_.view());
  pieces_.clear();
  pieces_.push_back(head_.view());
  pieces_.insert(pieces_.end(), payload.begin(), payload.end());
  if (!padding_.empty()) pieces_.push_back(padding_.view());
  return pieces_;
}

std::uint32_t frame_sum(ByteView frame) { return load<std::uint32_t>(frame.data() + kHeaderCrcAt); }

std::optional<FrameHeader> load_frame_header(ByteView bytes) {
  if (bytes.size() < kFrameHeaderBytes) return std::nullopt;
  const std::uint8_t* at = bytes.data();
  if (load<std::uint32_t>(at) != kMagic || load<std::uint16_t>(at + 4) != kJournalVersion)
    return std::nullopt;
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
    // A header with one wrong bit differs from the expected one in one field; a mark differs in two.
    if (bytes.size() < kFrameHeaderBytes) return {FrameFault::kOther, {}, {}};
    const std::uint8_t* at = bytes.data();
    const int wrong = (load<std::uint16_t>(at + 6) != static_cast<std::uint16_t>(FrameKind::kGroup) ? 1 : 0) +
                      (load<std::uint64_t>(at + 8) != generation ? 1 : 0) +
                      (load<std::uint64_t>(at + 16) != salt ? 1 : 0) +
                      (load<std::uint64_t>(at + 24) != sequence ? 1 : 0);
    const bool rotten =
        wrong <= 1 && flipped_bit_explains(bytes.first(kHeaderCrcAt), load<std::uint32_t>(at + kHeaderCrcAt));
    return {rotten ? FrameFault::kOneBit : FrameFault::kOther, {}, {}};
  }
  if (header->kind != FrameKind::kGroup || header->generation != generation || header->salt != salt ||
      header->sequence != sequence)
    return {FrameFault::kOther, {}, {}};
  const std::size_t total = frame_bytes(header->payload_bytes);
  if (total > bytes.size()) return {FrameFault::kTorn, *header, {}};
  const std::size_t begin = payload_begin(header->payload_bytes);
  Bytes table;
  table.append(bytes.subspan(kFrameHeaderBytes, begin - kFrameHeaderBytes));
  // A flipped bit in the table is one if all chunks agree with the table without it.
  const auto table_crc = load<std::uint32_t>(bytes.data() + kTableCrcAt);
  const auto table_bit = find_flipped_bit(table.view(), table_crc);
  if (table_bit) table[*table_bit / 8] ^= static_cast<std::uint8_t>(1u << (*table_bit % 8));
  if (crc32c(table.view()) != table_crc) return {FrameFault::kTorn, *header, {}};
  int flipped = table_bit ? 1 : 0;
  const std::size_t chunks = chunk_count(header->payload_bytes);
  for (std::size_t i = 0; i < chunks && flipped <= 1; ++i) {
    const std::size_t chunk_begin = begin + i * kChunkBytes;
    const std::size_t chunk_end = i + 1 == chunks ? total : chunk_begin + kChunkBytes;
    const ChunkState state =
        check_chunk(bytes.subspan(chunk_begin, chunk_end - chunk_begin), table.data() + i * kChunkSumBytes);
    if (state == ChunkState::kElse) return {FrameFault::kTorn, *header, {}};
    if (state == ChunkState::kOneBit) ++flipped;
  }
  if (flipped > 0) return {flipped == 1 ? FrameFault::kOneBit : FrameFault::kTorn, *header, {}};
  return {FrameFault::kNone, *header, bytes.subspan(begin, header->payload_bytes), total, frame_sum(bytes)};
}

}  // namespace millrace::log
