// log/log.h: the ordered, durable records of all shards of one machine. Start here.
//
// A Log is one journal, one tail cache and one settler for each loop. What is said of a shard is said on its
// loop, loop_of(shard, loops); append, read and the rest below are called there and answer there.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/folder_clock.h"
#include "base/latency_counts.h"
#include "base/loop.h"
#include "base/random.h"
#include "base/result.h"
#include "base/task.h"
#include "log/batch.h"
#include "log/journal_groups.h"
#include "log/record.h"
#include "log/run_cipher.h"
#include "store/disk.h"
#include "store/origin.h"

namespace millrace::log {

inline constexpr std::int64_t kRetentionUnlimited = -1;
inline constexpr std::int64_t kSlowCommitMs = 1'000;

struct ShardOptions {
  ShardKey shard;
  std::int64_t retention_ms = 24 * 3'600'000;  // or kRetentionUnlimited
  // The shard is known to have ended there, durably: a log that ends before is older than who says so.
  std::uint64_t end_at_least = 0;
};

struct LogOptions {
  std::uint64_t journal_file_bytes = 64u << 20;    // recycled, whole files
  std::uint64_t unsettled_bytes_max = 512u << 20;  // a loop; above it appends wait for the settler
  std::uint64_t settle_at_bytes = 64u << 20;       // a loop: settle when so much waits …
  std::int64_t settle_after_ms = 60'000;           // … or when the oldest unsettled record is so old
  std::uint64_t tail_cache_bytes = 256u << 20;     // a loop: settled records kept in memory for readers
  std::uint64_t block_cache_bytes = 128u << 20;    // all loops: decompressed blocks of cold reads
  std::uint64_t background_bytes_per_s = 0;        // segments and the like, at least; 0: as the disk can
  std::uint64_t freed_at_once_bytes = 4u << 20;    // of a segment that nobody needs any more
  std::uint64_t group_bytes_max = 8u << 20;        // one frame takes at most so much (or one larger batch)
  std::int64_t scrub_ms = 7 * 24 * 3'600'000LL;    // all segments are read again within this time; 0: never
  // Shards from this number on were never made: where the log has records of one, it is newer than who says
  // so.
  std::uint64_t next_shard = std::numeric_limits<std::uint64_t>::max();
};

// What the log rests on; all borrowed, and outlive it.
struct LogEnvironment {
  store::Disk& disk;
  FolderClock& clock;  // begun by Log::open; everything that expires with the records is stamped by it
  Random& random;
  std::vector<Loop*> loops;  // 1 to 256
  // Makes a worker thread (real) or a scheduled one (simulation).
  std::function<std::unique_ptr<Worker>(const std::string& name, int nice)> start_worker;
  std::function<void(const std::string& line)> warn;  // things an operator should see
  // Returns when `done()` is true, which another thread or the simulated world makes it. Empty: the caller
  // sleeps.
  std::function<void(const std::function<bool()>& done)> wait_until;
  // Decrypts for readers; nullptr: encrypted records cannot be read. All else, also recovery, settling and
  // retention, does without.
  RunDecryptor* decryptor = nullptr;
  store::Origin origin = {};          // of what the log writes
  store::PartMarks* marks = nullptr;  // told how far the log reaches; nullptr: nobody is
  // Told of each group whose write took kSlowCommitMs or longer, on its loop. Empty: nobody is.
  std::function<void(std::int64_t took_ms)> slow_commit = {};
};

struct ReadLimits {
  std::uint32_t records_max = 10'000;   // 1 or more
  std::uint64_t bytes_max = 10u << 20;  // of keys and values together; the first record always fits
};

struct ReadBatch {
  std::vector<RecordView> records;                   // in order, without a gap from `records.front().offset`
  std::vector<std::shared_ptr<const void>> holders;  // keep what `records` points into
  std::uint64_t next_offset = 0;                     // where to go on
  std::uint64_t end_offset = 0;                      // of the durable log when it was read
  // Arrival time of the record at next_offset, when there is one: how far behind the reader is.
  std::optional<std::int64_t> next_arrival_ms;
};

// Records that are on the disk and cannot be read.
struct DamagedBlock {
  ShardKey shard{};                // 0: the damage is in the index of the file, not in records
  std::uint64_t first_offset = 0;  // first_offset to end_offset - 1
  std::uint64_t end_offset = 0;
  std::int64_t first_arrival_ms = 0;
  std::int64_t last_arrival_ms = 0;
  std::string file;
  std::uint64_t position = 0;  // in the file
  std::string what;            // for people, with file and position
};

// What a backup copies.
struct Checkpoint {
  Bytes manifest;  // as encode_manifest makes it, under number 1
  // While it lives, no segment that the manifest names is removed.
  std::shared_ptr<const void> hold;
};

struct Extent {
  std::uint64_t first_offset;  // oldest record that retention keeps (== end_offset when none)
  std::uint64_t end_offset;    // one past the newest durable record
};

// How old a shard's records are; empty where it has none.
struct ShardAges {
  Extent extent{};
  std::optional<std::int64_t> oldest_arrival_ms;
  std::optional<std::int64_t> newest_arrival_ms;
};

class Log;

// What the disk holds, read and found right. Nothing has been changed.
class StoppedLog {
 public:
  virtual ~StoppedLog() = default;
  // Each loop's; empty where there is no log yet.
  virtual const std::vector<JournalGroups>& journals() const = 0;
  // Starts it, once. Blocks; before the loops carry other work.
  // decryptor   as in LogEnvironment
  // errors   the disk's
  virtual Result<std::unique_ptr<Log>> start(RunDecryptor* decryptor) = 0;
};

class Log {
 public:
  // Recovers what the disk holds, for these shards and no others: records of others below options.next_shard
  // belong to deleted streams and are dropped. Changes nothing on disk. Blocks. A journal's torn tail (never
  // acknowledged) is cut off with a warning; anything else that is wrong refuses. errors   kCorrupt: names
  // file, offset and what is still readable, or what is older than what.
  //          kUnavailable: the disk said no.
  static Result<std::unique_ptr<StoppedLog>> read(LogEnvironment environment, LogOptions options,
                                                  std::vector<ShardOptions> shards);
  // The same, and starts.
  static Result<std::unique_ptr<Log>> open(LogEnvironment environment, LogOptions options,
                                           std::vector<ShardOptions> shards);
  // After close(); or when neither loops nor workers run any more.
  virtual ~Log() = default;

  // Lets appends under way end, settles nothing, writes the clean-stop marker. Blocks; not from a loop.
  virtual Result<void> close() = 0;

  // A new, empty shard; or a change of retention of an old one. On the shard's loop.
  virtual void open_shard(const ShardOptions& options) = 0;
  // Its records are gone for readers at once and from the disk in time. On the shard's loop.
  virtual void remove_shard(ShardKey shard) = 0;

  // Makes the batch durable, then calls `done` on this loop with every run's status set. All runs are of this
  // loop. Batches become durable in the order of the calls, many in one write. On loop `loop_index`.
  virtual void append(std::size_t loop_index, std::unique_ptr<Batch> batch,
                      Function<void(std::shared_ptr<const Batch>)> done) = 0;

  // Takes no more records (until the process ends); answers with the end offset once all before it are
  // durable. errors   kNotFound.  kUnknown: an earlier append may or may not be there.
  virtual Task<Result<std::uint64_t>> seal(ShardKey shard) = 0;
  // Undoes seal(), when what it was for failed.
  virtual void unseal(ShardKey shard) = 0;

  // Records from `from` on (or from the oldest kept, when that is later). Empty at the tip.
  // Records whose block is marked as lost are passed over.
  // errors   kNotFound: no such shard.  kInvalid: `from` is past the end.  kCorrupt: names the records that
  //          are damaged, or do not decrypt; when_damaged() is told where they lie.  As
  //          RunDecryptor::prepare: the first record's key may not be used.
  virtual Task<Result<ReadBatch>> read(ShardKey shard, std::uint64_t from, ReadLimits limits) = 0;
  // Offset of the first record that arrived at `time_ms` or later; the end offset when there is none.
  virtual Task<Result<std::uint64_t>> offset_at_time(ShardKey shard, std::int64_t time_ms) = 0;
  virtual Result<Extent> extent(ShardKey shard) = 0;
  // These look at what is in memory, and never at the disk.
  // errors   kNotFound
  virtual Result<ShardAges> ages(ShardKey shard) const = 0;
  // When the record at `offset` arrived; within a block on the disk estimated between its first and its last.
  // nullopt: there is no such record (yet).
  virtual std::optional<std::int64_t> arrival_near(ShardKey shard, std::uint64_t offset) const = 0;
  // Calls back on this loop, once: when a record at `offset` or later is durable, or the shard is removed.
  virtual void when_past(ShardKey shard, std::uint64_t offset, Callback callback) = 0;

  // `tell` is called once for each damaged block, by whichever thread finds it; at once for those that are
  // known. Any thread; once.
  virtual void when_damaged(std::function<void(const DamagedBlock&)> tell) = 0;

  // Moves all records that are durable now to segments, and says which segments the log consists of then.
  // On a loop, where it resumes.
  // errors   kUnavailable: they could not be moved, or the log is closing
  virtual Task<Result<Checkpoint>> checkpoint() = 0;

  struct Stats {
    std::uint64_t appended_records, appended_bytes, groups, group_bytes, settled_bytes, segment_bytes,
        segments, journal_bytes, tail_bytes, cold_reads;
    std::uint64_t damaged_blocks;    // known, and not marked as lost
    std::uint64_t lost_blocks;       // marked as lost
    std::uint64_t scrubbed_bytes;    // read again by the scrub
    std::int64_t scrub_finished_ms;  // when it last had read all segments, since the epoch; 0: not yet
    std::uint64_t orphaned_files, orphaned_bytes;  // in orphaned/ at the start
    FolderClock::Stats clock{};
    std::uint64_t unsettled_bytes = 0;     // in the journal and not yet in segments, all loops
    std::uint64_t scrub_pass_bytes = 0;    // read by the scrub's pass that is under way
    std::int64_t scrub_pass_began_ms = 0;  // since the epoch; 0: none is under way
    LatencySums syncs;                     // fdatasync of the journals
    LatencySums commits;                   // from the begin of a group's write until its loop knows of it
  };
  // Any thread; figures of about now.
  virtual Stats stats() const = 0;
};

}  // namespace millrace::log
