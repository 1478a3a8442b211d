// kinesis/shard_query.h: which shards a ListShards asks for.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "broker/catalog.h"

namespace millrace::kinesis {

// A filter with its times worked out, so that every page of an answer asks the same.
struct ShardQuery {
  enum class Which : std::uint8_t {
    kAll,
    kOpen,
    kAt,    // open at `time_ms`: begun then or before, and closed then or later if at all
    kFrom,  // open, or closed at `time_ms` or later
  };
  Which which = Which::kAll;
  std::int64_t time_ms = 0;
  std::optional<std::uint32_t> after;  // only shards of a greater index

  friend bool operator==(const ShardQuery&, const ShardQuery&) = default;
};

// The time of a stream's TRIM_HORIZON: of its creation, or so long ago as records are kept.
// clock   the broker's
std::int64_t trim_horizon_ms(const broker::Stream& stream, const Clock& clock);

// When a shard began to take records: a child when its parents closed.
std::int64_t begin_ms(const broker::Stream& stream, const broker::Shard& shard);

// MillisBehindLatest where a reader has come to the end of what there is: 0, or the age of the shard's end.
std::int64_t behind_at_end_ms(const broker::Shard& shard, std::int64_t now_ms);

// By index, at most `count_max`; `has_more` says whether there are others behind them.
struct ShardPage {
  std::vector<const broker::Shard*> shards;  // into the stream
  bool has_more = false;
};
ShardPage select_shards(const broker::Stream& stream, const ShardQuery& query, std::size_t count_max);

}  // namespace millrace::kinesis
