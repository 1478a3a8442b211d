// fuzz/reseal.h: makes the sums of a changed file of the log right again, so that what they guard is reached.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string>

#include "base/crc32c.h"
#include "base/little_endian.h"
#include "fuzz/log_folder.h"
#include "log/frame.h"
#include "log/journal_file.h"
#include "log/manifest.h"
#include "log/manifest_store.h"
#include "log/segment.h"
#include "log/segment_codec.h"

namespace millrace::log {

template <typename T>
T field_at(const std::string& content, std::size_t at) {
  T value;
  std::memcpy(&value, content.data() + at, sizeof value);
  return value;
}
template <typename T>
void set_field(std::string& content, std::size_t at, T value) {
  std::memcpy(content.data() + at, &value, sizeof value);
}
inline std::uint32_t sum_of(const std::string& content, std::size_t at, std::size_t bytes) {
  return crc32c(as_bytes(std::string_view(content).substr(at, bytes)));
}

inline void reseal_manifest(std::string& content) {
  if (content.size() < 4) return;
  set_field(content, content.size() - 4, sum_of(content, 0, content.size() - 4));
}

// Header slots, and every frame whose length lies within the file.
inline void reseal_journal(std::string& content) {
  for (std::size_t slot = 0; slot < kJournalSlots && (slot + 1) * kBlockBytes <= content.size(); ++slot)
    if (content.compare(slot * kBlockBytes, 4, "MRJH") == 0)
      set_field(content, slot * kBlockBytes + 60, sum_of(content, slot * kBlockBytes, 60));
  FrameSealer sealer;
  for (std::size_t at = kJournalFramesBegin; at + kBlockBytes <= content.size(); at += kBlockBytes) {
    if (content.compare(at, 4, "MRJF") != 0) continue;
    const FrameHeader header{
        FrameKind{field_at<std::uint16_t>(content, at + 6)}, field_at<std::uint64_t>(content, at + 8),
        field_at<std::uint64_t>(content, at + 16),           field_at<std::uint64_t>(content, at + 24),
        field_at<std::uint64_t>(content, at + 32),           field_at<std::uint32_t>(content, at + 40)};
    if (frame_bytes(header.payload_bytes) > content.size() - at) continue;
    const std::string payload =
        content.substr(at + payload_begin(header.payload_bytes), header.payload_bytes);
    const ByteView piece = as_bytes(payload);
    std::size_t next = at;
    for (const ByteView sealed : sealer.seal(header, {&piece, payload.empty() ? 0u : 1u})) {
      std::memcpy(content.data() + next, sealed.data(), sealed.size());
      next += sealed.size();
    }
  }
}

// Header, index and trailer, as far as the trailer says where they are; the sums of blocks in the index too.
// Returns the index's sum, for the manifest.
inline std::optional<std::uint32_t> reseal_segment(std::string& content, std::uint64_t number) {
  if (content.size() < kSegmentHeaderBytes + kSegmentTrailerBytes) return std::nullopt;
  const auto header = encode_segment_header(number, segment_header_folder(as_bytes(content)));
  std::memcpy(content.data(), header.data(), header.size());
  const std::size_t end = content.size() - kSegmentTrailerBytes;
  const std::size_t begin =
      std::clamp<std::uint64_t>(field_at<std::uint64_t>(content, end), kSegmentHeaderBytes, end);
  const std::size_t blocks = (end - begin) / kBlockEntryBytes;
  const std::size_t index = end - blocks * kBlockEntryBytes;
  for (std::size_t at = index; at < end; at += kBlockEntryBytes) {
    const auto position = field_at<std::uint64_t>(content, at + 32);
    const auto stored = field_at<std::uint32_t>(content, at + 44);
    if (position <= index && stored <= index - position)
      set_field(content, at + 52, sum_of(content, position, stored));
  }
  const std::uint32_t sum = sum_of(content, index, end - index);
  const auto trailer = encode_segment_trailer({index, blocks, sum});
  std::memcpy(content.data() + end, trailer.data(), trailer.size());
  return sum;
}

// As above, for the file of that path; what the newest manifest says of a segment follows it.
inline void reseal(Files& files, const std::string& path, std::string& content) {
  const std::string name = path.substr(path.find_last_of('/') + 1);
  if (path.starts_with("log/manifest/")) return reseal_manifest(content);
  if (path.starts_with("log/journal/")) return reseal_journal(content);
  const auto segment = segment_number(name);
  if (!segment) return;
  const auto sum = reseal_segment(content, *segment);
  const auto newest = std::find_if(files.rbegin(), files.rend(), [](const auto& file) {
    return file.first.starts_with("log/manifest/") && manifest_number(file.first.substr(13)).has_value();
  });
  if (!sum || newest == files.rend()) return;
  const std::uint64_t number = *manifest_number(newest->first.substr(13));
  auto manifest = decode_manifest(as_bytes(newest->second), number);
  if (!manifest.ok()) return;
  for (SegmentEntry& entry : manifest->segments)
    if (entry.number == *segment) entry = {*segment, content.size(), *sum};
  newest->second = std::string(encode_manifest(*manifest, number).text());
}

}  // namespace millrace::log
