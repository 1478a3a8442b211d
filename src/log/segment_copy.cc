#include "log/segment_copy.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "log/journal_file.h"
#include "log/manifest_store.h"
#include "log/segment.h"

namespace millrace::log {

namespace {

// A server makes others of the length that is set; this one is used up once.
constexpr std::uint64_t kFirstJournalBytes = 1u << 20;

Result<void> copy_bytes(store::Disk& from, const SegmentEntry& segment, store::Disk& to, WritePace& pace,
                        const std::function<Result<void>()>& goes_on) {
  const std::string path = segment_path(segment.number);
  MR_ASSIGN(const auto source, from.open(path, store::Disk::Mode::kRead));
  MR_TRY(to.remove(path));
  MR_ASSIGN(const auto copy, to.open(path, store::Disk::Mode::kCreate));
  Bytes piece;
  for (std::uint64_t at = 0; at < segment.bytes;) {
    piece.resize(static_cast<std::size_t>(std::min(WritePace::kPieceBytes, segment.bytes - at)));
    MR_ASSIGN(const std::size_t read, source->read_at(at, {piece.data(), piece.size()}));
    if (read != piece.size())
      return Error{ErrorKind::kUnavailable, fmt::format("{} ends at byte {}: it was removed meanwhile",
                                                        from.describe(path), at + read)};
    const ByteView view = piece.view();
    MR_TRY(copy->write_at(at, {&view, 1}));
    MR_TRY(pace.sync(*copy, view.size()));
    source->forget(at, view.size());
    copy->forget(at, view.size());
    at += view.size();
    MR_TRY(goes_on());
  }
  return {};
}

}  // namespace

Result<std::vector<std::string>> check_segment(
    store::Disk& disk, const SegmentEntry& segment, const LostBlocks& lost,
    const std::function<Result<void>(std::uint64_t bytes)>& was_read) {
  if (const auto file = disk.open(segment_path(segment.number), store::Disk::Mode::kRead); file.ok())
    (*file)->forget(0, segment.bytes);
  MR_ASSIGN(const OpenedSegment opened, open_segment(disk, segment));
  std::vector<std::string> damaged;
  for (const BlockEntry& block : opened.blocks) {
    const auto bytes =
        load_block(disk, *opened.segment, make_ref(block, static_cast<std::uint32_t>(segment.number)));
    opened.segment->file().forget(block.position, block.stored_bytes);
    if (was_read) MR_TRY(was_read(block.stored_bytes));
    if (bytes.ok() || std::binary_search(lost.begin(), lost.end(), block.position)) continue;
    if (bytes.error().kind != ErrorKind::kCorrupt) return bytes.error();
    damaged.push_back(bytes.error().text);
  }
  return damaged;
}

Result<std::vector<std::string>> copy_segment(store::Disk& from, const SegmentEntry& segment,
                                              const LostBlocks& lost, store::Disk& to, WritePace& pace,
                                              const std::function<Result<void>()>& goes_on) {
  auto copied = copy_bytes(from, segment, to, pace, goes_on);
  if (!copied.ok() && copied.error().kind == ErrorKind::kNotFound)
    return Error{ErrorKind::kUnavailable, std::move(copied.error().text)};
  MR_TRY(std::move(copied));
  MR_ASSIGN(const auto damaged, check_segment(to, segment, lost));
  MR_TRY(goes_on());
  if (damaged.empty()) return damaged;
  MR_ASSIGN(auto before, check_segment(from, segment, lost));
  if (before.size() != damaged.size())
    return Error{ErrorKind::kCorrupt,
                 fmt::format("{}, and is not in {}", damaged.front(), from.describe(""))};
  return before;
}

Result<void> begin_log(store::Disk& disk, const Manifest& manifest, WritePace& pace, Random& random) {
  MR_TRY(disk.make_folder(journal_folder(0)));
  MR_TRY(disk.make_folder("log/segments"));
  Manifest begun = manifest;
  LoopManifest loop;
  for (const LoopManifest& before : manifest.loops)
    loop.last_arrival_ms = std::max(loop.last_arrival_ms, before.last_arrival_ms);
  const std::uint64_t number = loop.next_file++;
  MR_ASSIGN(const auto file, create_journal_file(disk, pace, 0, number, kFirstJournalBytes));
  MR_TRY(begin_use(*file, {1, random.next_u64(), kTrustAll, manifest.origin.folder}));
  loop.files.push_back({number, file->bytes});
  loop.position = {number, 1, kJournalFramesBegin, 1};
  begun.loops = {std::move(loop)};
  MR_ASSIGN(const auto manifests, ManifestStore::open(disk));
  if (manifests->exists())
    return Error{ErrorKind::kConflict, fmt::format("{} holds a log", disk.describe(""))};
  MR_TRY(manifests->begin({}, nullptr));
  return manifests->edit([&](Manifest& empty) { empty = begun; });
}

Result<Manifest> read_manifest(store::Disk& disk) {
  MR_ASSIGN(auto newest, read_newest_manifest(disk));
  if (newest.mark.number == 0)
    return Error{ErrorKind::kCorrupt, fmt::format("{}: there is no manifest", disk.describe(kManifestPart))};
  return std::move(newest.manifest);
}

}  // namespace millrace::log
