#include "log/segment.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

#include "base/crc32c.h"
#include "base/little_endian.h"
#include "log/compression.h"
#include "log/run_codec.h"
#include "log/segment_codec.h"

namespace millrace::log {

namespace {

Error corrupt(store::Disk& disk, const std::string& path, std::string_view what) {
  return {ErrorKind::kCorrupt, fmt::format("{}: {}", disk.describe(path), what)};
}

Result<void> read_exactly(store::File& file, std::uint64_t offset, std::span<std::uint8_t> out) {
  MR_ASSIGN(const std::size_t read, file.read_at(offset, out));
  if (read != out.size())
    return Error{ErrorKind::kCorrupt, fmt::format("it ends at byte {}, within bytes {} to {}", offset + read,
                                                  offset, offset + out.size())};
  return {};
}

}  // namespace

BlockRef make_ref(const BlockEntry& entry, std::uint32_t segment) {
  return {entry.first_offset, entry.first_arrival_ms, entry.last_arrival_ms, entry.position, segment,
          entry.count,        entry.stored_bytes,     entry.raw_bytes,       entry.crc,      entry.codec};
}

std::string segment_path(std::uint64_t number) { return fmt::format("log/segments/{:010}.mrs", number); }

std::optional<std::uint64_t> segment_number(std::string_view name) {
  if (!name.ends_with(".mrs")) return std::nullopt;
  name.remove_suffix(4);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc{} || end != name.data() + name.size() || name.size() < 10) return std::nullopt;
  return number;
}

Result<OpenedSegment> open_segment(store::Disk& disk, const SegmentEntry& entry) {
  const std::string path = segment_path(entry.number);
  auto file = disk.open(path, store::Disk::Mode::kRead);
  if (!file.ok()) {
    if (file.error().kind != ErrorKind::kNotFound) return std::move(file).error();
    return corrupt(disk, path, "it is missing: the manifest names it");
  }
  MR_ASSIGN(const std::uint64_t size, (*file)->size());
  if (size != entry.bytes)
    return corrupt(disk, path, fmt::format("it has {} bytes and must have {}", size, entry.bytes));
  if (size < kSegmentHeaderBytes + kSegmentTrailerBytes)
    return corrupt(disk, path, "it is too short for a segment");
  std::array<std::uint8_t, kSegmentHeaderBytes> header;
  std::array<std::uint8_t, kSegmentTrailerBytes> trailer;
  for (auto read : {read_exactly(**file, 0, header), read_exactly(**file, size - trailer.size(), trailer)}) {
    if (!read.ok())
      return read.error().kind == ErrorKind::kCorrupt ? corrupt(disk, path, read.error().text) : read.error();
  }
  if (!segment_header_is_good(header, entry.number))
    return corrupt(disk, path, "its header, at byte 0, is damaged");
  const auto end = decode_segment_trailer(trailer, size);
  if (!end)
    return corrupt(disk, path, fmt::format("its trailer, at byte {}, is damaged", size - trailer.size()));
  if (end->footer_crc != entry.footer_crc)
    return corrupt(disk, path, "its index is not the one that the manifest names");
  Bytes footer;
  footer.resize(end->blocks * kBlockEntryBytes);
  if (auto read = read_exactly(**file, end->footer_position, {footer.data(), footer.size()}); !read.ok())
    return read.error().kind == ErrorKind::kCorrupt ? corrupt(disk, path, read.error().text) : read.error();
  if (crc32c(footer.view()) != end->footer_crc)
    return corrupt(disk, path, fmt::format("its index, at byte {}, is damaged", end->footer_position));
  OpenedSegment opened;
  MR_ASSIGN(opened.blocks, [&]() -> Result<std::vector<BlockEntry>> {
    auto blocks = decode_block_entries(footer.view(), end->footer_position);
    if (!blocks.ok()) return corrupt(disk, path, blocks.error().text);
    return blocks;
  }());
  opened.segment = std::make_shared<Segment>(entry.number, path, std::move(file).value(), entry.bytes,
                                             entry.footer_crc, opened.blocks);
  return opened;
}

Result<Bytes> load_block(store::Disk& disk, Segment& segment, const BlockRef& block) {
  const auto broken = [&](std::string_view what) {
    return corrupt(disk, segment.path(),
                   fmt::format("the block at byte {} (records {} to {}) is damaged: {}", block.position,
                               block.first_offset, block.end_offset() - 1, what));
  };
  Bytes stored;
  stored.resize(block.stored_bytes);
  if (auto read = read_exactly(segment.file(), block.position, {stored.data(), stored.size()}); !read.ok())
    return read.error().kind == ErrorKind::kCorrupt ? broken(read.error().text) : read.error();
  if (crc32c(stored.view()) != block.crc) return broken("its CRC32C is wrong");
  if (Codec{block.codec} != Codec::kNone) {
    auto raw = unpack(Codec{block.codec}, stored.view(), block.raw_bytes);
    if (!raw.ok()) return broken(raw.error().text);
    stored = std::move(raw).value();
  }
  if (auto sound = check_runs(stored.view()); !sound.ok()) return broken(sound.error().text);
  std::uint64_t next = block.first_offset;
  for (std::size_t at = 0; at < stored.size();) {
    const RunHeader run = load_run_header(stored.data() + at);
    if (run.first_offset != next) return broken("its records do not follow each other");
    next = run.end_offset();
    at += kRunHeaderBytes + run.bytes;
  }
  if (next != block.end_offset()) return broken("it does not hold the records that the index names");
  return stored;
}

}  // namespace millrace::log
