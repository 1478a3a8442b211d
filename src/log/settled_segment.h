// log/settled_segment.h: a segment of batches that are durable in the journal.
#pragma once

#include <memory>
#include <span>

#include "log/compression.h"
#include "log/log_context.h"
#include "log/segment.h"

namespace millrace::log {

// Sorts the durable runs of `batches` by shard and writes them, durably. Blocks; any worker. `segment` of the
// answer is empty when there are none. errors   kUnavailable, kUnknown: no segment was made, as far as the
// disk let it be removed
Result<OpenedSegment> write_settled(LogContext& context,
                                    std::span<const std::shared_ptr<const Batch>> batches, Effort effort);

}  // namespace millrace::log
