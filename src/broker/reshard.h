// broker/reshard.h: from the shards that are to other shards: plans, and what a plan makes.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "broker/catalog.h"

namespace millrace::broker {

struct ReshardDone;  // of catalog_change.h

// Checked against the stream's open shards.
// errors   kNotFound: no such shard.  kInvalid: closed, the key not inside (above its first), not neighbours
Result<ReshardPlan> plan_split(const Stream& stream, std::uint32_t shard, const log::HashKey& at);
Result<ReshardPlan> plan_merge(const Stream& stream, std::uint32_t shard, std::uint32_t adjacent);
// Splits where a bound of an even share is missing, then merges what lies inside one: `target` (1 or more)
// even shards.
ReshardPlan plan_even(const Stream& stream, std::uint32_t target);

// Whether apply_plan would carry it out. errors   kInvalid, kNotFound
Result<void> check_plan(const Stream& stream, const ReshardPlan& plan);

// The open shards of `stream` that the plan closes, by index, ascending: to be sealed before apply_plan.
std::vector<std::uint32_t> shards_closed_by(const Stream& stream, const ReshardPlan& plan);

// Carries the plan out. done.end_offsets has one for each of shards_closed_by(); a shard that the plan makes
// and closes again ends at 0. New shards take keys from `next_key` on. errors   kInvalid: the plan does not
// fit the stream
Result<void> apply_plan(Stream& stream, const ReshardPlan& plan, const ReshardDone& done,
                        std::uint64_t& next_key);

}  // namespace millrace::broker
