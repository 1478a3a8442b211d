// fuzz/decoders.h: the log's decoders on any bytes: each reads them within their bounds and says what it
// thinks of them; and what the encoders made is read back, or its one flipped bit is seen.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "base/assert.h"
#include "base/crc32c.h"
#include "fuzz/drawn_input.h"
#include "log/compression.h"
#include "log/frame.h"
#include "log/manifest.h"
#include "log/run_codec.h"
#include "log/segment_codec.h"

namespace millrace::log {

inline void check_any_frame(fuzz::DrawnInput& draw) {
  const std::uint64_t generation = draw.byte();
  const std::uint64_t salt = draw.number(8);
  const std::uint64_t sequence = draw.byte();
  const ByteView bytes = as_bytes(draw.rest());
  const auto header = load_frame_header(bytes);
  const FrameCheck check = check_frame(bytes, generation, salt, sequence);
  if (check.fault != FrameFault::kNone) return;
  MR_ASSERT(header.has_value() && header->sequence == sequence && header->generation == generation);
  MR_ASSERT(check.bytes <= bytes.size() && check.payload.size() == header->payload_bytes);
  MR_ASSERT(check.payload.data() + check.payload.size() <= bytes.data() + check.bytes);
}

inline bool has_zero_chunk(const Bytes& frame, std::size_t payload_bytes) {
  const std::string_view chunks = frame.text().substr(payload_begin(payload_bytes));
  for (std::size_t at = 0; at < payload_bytes; at += kChunkBytes)
    if (chunks.substr(at, kChunkBytes).find_first_not_of('\0') == std::string_view::npos) return true;
  return false;
}

inline void check_sealed_frame(fuzz::DrawnInput& draw) {
  const std::uint64_t sequence = 1 + draw.number(2);
  const std::uint64_t bit = draw.number(3);
  const std::size_t repeats = 1 + draw.byte() / 16;
  std::string payload;
  const std::string_view part = draw.rest();
  for (std::size_t i = 0; i < repeats; ++i) payload += part;
  if (payload.empty()) return;
  const FrameHeader header{
      FrameKind::kGroup, 5, 77, sequence, sequence - 1, static_cast<std::uint32_t>(payload.size())};
  const ByteView piece = as_bytes(payload);
  FrameSealer sealer;
  Bytes frame;
  for (const ByteView sealed : sealer.seal(header, {&piece, 1})) frame.append(sealed);
  MR_ASSERT(frame.size() == frame_bytes(payload.size()));
  const FrameCheck whole = check_frame(frame.view(), 5, 77, sequence);
  MR_ASSERT(whole.fault == FrameFault::kNone && as_text(whole.payload) == payload);
  MR_ASSERT(check_frame(frame.view(), 5, 77, sequence + 1).fault == FrameFault::kOther);
  frame[bit / 8 % frame.size()] ^= static_cast<std::uint8_t>(1u << bit % 8);
  const FrameFault fault = check_frame(frame.view(), 5, 77, sequence).fault;
  // A chunk of zeros looks as if it had never been written, even if one bit is all that it held.
  MR_ASSERT(fault == FrameFault::kOneBit ||
            (fault == FrameFault::kTorn && has_zero_chunk(frame, payload.size())));
}

inline void check_any_runs(fuzz::DrawnInput& draw) {
  const ByteView bytes = as_bytes(draw.rest());
  if (!check_runs(bytes).ok()) return;
  for (std::size_t at = 0; at < bytes.size();) {
    const RunHeader run = load_run_header(bytes.data() + at);
    const std::uint8_t* next = bytes.data() + at + kRunHeaderBytes;
    for (std::uint32_t i = 0; i < run.count && !run.encrypted; ++i) {
      RecordView record;
      const std::size_t length = load_record(next, record);
      MR_ASSERT(record.key.size() + record.attributes.size() + record.value.size() <= length);
      MR_ASSERT(record.value.data() + record.value.size() == next + length);
      next += length;
    }
    at += kRunHeaderBytes + run.bytes;
    MR_ASSERT(run.encrypted || next == bytes.data() + at);
  }
}

inline void check_any_segment(fuzz::DrawnInput& draw) {
  const std::uint64_t blocks_end = draw.number(3);
  const std::string_view bytes = draw.rest();
  segment_header_is_good(as_bytes(bytes), 9);
  if (bytes.size() >= kSegmentTrailerBytes) {
    const auto trailer =
        decode_segment_trailer(as_bytes(bytes.substr(bytes.size() - kSegmentTrailerBytes)), bytes.size());
    if (trailer)
      MR_ASSERT(trailer->footer_position + trailer->blocks * kBlockEntryBytes + kSegmentTrailerBytes ==
                bytes.size());
  }
  const auto blocks = decode_block_entries(as_bytes(bytes), blocks_end);
  if (!blocks.ok()) return;
  Bytes again;
  for (const BlockEntry& block : *blocks) {
    MR_ASSERT(block.position + block.stored_bytes <= blocks_end && block.end_offset() > block.first_offset);
    append_block_entry(again, block);
  }
  const auto same = decode_block_entries(again.view(), blocks_end);
  MR_ASSERT(same.ok() && same->size() == blocks->size());
}

// With its sum made right.
inline void check_any_manifest(fuzz::DrawnInput& draw) {
  const std::uint64_t number = draw.byte();
  std::string bytes(draw.rest());
  if (bytes.size() < 4) return;
  const std::uint32_t sum = crc32c(as_bytes(std::string_view(bytes).substr(0, bytes.size() - 4)));
  std::memcpy(bytes.data() + bytes.size() - 4, &sum, sizeof sum);
  const auto manifest = decode_manifest(as_bytes(bytes), number);
  if (!manifest.ok()) {
    MR_ASSERT(manifest.error().kind == ErrorKind::kCorrupt && !manifest.error().text.empty());
    return;
  }
  const Bytes again = encode_manifest(*manifest, number);
  const auto same = decode_manifest(again.view(), number);
  MR_ASSERT(same.ok() && encode_manifest(*same, number).text() == again.text());
}

inline void check_any_block(fuzz::DrawnInput& draw) {
  const Codec codec{static_cast<std::uint32_t>(draw.below(3))};
  const std::size_t raw_bytes = draw.number(3) % (1u << 20);
  const std::string_view bytes = draw.rest();
  const auto raw = unpack(codec, as_bytes(bytes), raw_bytes);
  if (raw.ok()) MR_ASSERT(raw->size() == raw_bytes);
  for (const Effort effort : {Effort::kLeast, Effort::kLittle, Effort::kMore}) {
    Bytes packed;
    const Codec used = pack(as_bytes(bytes), effort, packed);
    if (used == Codec::kNone) continue;
    const auto back = unpack(used, packed.view(), bytes.size());
    MR_ASSERT(back.ok() && back->text() == bytes);
  }
}

inline void check_decoders(fuzz::DrawnInput& draw) {
  switch (draw.below(6)) {
    case 0:
      return check_any_frame(draw);
    case 1:
      return check_sealed_frame(draw);
    case 2:
      return check_any_runs(draw);
    case 3:
      return check_any_segment(draw);
    case 4:
      return check_any_manifest(draw);
    default:
      return check_any_block(draw);
  }
}

}  // namespace millrace::log
