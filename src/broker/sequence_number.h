// broker/sequence_number.h: the 56-digit numbers that name a record, and the log offset inside them.
//
// Layout, the one that Kinesis shows (47 hex digits, printed in decimal): '2', the shard's creation in
// seconds (9 digits), the shard's index (its last digit), offset + 1 (16), '00' (of a place behind a record:
// 'ff'), the arrival in seconds (9), the shard's index (8), '2'. So numbers rise with the offset within a
// shard, and a child's are greater than its parents'.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "broker/catalog.h"

namespace millrace::broker {

struct SequenceNumber {
  std::int64_t shard_created_s;  // 0 to 16'025'174'999
  std::uint64_t ordinal;         // offset + 1; 0: before the first record; below 2^63
  std::int64_t time_s;           // of arrival; 0 to 2^36 - 1
  std::uint32_t shard_index;     // 0 to 2^31 - 1
  bool behind = false;  // not that record, but the place behind it: whoever goes on at it or after it
                        // goes on with the next one

  friend auto operator<=>(const SequenceNumber&, const SequenceNumber&) = default;
};

inline constexpr std::size_t kSequenceDigitsMax = 57;
inline constexpr std::uint64_t kOrdinalMax = 0x7fff'ffff'ffff'ffff;

SequenceNumber sequence_of(const Shard& shard, std::uint64_t offset, std::int64_t arrival_ms);
SequenceNumber sequence_of(const ShardLabel& shard, std::uint64_t offset, std::int64_t arrival_ms);
// The place before `offset`, whether there is a record yet or not.   time_s   any
SequenceNumber place_before(const Shard& shard, std::uint64_t offset, std::int64_t time_s);
// StartingSequenceNumber: ordinal 0.   EndingSequenceNumber of a closed shard: kOrdinalMax at its closing
// time.
SequenceNumber starting_sequence(const Shard& shard);
SequenceNumber ending_sequence(const Shard& shard);

// Writes the decimal digits to `out` (room for kSequenceDigitsMax); returns how many.
std::size_t format(const SequenceNumber& number, char* out);
std::string to_string(const SequenceNumber& number);

// Any decimal text. Versions 0 and 1, which Kinesis also accepts, come back with `ordinal` 0.
// A shard_index of 2^31 or more comes back too: Kinesis calls such a shard by a negative number
// ("shardId--02147483648"). errors   kInvalid: not a number, of no known version, or another field out of its
// range
Result<SequenceNumber> parse_sequence_number(std::string_view text);

}  // namespace millrace::broker
