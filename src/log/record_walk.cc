#include "log/record_walk.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "log/journal_scan.h"
#include "log/segment.h"
#include "log/segment_copy.h"

namespace millrace::log {

namespace {

struct Place {
  BlockEntry block;
  std::shared_ptr<Segment> segment;
};

Result<void> visit_runs(ByteView runs, const std::function<bool(ShardKey)>& wanted, const OnRun& visit) {
  for (std::size_t at = 0; at < runs.size();) {
    const RunHeader run = load_run_header(runs.data() + at);
    const std::size_t bytes = kRunHeaderBytes + run.bytes;
    if (wanted(run.shard)) MR_TRY(visit(run, runs.subspan(at, bytes)));
    at += bytes;
  }
  return {};
}

}  // namespace

Result<void> walk_records(store::Disk& disk, const std::function<bool(ShardKey)>& wanted, const OnRun& visit,
                          const OnDamage& damage) {
  MR_ASSIGN(const Manifest manifest, read_manifest(disk));
  const auto pass = [&](Error error) -> Result<void> {
    if (error.kind != ErrorKind::kCorrupt) return error;
    damage(error.text);
    return {};
  };
  std::map<ShardKey, std::vector<Place>> shards;
  for (const SegmentEntry& entry : manifest.segments) {
    auto opened = open_segment(disk, entry);
    if (!opened.ok()) {
      MR_TRY(pass(opened.error()));
      continue;
    }
    for (const BlockEntry& block : opened->blocks) {
      const auto floor = manifest.floors.find(block.shard);
      const bool is_gone = floor != manifest.floors.end() && block.end_offset() <= floor->second;
      if (!is_gone && wanted(block.shard)) shards[block.shard].push_back({block, opened->segment});
    }
  }
  for (auto& [shard, places] : shards) {
    std::sort(places.begin(), places.end(),
              [](const Place& a, const Place& b) { return a.block.first_offset < b.block.first_offset; });
    for (const Place& place : places) {
      const auto number = static_cast<std::uint32_t>(place.segment->number());
      const auto bytes = load_block(disk, *place.segment, make_ref(place.block, number));
      if (bytes.ok())
        MR_TRY(visit_runs(bytes->view(), wanted, visit));
      else
        MR_TRY(pass(bytes.error()));
    }
  }
  for (std::uint32_t loop = 0; loop < manifest.loops.size(); ++loop) {
    Result<void> visited;
    const auto scan = scan_journal(disk, loop, manifest.loops[loop], manifest.origin.folder,
                                   store::Disk::Mode::kRead, [&](const ScannedFrame& frame) {
                                     visited = visit_runs(frame.payload, wanted, visit);
                                     return visited;
                                   });
    MR_TRY(std::move(visited));
    if (!scan.ok()) MR_TRY(pass(scan.error()));
  }
  return {};
}

}  // namespace millrace::log
