#include "log/orphans.h"

#include <fmt/format.h>

#include <array>
#include <map>

#include "log/segment.h"
#include "log/segment_codec.h"

namespace millrace::log {
namespace {

std::string folder_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

struct InShard {
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;
};

// By its own index, since no manifest speaks of it.
Result<std::map<ShardKey, InShard>> shards_in_segment(store::Disk& disk, const std::string& path) {
  const auto number = segment_number(path.substr(path.rfind('/') + 1));
  if (!number || segment_path(*number) != path) return Error{ErrorKind::kNotFound, "not a segment"};
  MR_ASSIGN(const auto file, disk.open(path, store::Disk::Mode::kRead));
  MR_ASSIGN(const std::uint64_t size, file->size());
  std::array<std::uint8_t, kSegmentTrailerBytes> end{};
  if (size < end.size()) return Error{ErrorKind::kCorrupt, "too short"};
  MR_ASSIGN(const std::size_t read, file->read_at(size - end.size(), end));
  const auto trailer = decode_segment_trailer(ByteView{end}.first(read), size);
  if (!trailer) return Error{ErrorKind::kCorrupt, "no trailer"};
  MR_ASSIGN(const OpenedSegment opened, open_segment(disk, {*number, size, trailer->footer_crc}));
  std::map<ShardKey, InShard> shards;
  for (const BlockEntry& block : opened.blocks) {
    shards[block.shard].records += block.count;
    shards[block.shard].bytes += block.stored_bytes;
  }
  return shards;
}

Result<void> count_in(store::Disk& disk, const std::string& path, Orphaned& orphaned) {
  if (const auto file = disk.open(path, store::Disk::Mode::kRead); file.ok()) {
    MR_ASSIGN(const std::uint64_t bytes, (*file)->size());
    ++orphaned.files;
    orphaned.bytes += bytes;
    return {};
  }
  auto names = disk.list(path);
  if (!names.ok() && names.error().kind == ErrorKind::kNotFound) return {};
  if (!names.ok()) return std::move(names).error();
  for (const std::string& name : *names) MR_TRY(count_in(disk, fmt::format("{}/{}", path, name), orphaned));
  return {};
}

}  // namespace

Result<void> move_to_orphaned(store::Disk& disk, const std::string& path,
                              const std::function<void(const std::string& line)>& warn) {
  const auto shards = shards_in_segment(disk, path);
  const std::string wanted = fmt::format("{}/{}", kOrphanedFolder, path);
  MR_TRY(disk.make_folder(folder_of(wanted)));
  std::string target = wanted;
  for (int copy = 1;; ++copy) {
    auto moved = disk.rename_new(path, target);
    if (moved.ok()) break;
    if (moved.error().kind != ErrorKind::kConflict) return moved;
    target = fmt::format("{}.{}", wanted, copy);
  }
  MR_TRY(disk.sync_folder(folder_of(target)));
  MR_TRY(disk.sync_folder(folder_of(path)));
  warn(fmt::format(
      "{}: nothing in this folder knows it; it was moved to {} and stays there until you remove it",
      disk.describe(path), disk.describe(target)));
  if (!shards.ok()) return {};
  for (const auto& [shard, in] : *shards)
    warn(fmt::format("{}: it holds {} records of shard {}, {} bytes stored", disk.describe(target),
                     in.records, to_number(shard), in.bytes));
  return {};
}

Result<Orphaned> count_orphaned(store::Disk& disk) {
  Orphaned orphaned;
  MR_TRY(count_in(disk, std::string(kOrphanedFolder), orphaned));
  return orphaned;
}

}  // namespace millrace::log
