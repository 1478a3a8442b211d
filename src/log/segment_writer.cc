#include "log/segment_writer.h"

#include <utility>

#include "base/crc32c.h"
#include "log/segment_codec.h"

namespace millrace::log {

namespace {

constexpr std::size_t kBlockRawBytes = 128u << 10;

// Such runs do not pack.
bool is_all_encrypted(ByteView runs) {
  for (std::size_t at = 0; at < runs.size();) {
    const RunHeader run = load_run_header(runs.data() + at);
    if (!run.encrypted) return false;
    at += kRunHeaderBytes + run.bytes;
  }
  return true;
}

}  // namespace

Result<std::unique_ptr<SegmentWriter>> SegmentWriter::create(store::Disk& disk, WritePace& pace,
                                                             std::uint64_t number, std::uint64_t folder) {
  std::unique_ptr<SegmentWriter> writer(new SegmentWriter(disk, pace, number));
  MR_ASSIGN(writer->file_, disk.open(writer->path_, store::Disk::Mode::kCreate));
  const auto header = encode_segment_header(number, folder);
  writer->buffer_.append(header.data(), header.size());
  writer->position_ = header.size();
  return writer;
}

Result<void> SegmentWriter::put(ByteView bytes) {
  buffer_.append(bytes);
  position_ += bytes.size();
  return buffer_.size() >= WritePace::kPieceBytes ? flush() : Result<void>{};
}

Result<void> SegmentWriter::flush() {
  if (buffer_.empty()) return {};
  const ByteView piece = buffer_.view();
  MR_TRY(file_->write_at(flushed_, {&piece, 1}));
  const std::uint64_t bytes = buffer_.size();
  flushed_ += bytes;
  buffer_.clear();
  return pace_.sync(*file_, bytes);
}

Result<void> SegmentWriter::add_stored(BlockEntry block, ByteView stored) {
  MR_ASSERT(blocks_.empty() || blocks_.back().shard < block.shard ||
            (blocks_.back().shard == block.shard && blocks_.back().end_offset() <= block.first_offset));
  MR_ASSERT(stored.size() == block.stored_bytes);
  block.position = position_;
  blocks_.push_back(block);
  return put(stored);
}

Result<void> SegmentWriter::add_raw(ByteView raw, Effort effort) {
  const Codec codec = is_all_encrypted(raw) ? Codec::kNone : pack(raw, effort, packed_);
  const ByteView stored = codec == Codec::kNone ? raw : packed_.view();
  const RunHeader first = load_run_header(raw.data());
  BlockEntry block{first.shard,
                   first.first_offset,
                   first.arrival_ms,
                   first.arrival_ms,
                   0,
                   0,
                   static_cast<std::uint32_t>(stored.size()),
                   static_cast<std::uint32_t>(raw.size()),
                   crc32c(stored),
                   static_cast<std::uint32_t>(codec)};
  for (std::size_t at = 0; at < raw.size();) {
    const RunHeader run = load_run_header(raw.data() + at);
    MR_ASSERT(run.shard == block.shard);
    MR_ASSERT(run.first_offset == block.end_offset());
    block.count += run.count;
    block.last_arrival_ms = run.arrival_ms;
    at += kRunHeaderBytes + run.bytes;
  }
  return add_stored(block, stored);
}

Result<OpenedSegment> SegmentWriter::finish() {
  SegmentTrailer trailer{position_, blocks_.size(), 0};
  Bytes footer;
  for (const BlockEntry& block : blocks_) append_block_entry(footer, block);
  trailer.footer_crc = crc32c(footer.view());
  MR_TRY(put(footer.view()));
  const auto end = encode_segment_trailer(trailer);
  MR_TRY(put({end.data(), end.size()}));
  MR_TRY(flush());
  MR_TRY(disk_.sync_folder("log/segments"));
  OpenedSegment made;
  made.segment =
      std::make_shared<Segment>(number_, path_, std::move(file_), position_, trailer.footer_crc, blocks_);
  made.blocks = std::move(blocks_);
  return made;
}

void SegmentWriter::discard() {
  file_.reset();
  // What cannot be removed is in no manifest: the next start removes it.
  static_cast<void>(disk_.remove(path_).ok());
}

Result<void> BlockBuilder::add(const RunHeader& run, const std::uint8_t* records) {
  if (!raw_.empty() && raw_.size() + kRunHeaderBytes + run.bytes > kBlockRawBytes) MR_TRY(end_block());
  if (kRunHeaderBytes + run.bytes <= kBlockRawBytes || run.encrypted) {
    append(run, records);
    return {};
  }
  RunHeader part{run.shard, run.first_offset, run.arrival_ms, 0, 0};
  for (std::uint32_t i = 0; i < run.count; ++i) {
    const auto bytes = static_cast<std::uint32_t>(record_bytes(records + part.bytes));
    if (part.count > 0 && kRunHeaderBytes + part.bytes + bytes > kBlockRawBytes) {
      append(part, records);
      MR_TRY(end_block());
      records += part.bytes;
      part = {run.shard, part.end_offset(), run.arrival_ms, 0, 0};
    }
    ++part.count;
    part.bytes += bytes;
  }
  append(part, records);
  return {};
}

void BlockBuilder::append(const RunHeader& run, const std::uint8_t* records) {
  if (!raw_.empty()) {
    RunHeader last = load_run_header(raw_.data() + last_run_);
    MR_ASSERT(last.shard == run.shard);
    MR_ASSERT(last.end_offset() == run.first_offset);
    if (last.arrival_ms == run.arrival_ms && !last.encrypted && !run.encrypted) {
      last.count += run.count;
      last.bytes += run.bytes;
      store_run_header(raw_.data() + last_run_, last);
      raw_.append(records, run.bytes);
      return;
    }
  }
  last_run_ = raw_.size();
  store_run_header(raw_.prepare(kRunHeaderBytes), run);
  raw_.commit(kRunHeaderBytes);
  raw_.append(records, run.bytes);
}

Result<void> BlockBuilder::end_block() {
  if (raw_.empty()) return {};
  auto added = writer_.add_raw(raw_.view(), effort_);
  raw_.clear();
  return added;
}

}  // namespace millrace::log
