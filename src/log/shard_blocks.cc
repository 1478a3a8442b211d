#include "log/shard_blocks.h"

#include <fmt/format.h>

#include <algorithm>

namespace millrace::log {

Result<void> put_in_order(const store::Disk& disk, ShardKey shard, std::vector<BlockRef>& blocks) {
  std::sort(blocks.begin(), blocks.end(),
            [](const BlockRef& a, const BlockRef& b) { return a.first_offset < b.first_offset; });
  for (std::size_t i = 1; i < blocks.size(); ++i) {
    if (blocks[i - 1].end_offset() == blocks[i].first_offset) continue;
    return Error{
        ErrorKind::kCorrupt,
        fmt::format("{}: the block at byte {} begins with record {} of shard {}, and the one before it, in "
                    "{}, ends before record {}",
                    disk.describe(segment_path(blocks[i].segment)), blocks[i].position,
                    blocks[i].first_offset, to_number(shard),
                    disk.describe(segment_path(blocks[i - 1].segment)), blocks[i - 1].end_offset())};
  }
  return {};
}

Result<void> check_follows(ShardKey shard, std::uint64_t begin, std::uint64_t end) {
  if (begin == end) return {};
  return Error{ErrorKind::kCorrupt, fmt::format("it has record {} of shard {} where record {} must follow",
                                                begin, to_number(shard), end)};
}

Result<void> check_reaches(const store::Disk& disk, ShardKey shard, std::uint64_t end,
                           std::uint64_t end_at_least) {
  if (end >= end_at_least) return {};
  return Error{
      ErrorKind::kCorrupt,
      fmt::format(
          "{}: shard {} ends before record {}, and the catalog, in control/control, has it end at record "
          "{}: the log is older than the catalog, or missing",
          disk.describe("log"), to_number(shard), end, end_at_least)};
}

Result<void> check_made(const store::Disk& disk, const std::string& path, std::uint64_t offset,
                        ShardKey shard, std::uint64_t next_shard) {
  if (to_number(shard) < next_shard) return {};
  return Error{
      ErrorKind::kCorrupt,
      fmt::format(
          "{}: byte {}: it has records of shard {}, and the catalog, in control/control, has made shards "
          "up to {}: the catalog is older than the log, or missing",
          disk.describe(path), offset, to_number(shard), next_shard - 1)};
}

}  // namespace millrace::log
