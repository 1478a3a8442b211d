#include "kinesis/shard_query.h"

#include <algorithm>

#include "kinesis/resource_writer.h"

namespace millrace::kinesis {

std::int64_t trim_horizon_ms(const broker::Stream& stream, const Clock& clock) {
  if (stream.retention_hours < 0) return stream.created_ms;
  return std::max(stream.created_ms, clock.long_ago_ms(stream.retention_hours * 3'600'000));
}

std::int64_t begin_ms(const broker::Stream& stream, const broker::Shard& shard) {
  if (!shard.parent.has_value()) return stream.created_ms;
  std::int64_t begin =
      shard.created_s * 1'000;  // at least a second behind its parents', so that numbers rise
  for (const auto& parent_index : {shard.parent, shard.adjacent_parent}) {
    if (!parent_index.has_value()) continue;
    const broker::Shard* parent = stream.find(*parent_index);
    if (parent != nullptr && !parent->open()) begin = std::min(begin, parent->closed_ms);
  }
  return begin;
}

std::int64_t behind_at_end_ms(const broker::Shard& shard, std::int64_t now_ms) {
  return shard.open() ? 0 : std::max<std::int64_t>(0, now_ms - shard.closed_ms);
}

ShardPage select_shards(const broker::Stream& stream, const ShardQuery& query, std::size_t count_max) {
  const auto matches = [&](const broker::Shard& shard) {
    if (query.after.has_value() && shard.index <= *query.after) return false;
    switch (query.which) {
      case ShardQuery::Which::kAll:
        return true;
      case ShardQuery::Which::kOpen:
        return shard.open();
      case ShardQuery::Which::kAt:
        return begin_ms(stream, shard) <= query.time_ms && (shard.open() || shard.closed_ms >= query.time_ms);
      case ShardQuery::Which::kFrom:
        return shard.open() || shard.closed_ms >= query.time_ms;
    }
    MR_ASSERT(false);
    __builtin_unreachable();
  };
  ShardPage page;
  for (const broker::Shard& shard : visible_shards(stream)) {
    if (!matches(shard)) continue;
    if (page.shards.size() == count_max) {
      page.has_more = true;
      break;
    }
    page.shards.push_back(&shard);
  }
  return page;
}

}  // namespace millrace::kinesis
