// log/record.h: the one record model, for every protocol.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/bytes.h"

namespace millrace::log {

// A shard's name inside the log: given once by the broker, from 1 upwards, and never used again. Small and
// dense: the log keeps tables of them. A shard belongs to the loop loop_of(key, loops).
enum class ShardKey : std::uint64_t {};
inline std::uint64_t to_number(ShardKey key) { return static_cast<std::uint64_t>(key); }
inline std::size_t loop_of(ShardKey key, std::size_t loops) {
  return static_cast<std::size_t>(to_number(key) % loops);
}

// 128-bit, big-endian: byte order is number order.
using HashKey = std::array<std::uint8_t, 16>;

// A record; everything borrowed. key absent: data() == nullptr.
struct RecordView {
  ByteView key;
  ByteView value;
  // The hash key, only where it is not the MD5 of `key` (ExplicitHashKey): kept with the record then.
  std::optional<HashKey> explicit_hash_key;
  // Opaque to the log: other protocols' headers and the producer's own time, encoded by the front door that
  // has them.
  ByteView attributes;

  // Given by the log; ignored on the way in.
  std::uint64_t offset = 0;     // position in the shard, from 0, without gaps
  std::int64_t arrival_ms = 0;  // since the epoch; never falls within a shard
  bool encrypted = false;       // at rest
};

// Of keys and values: what limits, quotas and figures count.
inline std::uint64_t payload_bytes(const RecordView& record) {
  return record.key.size() + record.value.size();
}
inline std::uint64_t payload_bytes(std::span<const RecordView> records) {
  std::uint64_t bytes = 0;
  for (const RecordView& record : records) bytes += payload_bytes(record);
  return bytes;
}

inline constexpr std::size_t kKeyBytesMax = 65'535;
inline constexpr std::size_t kValueBytesMax = 64u * 1024 * 1024;
inline constexpr std::size_t kAttributesBytesMax = 1024 * 1024;
// What one Batch may take, encoded.
inline constexpr std::size_t kBatchBytesMax = 96u * 1024 * 1024;

}  // namespace millrace::log
