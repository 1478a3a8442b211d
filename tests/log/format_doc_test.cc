// The bytes in docs/format.md are what the code reads and writes, and one flipped bit in them is refused.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <string>

#include "base/little_endian.h"
#include "log/batch.h"
#include "log/format_page.h"
#include "log/frame.h"
#include "log/journal_file.h"
#include "log/manifest.h"
#include "log/run_codec.h"
#include "log/segment.h"
#include "log/segment_codec.h"
#include "log/segment_writer.h"
#include "sim/sim_disk.h"

namespace millrace::log {
namespace {

using millrace::testing::page_bytes;
using millrace::testing::with_flipped_bit;

constexpr std::uint64_t kGeneration = 5;
constexpr std::uint64_t kSalt = 0x1122334455667788;
constexpr std::int64_t kArrivalMs = 1'760'000'000'000;
constexpr std::uint64_t kFolder = 0x1f2e3d4c5b6a7988;

std::string hex(ByteView bytes) {
  std::string text;
  for (const std::uint8_t byte : bytes) text += fmt::format("{:02x}", byte);
  return text;
}

Bytes joined(std::span<const ByteView> pieces) {
  Bytes whole;
  for (const ByteView piece : pieces) whole.append(piece);
  return whole;
}

void put_file(sim::SimDisk& disk, const std::string& path, ByteView bytes) {
  ASSERT_TRUE(disk.make_folder(path.substr(0, path.rfind('/'))).ok());
  ASSERT_TRUE(disk.remove(path).ok());
  auto file = disk.open(path, store::Disk::Mode::kCreate);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE((*file)->write_at(0, {&bytes, 1}).ok());
}

void expect_records(ByteView records) {
  RecordView first;
  RecordView second;
  const std::size_t length = load_record(records.data(), first);
  EXPECT_EQ(as_text(first.key), "u-17");
  EXPECT_EQ(as_text(first.value), "click");
  EXPECT_FALSE(first.explicit_hash_key.has_value());
  EXPECT_EQ(length + load_record(records.data() + length, second), records.size());
  EXPECT_EQ(as_text(second.key), "u-18");
  EXPECT_EQ(as_text(second.value), "buy");
  EXPECT_EQ(second.explicit_hash_key, (HashKey{0x80}));
  EXPECT_EQ(hex(second.attributes), "0102");
}

TEST(FormatPage, RunAndRecords) {
  const Bytes run = page_bytes("run");
  ASSERT_TRUE(check_runs(run.view()).ok());
  const RunHeader header = load_run_header(run.data());
  EXPECT_EQ(header.shard, ShardKey{3});
  EXPECT_EQ(header.first_offset, 41u);
  EXPECT_EQ(header.arrival_ms, kArrivalMs);
  EXPECT_EQ(header.count, 2u);
  expect_records(run.view().subspan(kRunHeaderBytes));
  Bytes records = page_bytes("record");
  records.append(page_bytes("record with all").view());
  EXPECT_EQ(hex(records.view()), hex(run.view().subspan(kRunHeaderBytes)));

  BatchBuilder builder(1'024);
  builder.begin_run(ShardKey{3});
  builder.add({.key = as_bytes("u-17"), .value = as_bytes("click")});
  const std::array<std::uint8_t, 2> attributes{1, 2};
  builder.add({.key = as_bytes("u-18"),
               .value = as_bytes("buy"),
               .explicit_hash_key = HashKey{0x80},
               .attributes = attributes});
  const auto batch = builder.finish();
  place_run(batch->bytes.data(), 41, kArrivalMs);
  EXPECT_EQ(hex(batch->bytes.view()), hex(run.view()));

  for (std::size_t byte : {24u, 28u, 32u, 36u, 38u}) {
    const Bytes wrong = with_flipped_bit(run, byte * 8 + 5);
    EXPECT_FALSE(check_runs(wrong.view()).ok()) << "byte " << byte;
  }
}

TEST(FormatPage, JournalFrame) {
  const Bytes frame = page_bytes("journal frame");
  const FrameCheck check = check_frame(frame.view(), kGeneration, kSalt, 12);
  ASSERT_EQ(check.fault, FrameFault::kNone);
  EXPECT_EQ(check.bytes, frame.size());
  EXPECT_EQ(check.header.durable_up_to, 11u);
  EXPECT_EQ(hex(check.payload), hex(page_bytes("run").view()));

  FrameSealer sealer;
  const ByteView payload = check.payload;
  EXPECT_EQ(hex(joined(sealer.seal(check.header, {&payload, 1})).view()), hex(frame.view()));

  for (std::size_t bit = 0; bit < frame.size() * 8; bit += bit < 1'200 ? 1 : 61) {
    const Bytes wrong = with_flipped_bit(frame, bit);
    EXPECT_EQ(check_frame(wrong.view(), kGeneration, kSalt, 12).fault, FrameFault::kOneBit) << "bit " << bit;
  }
}

TEST(FormatPage, JournalMarks) {
  for (const auto kind : {FrameKind::kMark, FrameKind::kCleanStop}) {
    const Bytes mark = page_bytes(kind == FrameKind::kMark ? "journal mark" : "journal clean stop");
    const auto header = load_frame_header(mark.view());
    ASSERT_TRUE(header.has_value());
    EXPECT_EQ(header->kind, kind);
    EXPECT_EQ(header->generation, kGeneration);
    EXPECT_EQ(header->salt, kSalt);
    EXPECT_EQ(header->sequence, 12u);
    EXPECT_EQ(header->durable_up_to, 12u);
    FrameSealer sealer;
    EXPECT_EQ(hex(joined(sealer.seal(*header, {})).view()), hex(mark.view()));
    for (std::size_t bit = 0; bit < kFrameHeaderBytes * 8; ++bit)
      EXPECT_FALSE(load_frame_header(with_flipped_bit(mark, bit).view()).has_value()) << "bit " << bit;
  }
}

// A whole file: the header in its slot, the frame and the mark behind it.
void journal_file_is_read_and_written(const char* block, std::uint64_t folder) {
  constexpr std::uint64_t kFileBytes = 64u << 20;
  const Bytes header = page_bytes(block);
  ASSERT_EQ(header.size(), kBlockBytes);
  sim::SimDisk disk{sim::Seed{1}};
  Bytes start;
  start.resize(kBlockBytes);
  std::fill_n(start.data(), kBlockBytes, std::uint8_t{0});
  start.append(header.view());
  put_file(disk, "log/journal/000/00000002.mrj", start.view());
  const auto open = [&disk](std::uint64_t of = kFolder) {
    auto file = disk.open("log/journal/000/00000002.mrj", store::Disk::Mode::kWrite);
    EXPECT_TRUE(file.ok() && (*file)->truncate(kFileBytes).ok());
    return open_journal_file(disk, 0, 2, kFileBytes, store::Disk::Mode::kWrite, of);
  };
  const auto opened = open();
  ASSERT_TRUE(opened.ok()) << opened.error().text;
  EXPECT_EQ((*opened)->use.generation, kGeneration);
  EXPECT_EQ((*opened)->use.salt, kSalt);
  EXPECT_EQ((*opened)->use.trusted_up_to, kTrustAll);
  EXPECT_EQ((*opened)->use.folder, folder);
  EXPECT_EQ(open(kFolder + 1).ok(), folder == 0);

  JournalFile same{0, 2, kFileBytes, {}, "log/journal/000/00000002.mrj", nullptr};
  same.file = std::move(*disk.open("log/journal/000/00000002.mrj", store::Disk::Mode::kWrite));
  ASSERT_TRUE(begin_use(same, {kGeneration, kSalt, kTrustAll, folder}).ok());
  const Bytes written = disk.file_bytes("log/journal/000/00000002.mrj");
  EXPECT_EQ(hex(written.view().subspan(kBlockBytes, kBlockBytes)), hex(header.view()));

  for (std::size_t bit = 0; bit < 64 * 8; ++bit) {
    disk.flip_bit("log/journal/000/00000002.mrj", kBlockBytes * 8 + bit);
    const auto refused = open();
    ASSERT_FALSE(refused.ok()) << "bit " << bit;
    EXPECT_EQ(refused.error().kind, ErrorKind::kCorrupt);
    disk.flip_bit("log/journal/000/00000002.mrj", kBlockBytes * 8 + bit);
  }
}

TEST(FormatPage, JournalFile) {
  journal_file_is_read_and_written("journal header", kFolder);
  journal_file_is_read_and_written("journal header of version 1", 0);
}

void segment_is_read_and_written(const char* block_name, std::uint64_t folder) {
  const Bytes segment = page_bytes(block_name);
  EXPECT_EQ(segment_header_folder(segment.view()), folder);
  sim::SimDisk disk{sim::Seed{1}};
  put_file(disk, "log/segments/0000000009.mrs", segment.view());
  const SegmentEntry entry{9, segment.size(), load<std::uint32_t>(segment.data() + segment.size() - 16)};
  const auto opened = open_segment(disk, entry);
  ASSERT_TRUE(opened.ok()) << opened.error().text;
  ASSERT_EQ(opened->blocks.size(), 1u);
  const auto block = load_block(disk, *opened->segment, make_ref(opened->blocks[0], 9));
  ASSERT_TRUE(block.ok()) << block.error().text;
  const Bytes run = page_bytes("run");
  EXPECT_EQ(hex(block->view()), hex(run.view()));

  disk.crash(sim::Crash::kProcessKilled);
  disk.restart();
  ASSERT_TRUE(disk.remove("log/segments/0000000009.mrs").ok());
  const std::atomic<std::uint64_t> journal_bytes{0};
  WritePace pace(system_clock(), 0, journal_bytes);
  auto writer = SegmentWriter::create(disk, pace, 9, folder);
  ASSERT_TRUE(writer.ok());
  BlockBuilder builder(**writer, Effort::kLittle);
  ASSERT_TRUE(builder.add(load_run_header(run.data()), run.data() + kRunHeaderBytes).ok());
  ASSERT_TRUE(builder.end_block().ok());
  ASSERT_TRUE((*writer)->finish().ok());
  EXPECT_EQ(hex(disk.file_bytes("log/segments/0000000009.mrs").view()), hex(segment.view()));

  for (std::size_t bit = 0; bit < segment.size() * 8; ++bit) {
    put_file(disk, "log/segments/0000000009.mrs", with_flipped_bit(segment, bit).view());
    const auto again = open_segment(disk, entry);
    if (again.ok()) {
      EXPECT_FALSE(load_block(disk, *again->segment, make_ref(again->blocks[0], 9)).ok()) << "bit " << bit;
    }
  }
}

TEST(FormatPage, Segment) {
  segment_is_read_and_written("segment", kFolder);
  segment_is_read_and_written("segment of version 1", 0);
}

void manifest_is_read_and_written(const char* block, store::Origin origin) {
  const Bytes bytes = page_bytes(block);
  const auto manifest = decode_manifest(bytes.view(), 27);
  ASSERT_TRUE(manifest.ok()) << manifest.error().text;
  EXPECT_EQ(manifest->origin.folder, origin.folder);
  EXPECT_EQ(manifest->origin.start, origin.start);
  EXPECT_EQ(manifest->next_segment, 10u);
  ASSERT_EQ(manifest->loops.size(), 1u);
  const LoopManifest& loop = manifest->loops[0];
  EXPECT_EQ(loop.last_arrival_ms, kArrivalMs);
  EXPECT_EQ(loop.next_file, 3u);
  EXPECT_EQ(loop.position.file, 2u);
  EXPECT_EQ(loop.position.generation, kGeneration);
  EXPECT_EQ(loop.position.offset, kJournalFramesBegin);
  EXPECT_EQ(loop.position.sequence, 12u);
  ASSERT_EQ(loop.files.size(), 1u);
  EXPECT_EQ(loop.files[0].bytes, 64u << 20);
  const Bytes segment = page_bytes("segment");
  ASSERT_EQ(manifest->segments.size(), 1u);
  EXPECT_EQ(manifest->segments[0].number, 9u);
  EXPECT_EQ(manifest->segments[0].bytes, segment.size());
  EXPECT_EQ(manifest->segments[0].footer_crc, load<std::uint32_t>(segment.data() + segment.size() - 16));
  EXPECT_EQ(manifest->floors, (std::map<ShardKey, std::uint64_t>{{ShardKey{3}, 41}}));
  EXPECT_EQ(hex(encode_manifest(*manifest, 27).view()), hex(bytes.view()));
  EXPECT_FALSE(decode_manifest(bytes.view(), 28).ok());
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit)
    EXPECT_FALSE(decode_manifest(with_flipped_bit(bytes, bit).view(), 27).ok()) << "bit " << bit;
}

TEST(FormatPage, ManifestWithAClock) {
  const Bytes bytes = page_bytes("manifest with a clock");
  auto manifest = decode_manifest(bytes.view(), 27);
  ASSERT_TRUE(manifest.ok()) << manifest.error().text;
  EXPECT_EQ(manifest->clock, (ClockMark{kArrivalMs + 3'600'000, {{0, 0}, {kArrivalMs, 3'000}}}));
  EXPECT_EQ(hex(encode_manifest(*manifest, 27).view()), hex(bytes.view()));
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit)
    EXPECT_FALSE(decode_manifest(with_flipped_bit(bytes, bit).view(), 27).ok()) << "bit " << bit;
  manifest->clock = {};
  EXPECT_EQ(hex(encode_manifest(*manifest, 27).view()), hex(page_bytes("manifest of version 1").view()));
}

TEST(Manifest, SkipsThatDoNotRiseAreRefused) {
  for (const std::vector<ClockSkip>& skips :
       {std::vector<ClockSkip>{{5, 1}, {5, 2}}, {{5, 2}, {9, 1}}, {{5, 6}}, {{-5, -6}}}) {
    Manifest manifest;
    manifest.loops.resize(1);
    manifest.clock.skips = skips;
    EXPECT_FALSE(decode_manifest(encode_manifest(manifest, 1).view(), 1).ok());
  }
}

TEST(FormatPage, ManifestWithALostBlock) {
  const Bytes bytes = page_bytes("manifest with a lost block");
  const auto manifest = decode_manifest(bytes.view(), 28);
  ASSERT_TRUE(manifest.ok()) << manifest.error().text;
  EXPECT_EQ(manifest->lost,
            (std::map<std::uint64_t, std::vector<std::uint64_t>>{{9, {kSegmentHeaderBytes}}}));
  EXPECT_EQ(manifest->floors, (std::map<ShardKey, std::uint64_t>{{ShardKey{3}, 41}}));
  EXPECT_EQ(hex(encode_manifest(*manifest, 28).view()), hex(bytes.view()));
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit)
    EXPECT_FALSE(decode_manifest(with_flipped_bit(bytes, bit).view(), 28).ok()) << "bit " << bit;
}

TEST(FormatPage, Manifest) {
  manifest_is_read_and_written("manifest", {kFolder, 3});
  manifest_is_read_and_written("manifest of version 1", {});
}

}  // namespace
}  // namespace millrace::log
