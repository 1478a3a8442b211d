// log/segment_writer.h: makes a segment, block by block. Calls block; one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "log/compression.h"
#include "log/run_codec.h"
#include "log/segment.h"
#include "log/write_pace.h"

namespace millrace::log {

class SegmentWriter {
 public:
  // Makes the file of `number`, which must be new, and fills it at that pace; both borrowed.
  // folder   whose it is
  static Result<std::unique_ptr<SegmentWriter>> create(store::Disk& disk, WritePace& pace,
                                                       std::uint64_t number, std::uint64_t folder);

  // Adds a block as it is stored elsewhere; `block`'s position is set here. Shards rise, and offsets within a
  // shard.
  Result<void> add_stored(BlockEntry block, ByteView stored);
  // Packs `raw`, runs of one shard, and adds it.
  Result<void> add_raw(ByteView raw, Effort effort);

  std::uint64_t bytes() const { return position_; }
  bool empty() const { return blocks_.empty(); }
  // Writes the index, and makes all durable, its name too.
  Result<OpenedSegment> finish();
  // Removes the file.
  void discard();

 private:
  SegmentWriter(store::Disk& disk, WritePace& pace, std::uint64_t number)
      : disk_(disk), pace_(pace), number_(number), path_(segment_path(number)) {}
  Result<void> put(ByteView bytes);
  Result<void> flush();

  store::Disk& disk_;
  WritePace& pace_;
  std::uint64_t number_;
  std::string path_;
  std::unique_ptr<store::File> file_;
  Bytes buffer_;
  Bytes packed_;
  std::uint64_t flushed_ = 0;
  std::uint64_t position_ = 0;
  std::vector<BlockEntry> blocks_;
};

// Gathers runs of one shard into blocks of a good size for reading.
class BlockBuilder {
 public:
  BlockBuilder(SegmentWriter& writer, Effort effort) : writer_(writer), effort_(effort) {}
  // `records` are those of the run; runs come in order. Runs that touch and arrived together become one; an
  // encrypted one stays as it is, however large.
  Result<void> add(const RunHeader& run, const std::uint8_t* records);
  // Ends the block: call between shards, where offsets jump, and at the end.
  Result<void> end_block();
  std::size_t bytes() const { return raw_.size(); }

 private:
  void append(const RunHeader& run, const std::uint8_t* records);

  SegmentWriter& writer_;
  Effort effort_;
  Bytes raw_;
  std::size_t last_run_ = 0;  // of the last run's header in raw_
};

}  // namespace millrace::log
