#include "log/settled_segment.h"

#include <array>
#include <vector>

#include "log/run_codec.h"
#include "log/segment_writer.h"

namespace millrace::log {

namespace {

struct Place {
  ShardKey shard;
  const std::uint8_t* run;
};

// Stable, by shard: a byte at a time from the lowest, as many as the highest key has.
void sort_by_shard(std::vector<Place>& places) {
  std::uint64_t highest = 0;
  for (const Place& place : places) highest |= to_number(place.shard);
  std::vector<Place> spare(places.size());
  for (unsigned shift = 0; shift < 64 && highest >> shift != 0; shift += 8) {
    std::array<std::size_t, 257> begins{};
    for (const Place& place : places) ++begins[(to_number(place.shard) >> shift & 0xff) + 1];
    for (std::size_t byte = 1; byte < begins.size(); ++byte) begins[byte] += begins[byte - 1];
    for (const Place& place : places) spare[begins[to_number(place.shard) >> shift & 0xff]++] = place;
    places.swap(spare);
  }
}

// By shard, the runs lie anywhere in the tail: fetched into the cache ahead of their turn.
constexpr std::size_t kPlacesAhead = 8;
constexpr std::size_t kLineBytes = 64;
constexpr std::size_t kFetchedBytes = 4 * kLineBytes;
void prefetch(const Place& place) {
  for (std::size_t at = 0; at < kFetchedBytes; at += kLineBytes) __builtin_prefetch(place.run + at);
}

Result<void> fill(SegmentWriter& writer, const std::vector<Place>& places, Effort effort) {
  BlockBuilder blocks(writer, effort);
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (i + kPlacesAhead < places.size()) prefetch(places[i + kPlacesAhead]);
    const Place& place = places[i];
    if (i > 0 && places[i - 1].shard != place.shard) MR_TRY(blocks.end_block());
    MR_TRY(blocks.add(load_run_header(place.run), place.run + kRunHeaderBytes));
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
  sort_by_shard(places);
  MR_ASSIGN(auto writer,
            SegmentWriter::create(context.environment.disk, context.pace, context.next_segment.fetch_add(1),
                                  context.environment.origin.folder));
  auto filled = fill(*writer, places, effort);
  auto made = filled.ok() ? writer->finish() : Result<OpenedSegment>(std::move(filled).error());
  if (!made.ok()) writer->discard();
  return made;
}

}  // namespace millrace::log
