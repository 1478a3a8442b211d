#include "log/inspect.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "log/journal_scan.h"
#include "log/leftovers.h"
#include "log/manifest.h"
#include "log/manifest_store.h"
#include "log/run_codec.h"
#include "log/segment.h"
#include "log/shard_blocks.h"

namespace millrace::log {
namespace {

struct ShardState {
  std::uint64_t end_at_least = 0;
  std::vector<BlockRef> blocks = {};
  std::uint64_t end = 0;
};

class Inspector {
 public:
  Inspector(store::Disk& disk, Inspect what, const LineSink& line, const KnownShards* known)
      : disk_(disk), what_(what), line_(line), known_(known) {
    if (known == nullptr) return;
    for (const ShardOptions& shard : known->shards) shards_[shard.shard].end_at_least = shard.end_at_least;
  }

  Result<Inspection> run() {
    MR_ASSIGN(const auto manifest, read_manifest());
    if (!manifest) return found_;
    folder_ = manifest->origin.folder;
    for (const SegmentEntry& segment : manifest->segments) {
      const auto lost = manifest->lost.find(segment.number);
      MR_TRY(look_at(segment, lost == manifest->lost.end() ? std::vector<std::uint64_t>{} : lost->second));
    }
    MR_TRY(put_shards_in_order(*manifest));
    for (std::uint32_t loop = 0; loop < manifest->loops.size(); ++loop)
      MR_TRY(look_at(loop, manifest->loops[loop]));
    MR_TRY(look_at_ends());
    auto leftovers = find_leftovers(disk_, manifest.get(), folder_);
    if (!leftovers.ok()) MR_TRY(note(leftovers.error()));
    return found_;
  }

 private:
  bool dumps() const { return what_ == Inspect::kDump; }
  // Damage is reported and passed over; what the disk refuses ends the inspection.
  Result<void> note(const Error& error) {
    if (error.kind != ErrorKind::kCorrupt) return error;
    ++found_.problems;
    line_(error.text);
    return {};
  }

  // nullptr where there is none to go by.
  Result<std::unique_ptr<Manifest>> read_manifest() {
    auto newest = read_newest_manifest(disk_);
    if (!newest.ok()) {
      MR_TRY(note(newest.error()));
      return std::unique_ptr<Manifest>{};
    }
    if (newest->mark.number == 0) {
      MR_TRY(note(
          {ErrorKind::kCorrupt, fmt::format("{}: there is no manifest", disk_.describe(kManifestPart))}));
      return std::unique_ptr<Manifest>{};
    }
    if (dumps())
      line_(fmt::format("manifest {}/{}: {} segments, {} journals", kManifestPart,
                        manifest_name(newest->mark.number), newest->manifest.segments.size(),
                        newest->manifest.loops.size()));
    return std::make_unique<Manifest>(std::move(newest->manifest));
  }

  // lost   positions of blocks that are given up: their damage is no news
  Result<void> look_at(const SegmentEntry& entry, const std::vector<std::uint64_t>& lost) {
    ++found_.segments;
    auto opened = open_segment(disk_, entry);
    if (!opened.ok()) {
      has_gaps_ = true;
      return note(opened.error());
    }
    if (dumps())
      line_(fmt::format("segment {}: {} bytes, {} blocks", opened->segment->path(), entry.bytes,
                        opened->blocks.size()));
    for (const BlockEntry& block : opened->blocks) {
      ++found_.blocks;
      MR_TRY(take_block(entry, block));
      if (dumps())
        line_(fmt::format("block at byte {}: shard {}, records {} to {}, {} bytes stored, {} raw",
                          block.position, to_number(block.shard), block.first_offset, block.end_offset() - 1,
                          block.stored_bytes, block.raw_bytes));
      const auto bytes =
          load_block(disk_, *opened->segment, make_ref(block, static_cast<std::uint32_t>(entry.number)));
      if (bytes.ok())
        look_at_runs(bytes->view());
      else if (std::find(lost.begin(), lost.end(), block.position) != lost.end())
        line_("marked as lost: " + bytes.error().text);
      else
        MR_TRY(note(bytes.error()));
    }
    return {};
  }

  Result<void> look_at(std::uint32_t loop, const LoopManifest& manifest) {
    found_.journals.push_back({manifest.position.sequence - 1, {}});
    const auto scan = scan_journal(
        disk_, loop, manifest, folder_, store::Disk::Mode::kRead, [this](const ScannedFrame& frame) {
          ++found_.groups;
          found_.journals.back().add(frame.header.sequence, frame.sum);
          if (dumps())
            line_(fmt::format("group {} at byte {} of {}: {} bytes", frame.header.sequence, frame.offset,
                              frame.file.path, frame.payload.size()));
          look_at_runs(frame.payload);
          return take_runs(frame);
        });
    if (!scan.ok()) {
      has_gaps_ = true;
      return note(scan.error());
    }
    found_.journals.back().newest = scan->end.sequence - 1;
    // Not a problem: a write that had not ended was never acknowledged.
    if (!scan->torn.empty() && dumps()) line_(scan->torn);
    return {};
  }

  // nullptr where the catalog does not have it: of a deleted stream.
  Result<ShardState*> shard_at(const std::string& path, std::uint64_t offset, ShardKey shard) {
    if (known_ == nullptr) return nullptr;
    if (auto made = check_made(disk_, path, offset, shard, known_->next_shard); !made.ok()) {
      const bool is_new = never_made_.insert(shard).second;
      if (is_new) MR_TRY(note(made.error()));
      return nullptr;
    }
    const auto found = shards_.find(shard);
    return found == shards_.end() ? nullptr : &found->second;
  }

  Result<void> take_block(const SegmentEntry& entry, const BlockEntry& block) {
    MR_ASSIGN(ShardState* const shard, shard_at(segment_path(entry.number), block.position, block.shard));
    if (shard != nullptr) shard->blocks.push_back(make_ref(block, static_cast<std::uint32_t>(entry.number)));
    return {};
  }

  // What is missing behind a fault that was told is no fault of its own.
  Result<void> put_shards_in_order(const Manifest& manifest) {
    for (auto& [key, shard] : shards_) {
      const auto floor = manifest.floors.find(key);
      const std::uint64_t floor_offset = floor == manifest.floors.end() ? 0 : floor->second;
      std::erase_if(shard.blocks, [&](const BlockRef& block) { return block.end_offset() <= floor_offset; });
      const auto ordered = put_in_order(disk_, key, shard.blocks);
      if (!ordered.ok() && !has_gaps_) MR_TRY(note(ordered.error()));
      shard.end = shard.blocks.empty() ? floor_offset : shard.blocks.back().end_offset();
      shard.blocks = {};
    }
    return {};
  }

  Result<void> take_runs(const ScannedFrame& frame) {
    for (std::size_t at = 0; at < frame.payload.size();) {
      const RunHeader run = load_run_header(frame.payload.data() + at);
      MR_ASSIGN(ShardState* const shard, shard_at(frame.file.path, frame.offset, run.shard));
      if (shard != nullptr) {
        if (!has_gaps_) MR_TRY(check_follows(run.shard, run.first_offset, shard->end));
        shard->end = run.end_offset();
      }
      at += kRunHeaderBytes + run.bytes;
    }
    return {};
  }

  Result<void> look_at_ends() {
    if (has_gaps_) return {};
    for (const auto& [key, shard] : shards_)
      if (const auto reached = check_reaches(disk_, key, shard.end, shard.end_at_least); !reached.ok())
        MR_TRY(note(reached.error()));
    return {};
  }

  // Whole runs, checked by whoever read them.
  void look_at_runs(ByteView runs) {
    for (std::size_t at = 0; at < runs.size();) {
      const RunHeader run = load_run_header(runs.data() + at);
      found_.records += run.count;
      if (dumps() && run.encrypted)
        dump_encrypted(run, runs.data() + at + kRunHeaderBytes);
      else if (dumps())
        dump_records(run, runs.data() + at + kRunHeaderBytes);
      at += kRunHeaderBytes + run.bytes;
    }
  }

  void dump_records(const RunHeader& run, const std::uint8_t* at) {
    RecordView record;
    for (std::uint32_t i = 0; i < run.count; ++i) {
      at += load_record(at, record);
      line_(fmt::format("record: shard {}, offset {}, arrived {} ms, key {}, {} bytes", to_number(run.shard),
                        run.first_offset + i, run.arrival_ms, printable(record.key), record.value.size()));
    }
  }

  void dump_encrypted(const RunHeader& run, const std::uint8_t* at) {
    constexpr std::size_t kShownBytes = 16;
    std::string begin;
    for (std::size_t i = 0; i < kShownBytes && i < run.bytes - kCipherHeadBytes - kCipherTagBytes; ++i)
      begin += fmt::format("{:02x}", at[kCipherHeadBytes + i]);
    line_(fmt::format("encrypted: shard {}, offsets {} to {}, arrived {} ms, data key {}, {} bytes, {}…",
                      to_number(run.shard), run.first_offset, run.end_offset() - 1, run.arrival_ms,
                      load_cipher_head(at).key, run.bytes, begin));
  }

  // Quoted; what a terminal might act on, and quotes, as \xNN.
  static std::string printable(ByteView key) {
    std::string text = "\"";
    for (const std::uint8_t byte : key) {
      if (byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\')
        text += static_cast<char>(byte);
      else
        text += fmt::format("\\x{:02x}", byte);
    }
    return text + '"';
  }

  store::Disk& disk_;
  const Inspect what_;
  const LineSink& line_;
  const KnownShards* const known_;
  std::uint64_t folder_ = 0;
  std::map<ShardKey, ShardState> shards_;  // those that are known
  std::set<ShardKey> never_made_;
  bool has_gaps_ = false;  // something could not be read: what is missing then is known
  Inspection found_;
};

}  // namespace

Result<Inspection> inspect(store::Disk& disk, Inspect what, const LineSink& line, const KnownShards* known) {
  return Inspector(disk, what, line, known).run();
}

}  // namespace millrace::log
