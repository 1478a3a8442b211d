// kinesis/shard_id.h: "shardId-000000000007" and its index.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace millrace::kinesis {

inline constexpr std::size_t kShardIdBytes = 20;

// index    below 2^31. Writes kShardIdBytes characters.
inline void write_shard_id(std::uint32_t index, char* out) {
  constexpr std::string_view kPrefix = "shardId-000000000000";
  for (std::size_t i = 0; i < kPrefix.size(); ++i) out[i] = kPrefix[i];
  for (std::size_t at = kShardIdBytes; index != 0; index /= 10)
    out[--at] = static_cast<char>('0' + index % 10);
}
std::string shard_id(std::uint32_t index);

// What the service takes for a shard's id: what stands behind the first '-' (or the whole, without one), up
// to the next, must be decimal and below 2^31: "shardId-7", "x-0007", "7".
std::optional<std::uint32_t> parse_shard_id(std::string_view text);

}  // namespace millrace::kinesis
