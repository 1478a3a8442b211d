// log/batch.h: what a put hands to a shard's loop: records of many shards, encoded once on the connection's
// loop. The same bytes go to the journal and stay in the tail cache.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "log/record.h"
#include "log/run_cipher.h"

namespace millrace::log {

// What became of a run, set by Log::append before it answers.
enum class RunStatus : std::uint8_t {
  kPending,      // not yet appended
  kDurable,      // in the log for ever (until retention)
  kSealed,       // the shard takes no more records: nothing written, route anew
  kGone,         // no such shard: nothing written
  kUnavailable,  // nothing written (disk full); Batch::error says why
  kUnknown,      // may have been written (I/O error); Batch::error says why
};

// Records of one shard inside a batch, in order.
struct Run {
  ShardKey shard;
  std::uint32_t begin;  // of the run's header in Batch::bytes
  std::uint32_t end;
  std::uint32_t count;  // 1 or more
  RunStatus status = RunStatus::kPending;
  RunEncryptor* encryptor = nullptr;  // Batch::encryptors keeps it; nullptr: written as it is
  std::uint64_t first_offset = 0;     // set with kDurable; the others follow without a gap
  std::int64_t arrival_ms = 0;        // set with kDurable; never falls within a shard
};

// Built on one thread; from Log::append until its answer it belongs to the log, which encrypts runs where
// they stand; then immutable and shared.
struct Batch {
  Bytes bytes;                                            // runs back to back: docs/format.md, "Run"
  std::vector<Run> runs;                                  // in the order of `bytes`; a shard may have several
  std::string error;                                      // why a run is kUnavailable or kUnknown
  std::vector<std::shared_ptr<RunEncryptor>> encryptors;  // of its runs; none: nothing is encrypted
};

// Encodes records straight into a Batch. Any one thread.
class BatchBuilder {
 public:
  // reserve_bytes  what the records will take, about: avoids copies
  explicit BatchBuilder(std::size_t reserve_bytes, std::size_t runs = 1);

  // Starts a run of `shard`; what is added until the next belongs to it. A run without records is dropped;
  // one of the shard that already runs goes on.
  void begin_run(ShardKey shard);
  // Runs begun from now on are encrypted; nullptr: are not.
  void encrypt_with(std::shared_ptr<RunEncryptor> encryptor);
  // Ends the run that grows and begins another of its shard: an encrypted run is decrypted as a whole.
  void split_run();
  // Adds a record, copying it. Its offset and arrival time are the log's to give.
  void add(const RecordView& record);
  // Adds a record whose value the caller writes: room for exactly `value_bytes`. The pointer is
  // valid until the next call. 64 bytes of slack may be overwritten behind it.
  std::uint8_t* add_with_room(const RecordView& record_without_value, std::size_t value_bytes);

  std::size_t bytes() const;
  // Of the run that grows.
  std::size_t run_bytes() const { return open_ ? bytes() - batch_->runs.back().begin : 0; }
  // Leaves the builder empty.
  std::unique_ptr<Batch> finish();

 private:
  void end_run();

  std::unique_ptr<Batch> batch_;
  RunEncryptor* encryptor_ = nullptr;
  bool open_ = false;  // the last of batch_->runs still grows
};

}  // namespace millrace::log
