#include "log/inspect.h"

#include <fmt/format.h>

#include <algorithm>

#include "log/journal_scan.h"
#include "log/manifest.h"
#include "log/manifest_store.h"
#include "log/run_codec.h"
#include "log/segment.h"

namespace millrace::log {
namespace {

class Inspector {
 public:
  Inspector(store::Disk& disk, Inspect what, const LineSink& line) : disk_(disk), what_(what), line_(line) {}

  Result<Inspection> run() {
    MR_ASSIGN(const auto manifest, read_manifest());
    if (!manifest) return found_;
    for (const SegmentEntry& segment : manifest->segments) MR_TRY(look_at(segment));
    for (std::uint32_t loop = 0; loop < manifest->loops.size(); ++loop)
      MR_TRY(look_at(loop, manifest->loops[loop]));
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
    auto names = disk_.list("log/manifest");
    if (!names.ok() && names.error().kind == ErrorKind::kNotFound) names = std::vector<std::string>{};
    if (!names.ok()) return names.error();
    std::uint64_t newest = 0;
    for (const std::string& name : *names) newest = std::max(newest, manifest_number(name).value_or(0));
    if (newest == 0) {
      MR_TRY(note(
          {ErrorKind::kCorrupt, fmt::format("{}: there is no manifest", disk_.describe("log/manifest"))}));
      return std::unique_ptr<Manifest>{};
    }
    const std::string path = "log/manifest/" + manifest_name(newest);
    MR_ASSIGN(const auto file, disk_.open(path, store::Disk::Mode::kRead));
    MR_ASSIGN(const std::uint64_t size, file->size());
    Bytes bytes;
    bytes.resize(std::min<std::uint64_t>(size, kManifestBytesMax));
    MR_ASSIGN(const std::size_t read, file->read_at(0, {bytes.data(), bytes.size()}));
    auto manifest = decode_manifest(bytes.view().first(read), newest);
    if (!manifest.ok()) {
      MR_TRY(note({ErrorKind::kCorrupt, fmt::format("{}: byte 0: the newest manifest is damaged: {}",
                                                    disk_.describe(path), manifest.error().text)}));
      return std::unique_ptr<Manifest>{};
    }
    if (dumps())
      line_(fmt::format("manifest {}: {} segments, {} journals", path, manifest->segments.size(),
                        manifest->loops.size()));
    return std::make_unique<Manifest>(std::move(*manifest));
  }

  Result<void> look_at(const SegmentEntry& entry) {
    ++found_.segments;
    auto opened = open_segment(disk_, entry);
    if (!opened.ok()) return note(opened.error());
    if (dumps())
      line_(fmt::format("segment {}: {} bytes, {} blocks", opened->segment->path(), entry.bytes,
                        opened->blocks.size()));
    for (const BlockEntry& block : opened->blocks) {
      ++found_.blocks;
      if (dumps())
        line_(fmt::format("block at byte {}: shard {}, records {} to {}, {} bytes stored, {} raw",
                          block.position, to_number(block.shard), block.first_offset, block.end_offset() - 1,
                          block.stored_bytes, block.raw_bytes));
      const auto bytes =
          load_block(disk_, *opened->segment, make_ref(block, static_cast<std::uint32_t>(entry.number)));
      if (bytes.ok())
        look_at_runs(bytes->view());
      else
        MR_TRY(note(bytes.error()));
    }
    return {};
  }

  Result<void> look_at(std::uint32_t loop, const LoopManifest& manifest) {
    const auto scan =
        scan_journal(disk_, loop, manifest, store::Disk::Mode::kRead, [this](const ScannedFrame& frame) {
          ++found_.groups;
          if (dumps())
            line_(fmt::format("group {} at byte {} of {}: {} bytes", frame.header.sequence, frame.offset,
                              frame.file.path, frame.payload.size()));
          look_at_runs(frame.payload);
          return Result<void>{};
        });
    if (!scan.ok()) return note(scan.error());
    // Not a problem: a write that had not ended was never acknowledged.
    if (!scan->torn.empty() && dumps()) line_(scan->torn);
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

  static constexpr std::uint64_t kManifestBytesMax = 1u << 30;

  store::Disk& disk_;
  const Inspect what_;
  const LineSink& line_;
  Inspection found_;
};

}  // namespace

Result<Inspection> inspect(store::Disk& disk, Inspect what, const LineSink& line) {
  return Inspector(disk, what, line).run();
}

}  // namespace millrace::log
