#include "log/journal_scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "log/file_window.h"
#include "log/run_codec.h"

namespace millrace::log {

namespace {

class Scan {
 public:
  using Visit = std::function<Result<void>(const ScannedFrame&)>;
  Scan(store::Disk& disk, std::uint32_t loop, const LoopManifest& manifest, std::uint64_t folder,
       const Visit& visit)
      : disk_(disk), loop_(loop), manifest_(manifest), folder_(folder), visit_(visit) {}

  Result<JournalScan> run(store::Disk::Mode mode) {
    MR_TRY(open_files(mode));
    MR_TRY(order_files());
    scan_.end = manifest_.position;
    for (std::size_t i = 0; i < chain_; ++i) {
      const bool is_first = i == 0;
      MR_TRY(read_frames(i, is_first ? manifest_.position.offset : kJournalFramesBegin));
    }
    MR_TRY(look_behind());
    return std::move(scan_);
  }

 private:
  std::string where(const JournalFile& file, std::uint64_t offset) const {
    return fmt::format("{}: byte {}", disk_.describe(file.path), offset);
  }
  std::string readable() const {
    if (next() == manifest_.position.sequence) return "no group before it waits in the journal";
    return fmt::format("groups {} to {} before it are readable", manifest_.position.sequence, next() - 1);
  }
  Error damaged(const JournalFile& file, std::uint64_t offset, std::string_view why) const {
    return {ErrorKind::kCorrupt, fmt::format("{}: group {} of loop {} is damaged: {}; {}",
                                             where(file, offset), next(), loop_, why, readable())};
  }
  std::uint64_t next() const { return scan_.end.sequence; }

  Result<void> open_files(store::Disk::Mode mode) {
    for (const JournalFileEntry& entry : manifest_.files) {
      MR_ASSIGN(auto file, open_journal_file(disk_, loop_, entry.number, entry.bytes, mode, folder_));
      scan_.generation_max = std::max(scan_.generation_max, file->use.generation);
      scan_.files.push_back(std::move(file));
    }
    return {};
  }

  // Puts the files that may hold frames in front, by generation.
  Result<void> order_files() {
    const std::uint64_t first = manifest_.position.generation;
    const auto free = std::stable_partition(scan_.files.begin(), scan_.files.end(),
                                            [&](const auto& file) { return file->use.generation >= first; });
    chain_ = static_cast<std::size_t>(free - scan_.files.begin());
    std::sort(scan_.files.begin(), free,
              [](const auto& a, const auto& b) { return a->use.generation < b->use.generation; });
    if (chain_ == 0 || scan_.files[0]->use.generation != first ||
        scan_.files[0]->number != manifest_.position.file)
      return Error{
          ErrorKind::kCorrupt,
          fmt::format(
              "{}: generation {} of it, where the journal goes on, is not there: the manifest is older "
              "than the journal, or the file's header was overwritten",
              disk_.describe(journal_path(loop_, manifest_.position.file)), first)};
    for (std::size_t i = 1; i < chain_; ++i) {
      if (scan_.files[i]->use.generation == scan_.files[i - 1]->use.generation)
        return Error{ErrorKind::kCorrupt, fmt::format("{} and {} have the same generation",
                                                      disk_.describe(scan_.files[i - 1]->path),
                                                      disk_.describe(scan_.files[i]->path))};
    }
    limits_.assign(chain_, kTrustAll);
    for (std::size_t i = chain_ - 1; i > 0; --i)
      limits_[i - 1] = std::min(limits_[i], scan_.files[i]->use.trusted_up_to);
    return {};
  }

  Result<void> read_frames(std::size_t index, std::uint64_t offset) {
    JournalFile& file = *scan_.files[index];
    FileWindow window(*file.file, file.bytes);
    while (next() <= limits_[index]) {
      MR_ASSIGN(ByteView bytes, window.view(offset, kBlockBytes));
      if (const auto header = load_frame_header(bytes); header && header->kind == FrameKind::kGroup) {
        const std::uint64_t total = frame_bytes(header->payload_bytes);
        if (total <= file.bytes - offset) {
          MR_ASSIGN(bytes, window.view(offset, static_cast<std::size_t>(total)));
        }
      }
      const FrameCheck check = check_frame(bytes, file.use.generation, file.use.salt, next());
      if (check.fault == FrameFault::kOneBit) return damaged(file, offset, "a bit of it is flipped");
      if (check.fault == FrameFault::kTorn || (check.fault == FrameFault::kOther && !stop_)) {
        // The first place where the journal may end; a later file may yet show that it does not.
        stop_ = Stop{index, offset, check.fault};
      }
      if (check.fault != FrameFault::kNone) return {};
      stop_.reset();  // a torn one before it was cut off by an earlier start
      offset += check.bytes;
      MR_TRY(take_frame(index, offset, check));
    }
    if (!stop_) stop_ = Stop{index, offset, FrameFault::kOther};
    return {};
  }

  Result<void> take_frame(std::size_t index, std::uint64_t end, const FrameCheck& check) {
    const JournalFile& file = *scan_.files[index];
    const std::uint64_t begin = end - check.bytes;
    if (auto sound = check_runs(check.payload); !sound.ok()) return damaged(file, begin, sound.error().text);
    const JournalPosition behind{file.number, file.use.generation, end, next() + 1};
    if (auto visited = visit_({file, begin, check.header, check.payload, behind, check.sum}); !visited.ok())
      return Error{visited.error().kind, fmt::format("{}: group {} of loop {}: {}; {}", where(file, begin),
                                                     next(), loop_, visited.error().text, readable())};
    scan_.end = behind;
    scan_.in_use = index + 1;
    scan_.last_frame = JournalScan::LastFrame{index, begin, check.bytes};
    return {};
  }

  // Group next() was not found. Whether anything says that it was durable.
  Result<void> look_behind() {
    MR_ASSERT(stop_.has_value());
    for (std::size_t i = scan_.in_use - 1; i < chain_; ++i) {
      const JournalFile& file = *scan_.files[i];
      const JournalFile& stopped = *scan_.files[scan_.in_use - 1];
      if (limits_[i] != kTrustAll && next() <= limits_[i])
        return damaged(stopped, scan_.end.offset,
                       fmt::format("{} says that groups up to {} are durable",
                                   disk_.describe(scan_.files[i + 1]->path), limits_[i]));
      if (limits_[i] != kTrustAll) continue;  // what stands there is not trusted, and nothing is missing
      const std::uint64_t from = i == scan_.in_use - 1 ? scan_.end.offset : kJournalFramesBegin;
      MR_TRY(look_for_later(file, from));
    }
    go_on_in_trusted_file();
    if (stop_->fault == FrameFault::kTorn)
      scan_.torn = fmt::format(
          "{}: group {} of loop {} was being written when the process ended, was never "
          "acknowledged, and is cut off",
          where(*scan_.files[stop_->index], stop_->offset), next(), loop_);
    return {};
  }

  // What would be written behind the groups of a file that failed would not be trusted either.
  void go_on_in_trusted_file() {
    std::size_t i = scan_.in_use - 1;
    if (limits_[i] == kTrustAll) return;
    while (limits_[i] != kTrustAll) ++i;
    scan_.in_use = i + 1;
    scan_.end = {scan_.files[i]->number, scan_.files[i]->use.generation, kJournalFramesBegin, next()};
  }

  Result<void> look_for_later(const JournalFile& file, std::uint64_t from) {
    FileWindow window(*file.file, file.bytes);
    const JournalFile& stopped = *scan_.files[scan_.in_use - 1];
    for (std::uint64_t offset = from; offset < file.bytes; offset += kBlockBytes) {
      MR_ASSIGN(const ByteView block, window.view(offset, kFrameHeaderBytes));
      const auto header = load_frame_header(block);
      if (!header || header->generation != file.use.generation || header->salt != file.use.salt) continue;
      if (header->kind == FrameKind::kCleanStop && offset == scan_.end.offset &&
          header->sequence + 1 == next())
        scan_.clean_stop = true;
      if (header->durable_up_to >= next())
        return damaged(
            stopped, scan_.end.offset,
            fmt::format("{} says that group {} was durable", where(file, offset), header->durable_up_to));
    }
    return {};
  }

  store::Disk& disk_;
  std::uint32_t loop_;
  const LoopManifest& manifest_;
  const std::uint64_t folder_;
  const Visit& visit_;
  JournalScan scan_;
  std::size_t chain_ = 0;
  std::vector<std::uint64_t> limits_;  // groups up to which the file of that index is trusted
  struct Stop {
    std::size_t index;
    std::uint64_t offset;
    FrameFault fault;
  };
  std::optional<Stop> stop_;
};

}  // namespace

Result<JournalScan> scan_journal(store::Disk& disk, std::uint32_t loop, const LoopManifest& manifest,
                                 std::uint64_t folder, store::Disk::Mode mode,
                                 const std::function<Result<void>(const ScannedFrame&)>& visit) {
  return Scan(disk, loop, manifest, folder, visit).run(mode);
}

}  // namespace millrace::log
