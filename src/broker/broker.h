// broker/broker.h: streams over the log: what exists, where a record goes, who may still write where.
//
// A Broker is used from any loop: commands that change what exists go to the control loop (loop 0) and come
// back; puts and reads go to the shards' loops and come back; all resume on the loop that called.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/loop.h"
#include "base/memory_share.h"
#include "base/result.h"
#include "base/task.h"
#include "broker/catalog.h"
#include "broker/stream_settings.h"
#include "keys/master_keys.h"
#include "log/log.h"
#include "store/object_store.h"

namespace millrace::broker {

// Records that are on the disk and cannot be read, by the names that callers know.
struct DamagedRecords {
  std::string stream;          // empty: of no stream that exists
  std::uint32_t shard = 0;     // its index
  std::string first_sequence;  // of the first record and the last
  std::string last_sequence;
  std::string file;
  std::uint64_t position = 0;  // in the file
  std::string what;            // one line for people
};

struct BrokerOptions {
  std::string account_id = "000000000000";
  std::string region = "us-east-1";
  std::int64_t transition_ms = 200;               // how long CREATING, UPDATING and DELETING last at least
  std::uint64_t shards_per_account_max = 20'000;  // open shards; over it: kLimit
  std::uint64_t consumers_per_stream_max = 20;    // over it: kLimit
  bool aws_limits = false;                        // --limits aws: throughput of a shard
  keys::MasterKeys* master_keys = nullptr;        // borrowed; nullptr: streams cannot be encrypted
  std::int64_t data_key_ms = 24 * 3'600'000;      // a stream's data key encrypts for so long, then another
  // Of what is known of all streams; what would make it more is refused: kLimit.
  std::shared_ptr<MemoryShare> memory = std::make_shared<MemoryShare>("streams", std::uint64_t{64} << 20);
  // Told once of each damaged block, on the control loop.
  std::function<void(const DamagedRecords&)> damaged;
};

// One record to put; everything borrowed until put() resumes.
struct PutEntry {
  // 1 to 256 characters of UTF-8. data() == nullptr: none, where the stream distributes records itself.
  std::string_view partition_key;
  std::optional<log::HashKey> explicit_hash_key;
  std::string_view data;  // as `base64` says
  bool base64 = false;    // data is base64 text still to be decoded, in memory with 64 bytes of slack
};

// Of its data, decoded; 0 where its base64 cannot be.
std::size_t data_bytes(const PutEntry& entry);

struct PutOutcome {
  log::RunStatus status;   // kDurable, kUnavailable or kUnknown; never kSealed: such records are routed anew
  bool throttled = false;  // refused by --limits aws; then status is kUnavailable
  std::uint32_t shard_position;  // in PutResult::stream->shards
  std::uint32_t payload_bytes;   // of its key and data
  std::uint64_t offset;
  std::int64_t arrival_ms;
};

struct PutResult {
  std::shared_ptr<const Stream> stream;  // the picture that `shard_position` speaks of
  std::vector<PutOutcome> outcomes;      // one an entry, in order
  std::string error;                     // why some are not kDurable
};

struct CreateStream {
  std::string name;
  std::uint32_t shard_count;
  bool on_demand;
  std::map<std::string, std::string> tags;
  // As in Stream.
  std::int64_t max_record_kib = 0;
  std::int64_t warm_throughput_mibps = 0;
  bool auto_distribution = false;
};

// One moment of what exists and of the records: the log knows no other shards, and reaches every end.
struct BackupPoint {
  std::uint64_t entry = 0;  // of the control log, the last one in `catalog`; 0: there is none yet
  std::string catalog;      // as a snapshot of the control log
  log::Checkpoint log;
};

struct RegisterConsumer {
  std::string stream;
  std::string name;
  std::map<std::string, std::string> tags;
};

// All shards of the catalog, as the log takes them, closed ones with their ends.
std::vector<log::ShardOptions> shards_of(const Catalog& catalog);

class Broker {
 public:
  // Reads the control log below `store`, opens the log for the shards that exist, starts. Blocks; before the
  // loops carry other work. `environment` and `store` are borrowed and outlive the broker.
  // stopped   the log, where it was read before, for the shards of this catalog; nullptr: it is read here
  // errors    kCorrupt, kUnavailable
  static Result<std::unique_ptr<Broker>> open(log::LogEnvironment environment, log::LogOptions log_options,
                                              store::ObjectStore& store, BrokerOptions options,
                                              std::unique_ptr<log::StoppedLog> stopped = nullptr);
  virtual ~Broker() = default;
  // Ends commands and appends under way and stops cleanly. Blocks; not from a loop.
  virtual Result<void> close() = 0;

  virtual const BrokerOptions& options() const = 0;
  // Stamps arrivals: what is old, and how old, is said by it.
  virtual const Clock& clock() const = 0;
  // What exists, as this loop knows it: at least as new as the last command that resumed on this loop.
  virtual std::shared_ptr<const Catalog> catalog() const = 0;

  // Commands. They resume when the change is durable and visible to every loop; the status passes through
  // kCreating, kUpdating or kDeleting for options().transition_ms and then rests. errors   kConflict: exists
  // already / its status forbids it.  kNotFound.  kLimit.  kThrottled: so often today.  kInvalid: text says
  // what.
  //          kUnavailable: nothing changed.  kUnknown: look.
  virtual Task<Result<void>> create_stream(CreateStream request) = 0;
  // Without `with_consumers` kConflict where there are any.
  virtual Task<Result<void>> delete_stream(std::string name, bool with_consumers) = 0;
  // The parent closes; its children share its range, the second beginning at `new_starting_hash_key`.
  virtual Task<Result<void>> split_shard(std::string name, std::uint32_t shard,
                                         log::HashKey new_starting_hash_key) = 0;
  virtual Task<Result<void>> merge_shards(std::string name, std::uint32_t shard, std::uint32_t adjacent) = 0;
  // Splits and merges until `target` open shards share the range evenly.
  virtual Task<Result<void>> update_shard_count(std::string name, std::uint32_t target) = 0;
  virtual Task<Result<void>> set_retention(std::string name, std::int64_t hours) = 0;  // -1: unlimited
  // Of a stream, or of its consumer of that id; one that is not there: kNotFound.
  virtual Task<Result<void>> add_tags(std::string name, std::optional<std::uint64_t> consumer,
                                      std::map<std::string, std::string> tags) = 0;
  virtual Task<Result<void>> remove_tags(std::string name, std::optional<std::uint64_t> consumer,
                                         std::vector<std::string> keys) = 0;
  // kLimit: its warm throughput would need more shards than the account may have.
  virtual Task<Result<void>> configure_stream(std::string name, StreamSettings settings) = 0;
  // New records are encrypted under that master key (an id, ARN, alias name or ARN), or no more. Passes
  // kUpdating. may_use   asked on the control loop once the key is known by its ARN: who named it may have it
  // used errors   also as log::RunDecryptor::prepare, and may_use's
  using KeyCheck = std::function<Result<void>(const std::string& master_key)>;
  virtual Task<Result<void>> start_encryption(std::string name, std::string key_id, KeyCheck may_use) = 0;
  virtual Task<Result<void>> stop_encryption(std::string name) = 0;
  // The account's. Visible when it resumes.
  virtual Task<Result<void>> set_commitment(BillingCommitment commitment) = 0;

  // A consumer is kCreating for options().transition_ms. kConflict: the name is taken, or the stream is
  // neither kActive nor kUpdating.
  virtual Task<Result<void>> register_consumer(RegisterConsumer request) = 0;
  // It is kDeleting for options().transition_ms, then gone. `id` is Consumer::id; none of it: kNotFound.
  virtual Task<Result<void>> deregister_consumer(std::string stream, std::uint64_t id) = 0;
  // The policy of a stream, or of its consumer of that id; nullopt takes it away. What it says is not looked
  // at. kConflict: it is not kActive.  kNotFound: it is not there, or has no policy to take away.
  virtual Task<Result<void>> set_policy(std::string stream, std::optional<std::uint64_t> consumer,
                                        std::optional<std::string> policy) = 0;

  // Puts entries in order (within each shard). Resumes when every one is durable or refused.
  // errors   kNotFound: no such stream, or not yet or no longer there.  kInvalid: an entry's base64 is wrong;
  //          nothing was written.  As log::RunDecryptor::prepare: the stream's key may not be used, nothing
  //          was written.
  virtual Task<Result<PutResult>> put(std::string_view stream, std::span<const PutEntry> entries) = 0;

  // As log::Log's, from any loop.
  virtual Task<Result<log::ReadBatch>> read(const Shard& shard, std::uint64_t from,
                                            log::ReadLimits limits) = 0;
  virtual Task<Result<std::uint64_t>> offset_at_time(const Shard& shard, std::int64_t time_ms) = 0;
  virtual Task<Result<log::Extent>> extent(const Shard& shard) = 0;

  // For consumers with a throughput of their own. The loop that has the shard's records; when_past is called
  // and calls back there, once: when a record at `offset` or later is durable, or the shard is gone.
  virtual Loop& loop_of(const Shard& shard) = 0;
  virtual void when_past(const Shard& shard, std::uint64_t offset, Callback callback) = 0;
  // As read(), but not counted against the shard's reads of --limits aws.
  virtual Task<Result<log::ReadBatch>> read_for_consumer(const Shard& shard, std::uint64_t from,
                                                         log::ReadLimits limits) = 0;
  // Calls back on this loop, once, when its catalog() is newer than `version`.
  virtual void when_catalog_newer(std::uint64_t version, Callback callback) = 0;

  // All records that are acknowledged by now are in it. Commands wait meanwhile, for a second or so.
  // errors   kUnavailable: try again later
  virtual Task<Result<BackupPoint>> backup_point() = 0;

  virtual const log::Log& log() const = 0;
};

}  // namespace millrace::broker
