// broker/catalog_change.h: the entries of the control log that change the catalog, and the catalog as a
// snapshot. Both are JSON: docs/format.md, "Control log".
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "broker/catalog.h"

namespace millrace::broker {

struct StreamCreated {
  std::string name;
  std::int64_t now_ms;
  std::uint32_t shard_count;
  std::int64_t retention_hours;
  bool on_demand;
  std::map<std::string, std::string> tags;
  // As in Stream; written where they are not its defaults.
  std::int64_t max_record_kib = 0;
  std::int64_t warm_throughput_mibps = 0;
  bool auto_distribution = false;
  // How long before the stream the numbers of its first shards begin: 0 to 3'600.
  std::int64_t first_shards_lead_s = 0;
};
// The rest name a stream by its id: a name may be used again.
struct StreamActivated {
  std::uint64_t id;
};
struct StreamDeleting {
  std::uint64_t id;
};
struct StreamDeleted {
  std::uint64_t id;
};
struct ReshardBegun {
  std::uint64_t id;
  ReshardPlan plan;
  std::optional<std::int64_t> counted_ms = {};  // when, where it is a Counted::kShardCountUpdate
};
struct ReshardDone {
  std::uint64_t id;
  std::int64_t now_ms;
  std::map<std::uint32_t, std::uint64_t> end_offsets;  // by shard index
  // How long behind their parents' end the numbers of the new shards begin: 0 to 3'600.
  std::int64_t new_shards_lag_s = 0;
};
struct RetentionSet {
  std::uint64_t id;
  std::int64_t hours;
};
// Of a stream, or of one of its consumers.
struct TagsChanged {
  std::uint64_t id;
  std::optional<std::uint64_t> consumer;
  std::map<std::string, std::string> set;
  std::vector<std::string> removed;
};
struct ShardsExpired {
  std::uint64_t id;
  std::vector<std::uint32_t> indexes;
};
struct ConsumerRegistered {
  std::uint64_t id;
  std::string name;
  ConsumerKind kind;
  std::int64_t now_ms;
  std::map<std::string, std::string> tags;
};
// The rest name a consumer by its own id.
struct ConsumerActivated {
  std::uint64_t id;
  std::uint64_t consumer;
};
struct ConsumerDeleting {
  std::uint64_t id;
  std::uint64_t consumer;
};
struct ConsumerDeleted {
  std::uint64_t id;
  std::uint64_t consumer;
};

// What is absent stays as it is. With a plan, the stream is kUpdating until ReshardDone.
struct StreamConfigured {
  std::uint64_t id;
  std::optional<bool> on_demand;
  std::optional<std::int64_t> max_record_kib;
  std::optional<std::int64_t> warm_throughput_mibps;
  std::optional<bool> auto_distribution;
  std::optional<std::vector<std::string>> shard_metrics;
  std::optional<ReshardPlan> plan;
  std::optional<std::int64_t> counted_ms = {};  // when, where it is a Counted::kModeUpdate
};
// What encrypts new records from now on; older ones stay as they are.
struct EncryptionSet {
  std::uint64_t id;
  std::string key_id;  // empty: nothing
  struct DataKey {
    std::int64_t made_ms;
    std::string master_key;
    std::string wrapped;
  };
  std::optional<DataKey> data_key;              // with a key_id; the catalog numbers it
  bool passes;                                  // is kUpdating until ReshardDone
  std::optional<std::int64_t> counted_ms = {};  // when, where it is a Counted::kEncryptionStart or …Stop
};
// Data keys of a stream that no record needs any more, which its shards hold from those offsets on.
struct DataKeysDropped {
  std::uint64_t id;
  std::uint64_t before;                              // all keys of smaller numbers
  std::map<std::uint32_t, std::uint64_t> kept_from;  // by shard index
};
// The policy of a stream, or of one of its consumers.
struct PolicySet {
  std::uint64_t id;
  std::optional<std::uint64_t> consumer;
  std::optional<std::string> policy;  // none: it has none any more
};
struct CommitmentSet {
  BillingCommitment commitment;
};

using CatalogChange =
    std::variant<StreamCreated, StreamActivated, StreamDeleting, StreamDeleted, ReshardBegun, ReshardDone,
                 RetentionSet, TagsChanged, ShardsExpired, StreamConfigured, CommitmentSet, EncryptionSet,
                 ConsumerRegistered, ConsumerActivated, ConsumerDeleting, ConsumerDeleted, PolicySet,
                 DataKeysDropped>;

std::string encode(const CatalogChange& change);
// errors   kCorrupt: not an entry that this version writes
Result<CatalogChange> decode_change(std::string_view json);

// The catalog after `change`; deterministic. errors   kConflict, kNotFound, kInvalid: it does not fit the
// catalog
Result<Catalog> apply_change(const Catalog& catalog, const CatalogChange& change);

std::string encode(const Catalog& catalog);
// errors   kCorrupt
Result<Catalog> decode_catalog(std::string_view json);

// The catalog that a chain makes: its newest snapshot and the entries after it.
// errors   kCorrupt
Result<Catalog> replay_catalog(const std::optional<std::string>& snapshot,
                               const std::vector<std::string>& entries);

}  // namespace millrace::broker
