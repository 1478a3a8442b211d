// kinesis/shard_iterator.h: a place in a shard, as the opaque text that GetShardIterator and GetRecords give.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "kinesis/protocol.h"
#include "kinesis/token_seal.h"

namespace millrace::kinesis {

struct ShardIterator {
  std::string stream_name;
  std::uint64_t stream_id;  // of the stream that had the name then
  std::uint32_t shard_index;
  std::uint64_t offset;  // of the next record
  std::int64_t issued_ms;

  friend bool operator==(const ShardIterator&, const ShardIterator&) = default;
};

inline constexpr std::int64_t kTokenLifeMs = 300'000;

// At most 512 characters; its bytes have the length that Kinesis' own have, 152 and a multiple of 16.
std::string to_text(const ShardIterator& iterator, TokenSeal& seal, RandomPool& random);
std::optional<ShardIterator> parse_shard_iterator(std::string_view text, TokenSeal& seal);

// "Thu Jan 22 01:22:02 UTC 2015", as the service writes a time in its messages.
std::string utc_text(std::int64_t ms);

}  // namespace millrace::kinesis
