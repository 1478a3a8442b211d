#include "app/folder_copy.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <array>
#include <utility>

#include "app/backup_mark.h"
#include "base/clock.h"
#include "base/random.h"
#include "cluster/chain_copy.h"
#include "log/segment_copy.h"
#include "store/folder_file.h"

namespace millrace::app {
namespace {

Result<Bytes> read_whole(store::Disk& disk, const std::string& path) {
  MR_ASSIGN(const auto file, disk.open(path, store::Disk::Mode::kRead));
  MR_ASSIGN(const std::uint64_t size, file->size());
  Bytes content;
  content.resize(static_cast<std::size_t>(size));
  MR_ASSIGN(const std::size_t read, file->read_at(0, {content.data(), content.size()}));
  content.resize(read);
  return content;
}

// Reads disturb puts less than writes, which each of the journal's syncs waits for.
constexpr std::uint64_t kReadsToWrites = 8;

log::LostBlocks lost_in(const log::Manifest& manifest, const log::SegmentEntry& segment) {
  const auto lost = manifest.lost.find(segment.number);
  return lost == manifest.lost.end() ? log::LostBlocks{} : lost->second;
}

// FOLDER is made for what was copied, by whoever has it all.
bool is_left_out(std::string_view name) {
  return name == "LOCK" || name == store::kFolderFile || name == kBackupMark || name == kRestoreMark ||
         name.ends_with(".new") || name.find(".tmp-") != std::string_view::npos;
}

}  // namespace

std::string describe(const CopyCounts& counts) {
  return fmt::format("{} segments, {} of them copied with {} bytes, all read back", counts.segments,
                     counts.copied_segments, counts.copied_bytes);
}

void copy_politely() {
  umask(S_IRWXG | S_IRWXO);
  setpriority(PRIO_PROCESS, 0, 19);
}

FolderCopy::FolderCopy(store::Disk& from, store::Disk& to, std::uint64_t bytes_per_s)
    : from_(from),
      to_(to),
      pace_(system_clock(), bytes_per_s, no_journal_),
      read_pace_(system_clock(), bytes_per_s * kReadsToWrites, no_journal_) {
  pace_.turn(true);
  read_pace_.turn(true);
}

Result<std::unique_ptr<FolderCopy>> FolderCopy::begin(store::Disk& from, store::Disk& to,
                                                      std::uint64_t bytes_per_s) {
  std::unique_ptr<FolderCopy> copy(new FolderCopy(from, to, bytes_per_s));
  MR_TRY(to.make_folder("keys"));
  MR_TRY(to.make_folder("log/segments"));
  MR_ASSIGN(copy->control_, store::open_directory_store(to, "control"));
  return copy;
}

Result<void> FolderCopy::copy_file(const std::string& path) {
  auto content = read_whole(from_, path);
  if (!content.ok() && content.error().kind == ErrorKind::kNotFound) return {};
  if (!content.ok()) return std::move(content).error();
  {
    MR_ASSIGN(const auto copy, to_.open(path, store::Disk::Mode::kCreate));
    const ByteView piece = content->view();
    MR_TRY(copy->write_at(0, {&piece, 1}));
    MR_TRY(copy->sync());
    copy->forget(0, piece.size());
  }
  MR_ASSIGN(const Bytes written, read_whole(to_, path));
  if (as_text(written.view()) == as_text(content->view())) return {};
  return Error{ErrorKind::kCorrupt,
               fmt::format("{} reads back as other bytes than were written", to_.describe(path))};
}

Result<void> FolderCopy::copy_files() {
  for (const std::string folder : {"", "keys"}) {
    auto names = from_.list(folder);
    if (!names.ok() && names.error().kind == ErrorKind::kNotFound) continue;
    if (!names.ok()) return std::move(names).error();
    for (const std::string& name : *names)
      if (!is_left_out(name)) MR_TRY(copy_file(folder.empty() ? name : fmt::format("{}/{}", folder, name)));
  }
  return {};
}

Result<std::vector<std::string>> FolderCopy::chains() {
  auto names = from_.list("control");
  if (!names.ok() && names.error().kind == ErrorKind::kNotFound) return std::vector<std::string>{};
  return names;
}

Result<void> FolderCopy::copy_chain(const std::string& chain) {
  return cluster::copy_chain(from_, chain + "/", *control_);
}

Result<bool> FolderCopy::read_back(const log::SegmentEntry& segment, const log::LostBlocks& lost,
                                   const std::function<Result<void>()>& goes_on) {
  const auto was_read = [&](std::uint64_t bytes) -> Result<void> {
    counts_.read_back_bytes += bytes;
    MR_TRY(read_pace_.after_read(bytes));
    return goes_on();
  };
  auto damaged = log::check_segment(to_, segment, lost, was_read);
  if (damaged.ok()) {
    counts_.renewed.insert(counts_.renewed.end(), damaged->begin(), damaged->end());
    return damaged->empty();
  }
  if (damaged.error().kind != ErrorKind::kCorrupt) return std::move(damaged).error();
  counts_.renewed.push_back(std::move(damaged).error().text);
  return false;
}

Result<void> FolderCopy::copy_segment(const log::SegmentEntry& segment, const log::LostBlocks& lost,
                                      const std::function<Result<void>()>& goes_on) {
  const auto damaged = log::copy_segment(from_, segment, lost, to_, pace_, goes_on);
  if (!damaged.ok() && passes_losses_) {
    const auto before = log::check_segment(from_, segment, lost);
    if (before.ok() || before.error().kind != ErrorKind::kCorrupt) return damaged.error();
    counts_.damaged.push_back(before.error().text);
    return {};
  }
  if (!damaged.ok()) return damaged.error();
  ++counts_.copied_segments;
  counts_.copied_bytes += segment.bytes;
  counts_.damaged.insert(counts_.damaged.end(), damaged->begin(), damaged->end());
  return {};
}

Result<void> FolderCopy::copy_log(const log::Manifest& manifest,
                                  const std::function<bool(const log::SegmentEntry&)>& link,
                                  const std::function<Result<void>()>& goes_on) {
  for (const log::SegmentEntry& segment : manifest.segments) {
    ++counts_.segments;
    bool shared = link(segment);
    if (shared) {
      MR_ASSIGN(shared, read_back(segment, lost_in(manifest, segment), goes_on));
    }
    if (!shared) {
      MR_TRY(copy_segment(segment, lost_in(manifest, segment), goes_on));
    }
    MR_TRY(goes_on());
  }
  return log::begin_log(to_, manifest, pace_, system_random());
}

}  // namespace millrace::app
