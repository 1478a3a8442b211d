// log/run_codec.h: the bytes of runs and records (docs/format.md, "Run" and "Record"): the same in a batch,
// in a journal frame and in a segment's block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/little_endian.h"
#include "base/result.h"
#include "log/record.h"
#include "log/run_cipher.h"

namespace millrace::log {

inline constexpr std::size_t kRunHeaderBytes = 32;
inline constexpr std::size_t kRecordHeaderBytes = 8;
inline constexpr std::size_t kHashKeyBytes = 16;

inline constexpr std::uint16_t kRecordHasHashKey = 1;
inline constexpr std::uint16_t kRecordHasAttributes = 2;
inline constexpr std::uint16_t kRecordHasKey = 4;
inline constexpr std::uint16_t kRecordFlagsKnown = 7;

inline constexpr std::uint32_t kRunIsEncrypted = 1u << 31;  // beside the count: 2^31 records fit in no run

struct RunHeader {
  ShardKey shard;
  std::uint64_t first_offset;
  std::int64_t arrival_ms;
  std::uint32_t count;  // of records
  std::uint32_t bytes;  // behind the header: records, or a CipherHead, their ciphertext and its tag
  bool encrypted = false;

  std::uint64_t end_offset() const { return first_offset + count; }
};

// `at` has kRunHeaderBytes.
inline RunHeader load_run_header(const std::uint8_t* at) {
  const auto count = load<std::uint32_t>(at + 24);
  return {ShardKey{load<std::uint64_t>(at)}, load<std::uint64_t>(at + 8),  load<std::int64_t>(at + 16),
          count & ~kRunIsEncrypted,          load<std::uint32_t>(at + 28), (count & kRunIsEncrypted) != 0};
}
inline void store_run_header(std::uint8_t* at, const RunHeader& header) {
  store_at<std::uint64_t>(at, to_number(header.shard));
  store_at<std::uint64_t>(at + 8, header.first_offset);
  store_at<std::int64_t>(at + 16, header.arrival_ms);
  store_at<std::uint32_t>(at + 24, header.count | (header.encrypted ? kRunIsEncrypted : 0));
  store_at<std::uint32_t>(at + 28, header.bytes);
}
// What the shard's loop gives a run when it is appended.
inline void place_run(std::uint8_t* header, std::uint64_t first_offset, std::int64_t arrival_ms) {
  store_at<std::uint64_t>(header + 8, first_offset);
  store_at<std::int64_t>(header + 16, arrival_ms);
}

// The record at `at`, which lies in checked bytes (check_runs) or in a Batch; returns its length. Leaves
// offset and arrival_ms of `record` alone. The view borrows from `at`.
std::size_t load_record(const std::uint8_t* at, RecordView& record);
inline std::size_t record_bytes(const std::uint8_t* at) { return load<std::uint32_t>(at); }

// Whether `bytes` are whole runs of whole records, so that they may be walked without further checks. What is
// in an encrypted run cannot be seen: only that it has room for its records. errors   kCorrupt: text says
// what is wrong at which byte
Result<void> check_runs(ByteView bytes);

}  // namespace millrace::log
