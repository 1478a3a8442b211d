#include "log/lost_block.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "log/manifest_store.h"

namespace millrace::log {

Result<BlockEntry> mark_block_lost(store::Disk& disk, std::uint64_t segment, std::uint64_t position) {
  MR_ASSIGN(const auto manifests, ManifestStore::open(disk));
  const Manifest manifest = manifests->current();
  const std::string path = disk.describe(segment_path(segment));
  const auto entry = std::find_if(manifest.segments.begin(), manifest.segments.end(),
                                  [&](const SegmentEntry& each) { return each.number == segment; });
  if (entry == manifest.segments.end())
    return Error{ErrorKind::kNotFound, fmt::format("{} is no segment of the log", path)};
  MR_ASSIGN(const OpenedSegment opened, open_segment(disk, *entry));
  const auto block = std::find_if(opened.blocks.begin(), opened.blocks.end(),
                                  [&](const BlockEntry& each) { return each.position == position; });
  if (block == opened.blocks.end())
    return Error{ErrorKind::kNotFound, fmt::format("{} has no block that begins at byte {}", path, position)};
  const auto lost = manifest.lost.find(segment);
  if (lost != manifest.lost.end() &&
      std::find(lost->second.begin(), lost->second.end(), position) != lost->second.end())
    return Error{ErrorKind::kConflict,
                 fmt::format("the block at byte {} of {} is marked as lost already", position, path)};
  const auto bytes = load_block(disk, *opened.segment, make_ref(*block, static_cast<std::uint32_t>(segment)));
  if (bytes.ok())
    return Error{ErrorKind::kConflict,
                 fmt::format("the block at byte {} of {} is not damaged", position, path)};
  if (bytes.error().kind != ErrorKind::kCorrupt) return bytes.error();
  MR_TRY(manifests->begin({}, nullptr));
  MR_TRY(manifests->edit([&](Manifest& changed) {
    std::vector<std::uint64_t>& positions = changed.lost[segment];
    positions.insert(std::upper_bound(positions.begin(), positions.end(), position), position);
  }));
  return *block;
}

}  // namespace millrace::log
