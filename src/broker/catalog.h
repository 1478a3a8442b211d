// broker/catalog.h: the streams and shards that exist: an immutable picture, replaced as a whole.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "log/record.h"

namespace millrace::broker {

// Both ends belong to it. Compared as numbers (big-endian bytes).
struct HashRange {
  log::HashKey first;
  log::HashKey last;
};

enum class StreamStatus : std::uint8_t { kCreating, kActive, kUpdating, kDeleting };

struct Shard {
  log::ShardKey key;    // in the log
  std::uint32_t index;  // "shardId-000000000007" is 7
  HashRange range;
  std::int64_t created_s;               // in its sequence numbers: greater than its parents'
  std::optional<std::uint32_t> parent;  // indexes; a merged shard has both
  std::optional<std::uint32_t> adjacent_parent;
  // Set once it is closed:
  std::optional<std::uint64_t> end_offset;  // records below it are all there will ever be
  std::int64_t closed_ms = 0;
  // Records before it are gone for good, whatever retention is by now: their keys are.
  std::uint64_t kept_from = 0;

  bool open() const { return !end_offset.has_value(); }
};

// What a put needs of a shard, and no more: with many shards, each record's own lies anywhere in memory.
struct ShardLabel {
  log::ShardKey key;
  std::int64_t created_s;
  std::uint32_t index;
};

// One step towards other shards. Indexes name shards that are open when the step's turn comes; the steps
// before it have made theirs by then, numbered from Stream::next_index in order.
struct ReshardStep {
  std::uint32_t shard;
  std::optional<std::uint32_t> merge_with;  // the neighbour above it; or
  std::optional<log::HashKey> split_at;     // first key of the upper half
};
using ReshardPlan = std::vector<ReshardStep>;

// Encrypts records of one stream.
struct StreamDataKey {
  std::uint64_t number;  // in encrypted records; never used again
  std::int64_t made_ms;
  std::string master_key;  // ARN of what wraps it
  std::string wrapped;     // bytes
};

// Who may do what with a stream or a consumer, as its owner put it, text for text; none: nullptr. The same
// pointer for as long as it is not put anew: what is compiled from it is kept by it.
using ResourcePolicy = std::shared_ptr<const std::string>;

enum class ConsumerKind : std::uint8_t { kFanOut };
enum class ConsumerStatus : std::uint8_t { kCreating, kActive, kDeleting };

// Who reads a stream under a name of its own. What a consumer has read or acknowledged is not here, but with
// the shards: it changes with every record, and hangs on `id` (docs/decisions/0009-consumers.md).
struct Consumer {
  std::string name;  // the only one of that name in the stream
  std::uint64_t id;  // never used again, unlike the name
  ConsumerKind kind = ConsumerKind::kFanOut;
  ConsumerStatus status;
  std::int64_t created_ms;  // its second is greater than that of any consumer of this name that went before
  std::map<std::string, std::string> tags;
  ResourcePolicy policy = nullptr;
};

// Open, of an account: more than that no setting allows, and no catalog holds in one stream.
inline constexpr std::uint32_t kShardsMax = 1'000'000;
inline constexpr std::int64_t kRetentionHoursMax = 8'760;  // source: IncreaseStreamRetentionPeriod

// What the service lets happen to a stream so often in any 24 hours.
enum class Counted : std::uint8_t { kModeUpdate, kShardCountUpdate, kEncryptionStart, kEncryptionStop };
struct DailyLimit {
  std::string_view name;  // in the catalog's JSON
  std::size_t times;
};
// By Counted. source: the comments of @aws-sdk/client-kinesis, operation by operation
inline constexpr std::array kDailyLimits = {
    DailyLimit{"mode_updates", 2}, DailyLimit{"shard_count_updates", 10}, DailyLimit{"encryption_starts", 25},
    DailyLimit{"encryption_stops", 25}};
// When each of them happened, oldest first: as many of the last as its limit is.
using CountedTimes = std::array<std::vector<std::int64_t>, kDailyLimits.size()>;

struct Stream {
  std::string name;
  std::uint64_t id;  // never used again, unlike the name
  StreamStatus status;
  std::int64_t created_ms;
  std::int64_t retention_hours;  // or -1, unlimited
  std::map<std::string, std::string> tags;
  bool on_demand = false;
  std::uint32_t next_index = 0;     // of the next shard: indexes are never used again
  std::optional<ReshardPlan> plan;  // under way while kUpdating; without steps where only settings change
  // What its owner has set of it; docs/kinesis-api.md says what it means.
  std::int64_t max_record_kib = 0;         // 0: as much as the server takes
  std::int64_t warm_throughput_mibps = 0;  // asked for; 0: none. On demand only
  bool auto_distribution = false;          // records go to the shards in turn, whatever their keys
  std::vector<std::string> shard_metrics;  // of the service's names, in its order
  // The master key of new records, as its owner named it; empty: they are not encrypted.
  std::string key_id;
  std::vector<StreamDataKey> data_keys;  // by number; where key_id is set, the last one encrypts
  ResourcePolicy policy;
  std::vector<Shard> shards;  // by index, ascending; a closed one goes when its last record has expired
  std::map<std::string, Consumer, std::less<>> consumers;  // by name
  std::int64_t consumers_gone_s = 0;  // greatest second of creation of those that are gone
  CountedTimes counted_ms;
  std::vector<std::uint32_t> open_shards;  // positions in `shards`, by hash range

  // Derives open_shards and what routes by it from `shards`. Call after every change of it.
  void index_shards();
  // Position in `shards` of the open shard that holds `key`; the stream has at least one.
  std::size_t route(const log::HashKey& key) const;
  // nullptr when there is none of that index.
  const Shard* find(std::uint32_t index) const;
  const Consumer* find_consumer(std::string_view consumer_name) const;
  // Whether it may happen once more within the service's limits.
  bool may_happen(Counted what, std::int64_t now_ms) const;
  void count(Counted what, std::int64_t now_ms);

  // For puts, derived by index_shards(). As `shards`:
  std::vector<ShardLabel> labels;
  // As open_shards, the last key of each, as a number.
  __extension__ std::vector<unsigned __int128> last_keys;
  // By the key's first bits: where in last_keys to begin to look. Empty where there are few shards.
  std::vector<std::uint32_t> route_begin;
  unsigned route_bits = 0;
};

// Of memory, about, that it takes.
std::uint64_t memory_bytes(const Stream& stream);

// To be billed for a minimum of throughput. It can end a day after its begin at the earliest.
struct BillingCommitment {
  std::int64_t started_ms;
  std::optional<std::int64_t> ends_ms;  // may be still to come

  friend bool operator==(const BillingCommitment&, const BillingCommitment&) = default;
};

struct Catalog {
  std::uint64_t version = 0;
  std::map<std::string, std::shared_ptr<const Stream>, std::less<>> streams;  // by name
  std::uint64_t open_shard_count = 0;                                         // of all streams
  std::uint64_t next_stream_id = 1;
  std::uint64_t next_shard_key = 1;
  std::uint64_t next_data_key = 1;
  std::optional<BillingCommitment> commitment;  // none: there never was one
  std::uint64_t next_consumer_id = 1;

  std::shared_ptr<const Stream> find(std::string_view name) const;
};

}  // namespace millrace::broker
