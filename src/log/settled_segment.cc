#include "log/settled_segment.h"

#include <algorithm>
#include <vector>

#include "log/run_codec.h"
#include "log/segment_writer.h"

namespace millrace::log {

namespace {

struct Place {
  ShardKey shard;
  const std::uint8_t* run;
};

Result<void> fill(SegmentWriter& writer, const std::vector<Place>& places, Effort effort) {
  BlockBuilder blocks(writer, effort);
  const Place* before = nullptr;
  for (const Place& place : places) {
    if (before != nullptr && before->shard != place.shard) MR_TRY(blocks.end_block());
    MR_TRY(blocks.add(load_run_header(place.run), place.run + kRunHeaderBytes));
    before = &place;
  }
  return blocks.end_block();
}

}  // namespace

Result<OpenedSegment> write_settled(LogContext& context,
                                    std::span<const std::shared_ptr<const Batch>> batches, Effort effort) {
  std::vector<Place> places;
  for (const auto& batch : batches)
    for (const Run& run : batch->runs)
      if (run.status == RunStatus::kDurable) places.push_back({run.shard, batch->bytes.data() + run.begin});
  if (places.empty()) return OpenedSegment{};
  std::stable_sort(places.begin(), places.end(),
                   [](const Place& a, const Place& b) { return a.shard < b.shard; });
  MR_ASSIGN(auto writer, SegmentWriter::create(context.environment.disk, context.next_segment.fetch_add(1)));
  auto filled = fill(*writer, places, effort);
  auto made = filled.ok() ? writer->finish() : Result<OpenedSegment>(std::move(filled).error());
  if (!made.ok()) writer->discard();
  return made;
}

}  // namespace millrace::log
