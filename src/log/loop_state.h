// log/loop_state.h: what the parts of one loop's log share: its shards and its tail.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "log/log_context.h"
#include "log/segment.h"
#include "log/shard_table.h"
#include "log/tail.h"

namespace millrace::log {

// On the loop.
struct LoopState {
  std::shared_ptr<LogContext> context;
  Loop& loop;
  ShardTable shards;
  Tail tail;
  std::map<std::uint32_t, std::shared_ptr<Segment>> segments;  // those that blocks of these shards are in
  std::int64_t last_arrival_ms = 0;

  LoopState(std::shared_ptr<LogContext> the_context, Loop& the_loop)
      : context(std::move(the_context)),
        loop(the_loop),
        shards(the_loop.index(), context->environment.loops.size()) {}

  // Never falls, for all records of the loop; nor does the clock, but a start may find later records than it
  // knows.
  std::int64_t arrival_now() {
    last_arrival_ms = std::max(last_arrival_ms, context->environment.clock.wall_ms());
    return last_arrival_ms;
  }
};

}  // namespace millrace::log
