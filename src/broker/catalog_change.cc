#include "broker/catalog_change.h"

#include <algorithm>

#include <fmt/format.h>

#include "broker/hash_key.h"
#include "broker/reshard.h"

namespace millrace::broker {
namespace {

Result<std::shared_ptr<const Stream>> by_id(const Catalog& catalog, std::uint64_t id) {
  for (const auto& [name, stream] : catalog.streams)
    if (stream->id == id) return stream;
  return Error{ErrorKind::kNotFound, fmt::format("no stream of id {}", id)};
}

// Puts a changed copy of `old` in its place.
void replace(Catalog& catalog, const Stream& old, Stream changed) {
  catalog.open_shard_count += changed.open_shards.size();
  catalog.open_shard_count -= old.open_shards.size();
  auto shared = std::make_shared<const Stream>(std::move(changed));
  catalog.streams.insert_or_assign(shared->name, shared);
}

Result<void> change(Catalog& catalog, const StreamCreated& created) {
  if (catalog.find(created.name) != nullptr)
    return Error{ErrorKind::kConflict, fmt::format("stream {} exists", created.name)};
  if (created.shard_count == 0 || created.shard_count > kShardsMax)
    return Error{ErrorKind::kInvalid, fmt::format("a stream has 1 to {} shards", kShardsMax)};
  Stream stream;
  stream.name = created.name;
  stream.id = catalog.next_stream_id++;
  stream.status = StreamStatus::kCreating;
  stream.created_ms = created.now_ms;
  stream.retention_hours = created.retention_hours;
  stream.tags = created.tags;
  stream.on_demand = created.on_demand;
  stream.max_record_kib = created.max_record_kib;
  stream.warm_throughput_mibps = created.warm_throughput_mibps;
  stream.auto_distribution = created.auto_distribution;
  stream.shards.reserve(created.shard_count);
  for (std::uint32_t part = 0; part < created.shard_count; ++part)
    stream.shards.push_back(
        Shard{.key = log::ShardKey{catalog.next_shard_key++},
              .index = stream.next_index++,
              .range = even_share(part, created.shard_count),
              .created_s = std::max<std::int64_t>(created.now_ms / 1000 - created.first_shards_lead_s, 0),
              .parent = std::nullopt,
              .adjacent_parent = std::nullopt,
              .end_offset = std::nullopt});
  stream.index_shards();
  catalog.open_shard_count += stream.open_shards.size();
  catalog.streams.emplace(created.name, std::make_shared<const Stream>(std::move(stream)));
  return {};
}

Result<void> change(Catalog& catalog, const StreamActivated& activated) {
  MR_ASSIGN(const auto old, by_id(catalog, activated.id));
  if (old->status != StreamStatus::kCreating)
    return Error{ErrorKind::kConflict, fmt::format("stream {} is not being created", old->name)};
  Stream stream = *old;
  stream.status = StreamStatus::kActive;
  replace(catalog, *old, std::move(stream));
  return {};
}

Result<void> change(Catalog& catalog, const StreamDeleting& deleting) {
  MR_ASSIGN(const auto old, by_id(catalog, deleting.id));
  Stream stream = *old;
  stream.status = StreamStatus::kDeleting;
  stream.plan.reset();
  replace(catalog, *old, std::move(stream));
  return {};
}

Result<void> change(Catalog& catalog, const StreamDeleted& deleted) {
  MR_ASSIGN(const auto old, by_id(catalog, deleted.id));
  catalog.open_shard_count -= old->open_shards.size();
  catalog.streams.erase(old->name);
  return {};
}

Result<void> change(Catalog& catalog, const ReshardBegun& begun) {
  MR_ASSIGN(const auto old, by_id(catalog, begun.id));
  if (old->status != StreamStatus::kActive)
    return Error{ErrorKind::kConflict, fmt::format("stream {} is not active", old->name)};
  MR_TRY(check_plan(*old, begun.plan));
  Stream stream = *old;
  stream.status = StreamStatus::kUpdating;
  stream.plan = begun.plan;
  if (begun.counted_ms) stream.count(Counted::kShardCountUpdate, *begun.counted_ms);
  replace(catalog, *old, std::move(stream));
  return {};
}

Result<void> change(Catalog& catalog, const ReshardDone& done) {
  MR_ASSIGN(const auto old, by_id(catalog, done.id));
  if (!old->plan) return Error{ErrorKind::kConflict, fmt::format("stream {} has no plan", old->name)};
  Stream stream = *old;
  MR_TRY(apply_plan(stream, *old->plan, done, catalog.next_shard_key));
  stream.plan.reset();
  stream.status = StreamStatus::kActive;
  replace(catalog, *old, std::move(stream));
  return {};
}

Result<void> change(Catalog& catalog, const RetentionSet& retention) {
  MR_ASSIGN(const auto old, by_id(catalog, retention.id));
  Stream stream = *old;
  stream.retention_hours = retention.hours;
  replace(catalog, *old, std::move(stream));
  return {};
}

Result<void> change(Catalog& catalog, const ShardsExpired& expired) {
  MR_ASSIGN(const auto old, by_id(catalog, expired.id));
  Stream stream = *old;
  std::erase_if(stream.shards, [&](const Shard& shard) {
    return !shard.open() &&
           std::find(expired.indexes.begin(), expired.indexes.end(), shard.index) != expired.indexes.end();
  });
  stream.index_shards();
  replace(catalog, *old, std::move(stream));
  return {};
}

Result<void> change(Catalog& catalog, const StreamConfigured& configured) {
  MR_ASSIGN(const auto old, by_id(catalog, configured.id));
  if (configured.plan && old->status != StreamStatus::kActive)
    return Error{ErrorKind::kConflict, fmt::format("stream {} is not active", old->name)};
  if (configured.plan) MR_TRY(check_plan(*old, *configured.plan));
  Stream stream = *old;
  stream.on_demand = configured.on_demand.value_or(old->on_demand);
  stream.max_record_kib = configured.max_record_kib.value_or(old->max_record_kib);
  stream.warm_throughput_mibps = configured.warm_throughput_mibps.value_or(old->warm_throughput_mibps);
  stream.auto_distribution = configured.auto_distribution.value_or(old->auto_distribution);
  if (configured.shard_metrics) stream.shard_metrics = *configured.shard_metrics;
  if (configured.counted_ms) stream.count(Counted::kModeUpdate, *configured.counted_ms);
  if (configured.plan) {
    stream.status = StreamStatus::kUpdating;
    stream.plan = configured.plan;
  }
  replace(catalog, *old, std::move(stream));
  return {};
}

Result<void> change(Catalog& catalog, const EncryptionSet& set) {
  MR_ASSIGN(const auto old, by_id(catalog, set.id));
  if (set.passes && old->status != StreamStatus::kActive)
    return Error{ErrorKind::kConflict, fmt::format("stream {} is not active", old->name)};
  if (set.key_id.empty() == set.data_key.has_value())
    return Error{ErrorKind::kInvalid, "a data key goes with a master key"};
  Stream stream = *old;
  stream.key_id = set.key_id;
  if (set.counted_ms)
    stream.count(set.key_id.empty() ? Counted::kEncryptionStop : Counted::kEncryptionStart, *set.counted_ms);
  if (set.data_key)
    stream.data_keys.push_back(
        {catalog.next_data_key++, set.data_key->made_ms, set.data_key->master_key, set.data_key->wrapped});
  if (set.passes) {
    stream.status = StreamStatus::kUpdating;
    stream.plan.emplace();
  }
  replace(catalog, *old, std::move(stream));
  return {};
}

Result<void> change(Catalog& catalog, const DataKeysDropped& dropped) {
  MR_ASSIGN(const auto old, by_id(catalog, dropped.id));
  if (old->data_keys.empty() || old->data_keys.back().number < dropped.before)
    return Error{ErrorKind::kInvalid, fmt::format("stream {} keeps its newest data key", old->name)};
  Stream stream = *old;
  std::erase_if(stream.data_keys, [&](const StreamDataKey& key) { return key.number < dropped.before; });
  for (Shard& shard : stream.shards) {
    const auto from = dropped.kept_from.find(shard.index);
    if (from != dropped.kept_from.end()) shard.kept_from = std::max(shard.kept_from, from->second);
  }
  replace(catalog, *old, std::move(stream));
  return {};
}

Result<void> change(Catalog& catalog, const CommitmentSet& set) {
  catalog.commitment = set.commitment;
  return {};
}

Result<void> change(Catalog& catalog, const ConsumerRegistered& registered) {
  MR_ASSIGN(const auto old, by_id(catalog, registered.id));
  if (old->find_consumer(registered.name) != nullptr)
    return Error{ErrorKind::kConflict,
                 fmt::format("stream {} has a consumer {}", old->name, registered.name)};
  Stream stream = *old;
  // A name that is used again has another second, since ARNs show both.
  const std::int64_t created_ms = std::max(registered.now_ms, (old->consumers_gone_s + 1) * 1'000);
  stream.consumers.emplace(registered.name, Consumer{.name = registered.name,
                                                     .id = catalog.next_consumer_id++,
                                                     .kind = registered.kind,
                                                     .status = ConsumerStatus::kCreating,
                                                     .created_ms = created_ms,
                                                     .tags = registered.tags});
  replace(catalog, *old, std::move(stream));
  return {};
}

Result<std::map<std::string, Consumer, std::less<>>::iterator> consumer_by_id(Stream& stream,
                                                                              std::uint64_t id) {
  for (auto at = stream.consumers.begin(); at != stream.consumers.end(); ++at)
    if (at->second.id == id) return at;
  return Error{ErrorKind::kNotFound, fmt::format("stream {} has no consumer of id {}", stream.name, id)};
}

Result<void> set_consumer_status(Catalog& catalog, std::uint64_t id, std::uint64_t consumer,
                                 ConsumerStatus status) {
  MR_ASSIGN(const auto old, by_id(catalog, id));
  Stream stream = *old;
  MR_ASSIGN(const auto at, consumer_by_id(stream, consumer));
  at->second.status = status;
  replace(catalog, *old, std::move(stream));
  return {};
}

Result<void> change(Catalog& catalog, const ConsumerActivated& activated) {
  return set_consumer_status(catalog, activated.id, activated.consumer, ConsumerStatus::kActive);
}

Result<void> change(Catalog& catalog, const ConsumerDeleting& deleting) {
  return set_consumer_status(catalog, deleting.id, deleting.consumer, ConsumerStatus::kDeleting);
}

Result<void> change(Catalog& catalog, const ConsumerDeleted& deleted) {
  MR_ASSIGN(const auto old, by_id(catalog, deleted.id));
  Stream stream = *old;
  MR_ASSIGN(const auto at, consumer_by_id(stream, deleted.consumer));
  stream.consumers_gone_s = std::max(stream.consumers_gone_s, at->second.created_ms / 1'000);
  stream.consumers.erase(at);
  replace(catalog, *old, std::move(stream));
  return {};
}

Result<void> change(Catalog& catalog, const TagsChanged& changed) {
  MR_ASSIGN(const auto old, by_id(catalog, changed.id));
  Stream stream = *old;
  auto* tags = &stream.tags;
  if (changed.consumer) {
    MR_ASSIGN(const auto at, consumer_by_id(stream, *changed.consumer));
    tags = &at->second.tags;
  }
  for (const auto& [key, value] : changed.set) (*tags)[key] = value;
  for (const std::string& key : changed.removed) tags->erase(key);
  replace(catalog, *old, std::move(stream));
  return {};
}

Result<void> change(Catalog& catalog, const PolicySet& set) {
  MR_ASSIGN(const auto old, by_id(catalog, set.id));
  Stream stream = *old;
  ResourcePolicy* policy = &stream.policy;
  if (set.consumer) {
    MR_ASSIGN(const auto at, consumer_by_id(stream, *set.consumer));
    policy = &at->second.policy;
  }
  *policy = set.policy ? std::make_shared<const std::string>(*set.policy) : nullptr;
  replace(catalog, *old, std::move(stream));
  return {};
}

}  // namespace

Result<Catalog> apply_change(const Catalog& catalog, const CatalogChange& entry) {
  Catalog changed = catalog;
  MR_TRY(std::visit([&](const auto& kind) { return change(changed, kind); }, entry));
  ++changed.version;
  return changed;
}

Result<Catalog> replay_catalog(const std::optional<std::string>& snapshot,
                               const std::vector<std::string>& entries) {
  Catalog catalog;
  if (snapshot) {
    MR_ASSIGN(catalog, decode_catalog(*snapshot));
  }
  for (const std::string& entry : entries) {
    MR_ASSIGN(const CatalogChange change, decode_change(entry));
    auto changed = apply_change(catalog, change);
    if (!changed.ok())
      return Error{ErrorKind::kCorrupt,
                   fmt::format("control log: an entry does not fit: {}", changed.error().text)};
    catalog = std::move(*changed);
  }
  return catalog;
}

}  // namespace millrace::broker
