// The JSON of catalog changes and snapshots: docs/format.md, "Control log".
#include <nlohmann/json.hpp>

#include "base/base64.h"
#include "base/bytes.h"
#include "broker/catalog_change.h"
#include "broker/hash_key.h"

namespace millrace::broker {
namespace {

using nlohmann::json;

Error corrupt(const std::string& why) { return Error{ErrorKind::kCorrupt, "control log: " + why}; }

// Reading throws json::exception on any surprise, caught in the two functions that read.
log::HashKey hash_key_from(const json& value) {
  const auto key = parse_hash_key(value.get_ref<const std::string&>());
  if (!key) throw json::other_error::create(500, "hash key out of range", &value);
  return *key;
}

template <typename T>
std::optional<T> optional_from(const json& object, const char* name) {
  const auto at = object.find(name);
  return at == object.end() ? std::nullopt : std::optional<T>(at->template get<T>());
}

json to_json(const ReshardPlan& plan) {
  json steps = json::array();
  for (const ReshardStep& step : plan) {
    json entry{{"shard", step.shard}};
    if (step.merge_with) entry["merge_with"] = *step.merge_with;
    if (step.split_at) entry["split_at"] = to_decimal(*step.split_at);
    steps.push_back(std::move(entry));
  }
  return steps;
}

ReshardPlan plan_from(const json& steps) {
  ReshardPlan plan;
  for (const json& entry : steps) {
    ReshardStep step{
        entry.at("shard").get<std::uint32_t>(), optional_from<std::uint32_t>(entry, "merge_with"), {}};
    if (entry.contains("split_at")) step.split_at = hash_key_from(entry["split_at"]);
    plan.push_back(step);
  }
  return plan;
}

json to_json(const Shard& shard) {
  json entry{{"key", log::to_number(shard.key)},
             {"index", shard.index},
             {"first", to_decimal(shard.range.first)},
             {"last", to_decimal(shard.range.last)},
             {"created_s", shard.created_s}};
  if (shard.parent) entry["parent"] = *shard.parent;
  if (shard.adjacent_parent) entry["adjacent_parent"] = *shard.adjacent_parent;
  if (shard.end_offset) {
    entry["end_offset"] = *shard.end_offset;
    entry["closed_ms"] = shard.closed_ms;
  }
  if (shard.kept_from != 0) entry["kept_from"] = shard.kept_from;
  return entry;
}

Shard shard_from(const json& entry) {
  return Shard{.key = log::ShardKey{entry.at("key").get<std::uint64_t>()},
               .index = entry.at("index").get<std::uint32_t>(),
               .range = {hash_key_from(entry.at("first")), hash_key_from(entry.at("last"))},
               .created_s = entry.at("created_s").get<std::int64_t>(),
               .parent = optional_from<std::uint32_t>(entry, "parent"),
               .adjacent_parent = optional_from<std::uint32_t>(entry, "adjacent_parent"),
               .end_offset = optional_from<std::uint64_t>(entry, "end_offset"),
               .closed_ms = entry.value("closed_ms", std::int64_t{0}),
               .kept_from = entry.value("kept_from", std::uint64_t{0})};
}

// Of StreamCreated and Stream alike: what came after version 1's first release is written only where it was
// set, and absent in what older releases wrote.
template <typename Settings>
void add_settings(const Settings& settings, json& entry) {
  if (settings.max_record_kib != 0) entry["max_record_kib"] = settings.max_record_kib;
  if (settings.warm_throughput_mibps != 0) entry["warm_throughput_mibps"] = settings.warm_throughput_mibps;
  if (settings.auto_distribution) entry["auto_distribution"] = true;
}
template <typename Settings>
void settings_from(const json& entry, Settings& settings) {
  settings.max_record_kib = entry.value("max_record_kib", std::int64_t{0});
  settings.warm_throughput_mibps = entry.value("warm_throughput_mibps", std::int64_t{0});
  settings.auto_distribution = entry.value("auto_distribution", false);
}

const char* kind_text(ConsumerKind kind) {
  switch (kind) {
    case ConsumerKind::kFanOut:
      return "fan_out";
  }
  assertion_failed("a kind of consumer", __FILE__, __LINE__);
}

ConsumerKind kind_from(const json& value) {
  if (value.get_ref<const std::string&>() == "fan_out") return ConsumerKind::kFanOut;
  throw json::other_error::create(501, "unknown kind of consumer", &value);
}

std::uint64_t consumer_id_from(const json& entry) { return entry.at("consumer").get<std::uint64_t>(); }

ResourcePolicy policy_from(const json& entry) {
  auto text = optional_from<std::string>(entry, "policy");
  return text ? std::make_shared<const std::string>(std::move(*text)) : nullptr;
}

json to_json(const Consumer& consumer) {
  json entry{{"name", consumer.name},
             {"id", consumer.id},
             {"kind", kind_text(consumer.kind)},
             {"status", static_cast<int>(consumer.status)},
             {"created_ms", consumer.created_ms},
             {"tags", consumer.tags}};
  if (consumer.policy != nullptr) entry["policy"] = *consumer.policy;
  return entry;
}

Consumer consumer_from(const json& entry) {
  const int status = entry.at("status").get<int>();
  if (status < 0 || status > static_cast<int>(ConsumerStatus::kDeleting))
    throw json::other_error::create(501, "unknown status", &entry);
  return Consumer{.name = entry.at("name").get<std::string>(),
                  .id = entry.at("id").get<std::uint64_t>(),
                  .kind = kind_from(entry.at("kind")),
                  .status = static_cast<ConsumerStatus>(status),
                  .created_ms = entry.at("created_ms").get<std::int64_t>(),
                  .tags = entry.at("tags").get<std::map<std::string, std::string>>(),
                  .policy = policy_from(entry)};
}

json to_json(const StreamCreated& created) {
  json entry{{"change", "stream_created"},
             {"name", created.name},
             {"now_ms", created.now_ms},
             {"shard_count", created.shard_count},
             {"on_demand", created.on_demand},
             {"retention_hours", created.retention_hours},
             {"tags", created.tags}};
  add_settings(created, entry);
  if (created.first_shards_lead_s != 0) entry["first_shards_lead_s"] = created.first_shards_lead_s;
  return entry;
}
json to_json(const StreamActivated& entry) { return {{"change", "stream_activated"}, {"id", entry.id}}; }
json to_json(const StreamDeleting& entry) { return {{"change", "stream_deleting"}, {"id", entry.id}}; }
json to_json(const StreamDeleted& entry) { return {{"change", "stream_deleted"}, {"id", entry.id}}; }
json to_json(const ReshardBegun& entry) {
  json written{{"change", "reshard_begun"}, {"id", entry.id}, {"plan", to_json(entry.plan)}};
  if (entry.counted_ms) written["counted_ms"] = *entry.counted_ms;
  return written;
}
// Offsets by shard index.
json to_json(const std::map<std::uint32_t, std::uint64_t>& offsets) {
  json pairs = json::array();
  for (const auto& [index, offset] : offsets) pairs.push_back({index, offset});
  return pairs;
}
std::map<std::uint32_t, std::uint64_t> offsets_from(const json& pairs) {
  std::map<std::uint32_t, std::uint64_t> offsets;
  for (const json& pair : pairs)
    offsets.emplace(pair.at(0).get<std::uint32_t>(), pair.at(1).get<std::uint64_t>());
  return offsets;
}
json to_json(const ReshardDone& entry) {
  json written{{"change", "reshard_done"},
               {"id", entry.id},
               {"now_ms", entry.now_ms},
               {"end_offsets", to_json(entry.end_offsets)}};
  if (entry.new_shards_lag_s != 0) written["new_shards_lag_s"] = entry.new_shards_lag_s;
  return written;
}
json to_json(const RetentionSet& entry) {
  return {{"change", "retention_set"}, {"id", entry.id}, {"hours", entry.hours}};
}
json to_json(const TagsChanged& entry) {
  json written{{"change", "tags_changed"}, {"id", entry.id}, {"set", entry.set}, {"removed", entry.removed}};
  if (entry.consumer) written["consumer"] = *entry.consumer;
  return written;
}
json to_json(const ShardsExpired& entry) {
  return {{"change", "shards_expired"}, {"id", entry.id}, {"indexes", entry.indexes}};
}
json to_json(const StreamConfigured& entry) {
  json written{{"change", "stream_configured"}, {"id", entry.id}};
  if (entry.on_demand) written["on_demand"] = *entry.on_demand;
  if (entry.max_record_kib) written["max_record_kib"] = *entry.max_record_kib;
  if (entry.warm_throughput_mibps) written["warm_throughput_mibps"] = *entry.warm_throughput_mibps;
  if (entry.auto_distribution) written["auto_distribution"] = *entry.auto_distribution;
  if (entry.shard_metrics) written["shard_metrics"] = *entry.shard_metrics;
  if (entry.plan) written["plan"] = to_json(*entry.plan);
  if (entry.counted_ms) written["counted_ms"] = *entry.counted_ms;
  return written;
}
json to_json(const BillingCommitment& commitment) {
  json entry{{"started_ms", commitment.started_ms}};
  if (commitment.ends_ms) entry["ends_ms"] = *commitment.ends_ms;
  return entry;
}
BillingCommitment commitment_from(const json& entry) {
  return {entry.at("started_ms").get<std::int64_t>(), optional_from<std::int64_t>(entry, "ends_ms")};
}
std::string from_base64(const json& value) {
  auto bytes = base64_bytes(value.get_ref<const std::string&>());
  if (!bytes) throw json::other_error::create(500, "not base64", &value);
  return *std::move(bytes);
}

// Of EncryptionSet::DataKey and StreamDataKey alike.
template <typename Key>
json data_key_json(const Key& key) {
  return {{"made_ms", key.made_ms},
          {"master_key", key.master_key},
          {"wrapped", base64_text(as_bytes(key.wrapped))}};
}
json to_json(const EncryptionSet& entry) {
  json written{{"change", "encryption_set"}, {"id", entry.id}, {"passes", entry.passes}};
  if (!entry.key_id.empty()) written["key_id"] = entry.key_id;
  if (entry.data_key) written["data_key"] = data_key_json(*entry.data_key);
  if (entry.counted_ms) written["counted_ms"] = *entry.counted_ms;
  return written;
}
EncryptionSet encryption_set_from(const json& entry) {
  EncryptionSet set{entry.at("id").get<std::uint64_t>(), entry.value("key_id", std::string()), std::nullopt,
                    entry.at("passes").get<bool>(), optional_from<std::int64_t>(entry, "counted_ms")};
  if (entry.contains("data_key")) {
    const json& key = entry["data_key"];
    set.data_key =
        EncryptionSet::DataKey{key.at("made_ms").get<std::int64_t>(), key.at("master_key").get<std::string>(),
                               from_base64(key.at("wrapped"))};
  }
  return set;
}
void add_encryption(const Stream& stream, json& entry) {
  if (!stream.key_id.empty()) entry["key_id"] = stream.key_id;
  if (stream.data_keys.empty()) return;
  json keys = json::array();
  for (const StreamDataKey& key : stream.data_keys) {
    json written = data_key_json(key);
    written["number"] = key.number;
    keys.push_back(std::move(written));
  }
  entry["data_keys"] = std::move(keys);
}
void encryption_from(const json& entry, Stream& stream) {
  stream.key_id = entry.value("key_id", std::string());
  if (!entry.contains("data_keys")) return;
  for (const json& key : entry["data_keys"])
    stream.data_keys.push_back({key.at("number").get<std::uint64_t>(), key.at("made_ms").get<std::int64_t>(),
                                key.at("master_key").get<std::string>(), from_base64(key.at("wrapped"))});
}
json to_json(const DataKeysDropped& entry) {
  return {{"change", "data_keys_dropped"},
          {"id", entry.id},
          {"before", entry.before},
          {"kept_from", to_json(entry.kept_from)}};
}
json to_json(const CommitmentSet& entry) {
  return {{"change", "commitment_set"}, {"commitment", to_json(entry.commitment)}};
}

StreamCreated stream_created_from(const json& entry) {
  StreamCreated created{.name = entry.at("name").get<std::string>(),
                        .now_ms = entry.at("now_ms").get<std::int64_t>(),
                        .shard_count = entry.at("shard_count").get<std::uint32_t>(),
                        .retention_hours = entry.at("retention_hours").get<std::int64_t>(),
                        .on_demand = entry.at("on_demand").get<bool>(),
                        .tags = entry.at("tags").get<std::map<std::string, std::string>>()};
  settings_from(entry, created);
  created.first_shards_lead_s = entry.value("first_shards_lead_s", std::int64_t{0});
  return created;
}

StreamConfigured stream_configured_from(const json& entry) {
  StreamConfigured configured{
      .id = entry.at("id").get<std::uint64_t>(),
      .on_demand = optional_from<bool>(entry, "on_demand"),
      .max_record_kib = optional_from<std::int64_t>(entry, "max_record_kib"),
      .warm_throughput_mibps = optional_from<std::int64_t>(entry, "warm_throughput_mibps"),
      .auto_distribution = optional_from<bool>(entry, "auto_distribution"),
      .shard_metrics = optional_from<std::vector<std::string>>(entry, "shard_metrics"),
      .plan = std::nullopt};
  if (entry.contains("plan")) configured.plan = plan_from(entry["plan"]);
  configured.counted_ms = optional_from<std::int64_t>(entry, "counted_ms");
  return configured;
}

json to_json(const ConsumerRegistered& entry) {
  return {{"change", "consumer_registered"}, {"id", entry.id},         {"name", entry.name},
          {"kind", kind_text(entry.kind)},   {"now_ms", entry.now_ms}, {"tags", entry.tags}};
}
json to_json(const ConsumerActivated& entry) {
  return {{"change", "consumer_activated"}, {"id", entry.id}, {"consumer", entry.consumer}};
}
json to_json(const ConsumerDeleting& entry) {
  return {{"change", "consumer_deleting"}, {"id", entry.id}, {"consumer", entry.consumer}};
}
json to_json(const ConsumerDeleted& entry) {
  return {{"change", "consumer_deleted"}, {"id", entry.id}, {"consumer", entry.consumer}};
}

json to_json(const PolicySet& entry) {
  json written{{"change", "policy_set"}, {"id", entry.id}};
  if (entry.consumer) written["consumer"] = *entry.consumer;
  if (entry.policy) written["policy"] = *entry.policy;
  return written;
}

CatalogChange change_from(const json& entry) {
  const std::string kind = entry.at("change").get<std::string>();
  if (kind == "stream_created") return stream_created_from(entry);
  if (kind == "commitment_set") return CommitmentSet{commitment_from(entry.at("commitment"))};
  const auto id = entry.at("id").get<std::uint64_t>();
  if (kind == "stream_activated") return StreamActivated{id};
  if (kind == "stream_deleting") return StreamDeleting{id};
  if (kind == "stream_deleted") return StreamDeleted{id};
  if (kind == "reshard_begun")
    return ReshardBegun{id, plan_from(entry.at("plan")), optional_from<std::int64_t>(entry, "counted_ms")};
  if (kind == "reshard_done") {
    ReshardDone done{id, entry.at("now_ms").get<std::int64_t>(), offsets_from(entry.at("end_offsets"))};
    done.new_shards_lag_s = entry.value("new_shards_lag_s", std::int64_t{0});
    return done;
  }
  if (kind == "retention_set") return RetentionSet{id, entry.at("hours").get<std::int64_t>()};
  if (kind == "tags_changed")
    return TagsChanged{id, optional_from<std::uint64_t>(entry, "consumer"),
                       entry.at("set").get<std::map<std::string, std::string>>(),
                       entry.at("removed").get<std::vector<std::string>>()};
  if (kind == "shards_expired")
    return ShardsExpired{id, entry.at("indexes").get<std::vector<std::uint32_t>>()};
  if (kind == "encryption_set") return encryption_set_from(entry);
  if (kind == "data_keys_dropped")
    return DataKeysDropped{id, entry.at("before").get<std::uint64_t>(), offsets_from(entry.at("kept_from"))};
  if (kind == "stream_configured") return stream_configured_from(entry);
  if (kind == "consumer_registered")
    return ConsumerRegistered{.id = id,
                              .name = entry.at("name").get<std::string>(),
                              .kind = kind_from(entry.at("kind")),
                              .now_ms = entry.at("now_ms").get<std::int64_t>(),
                              .tags = entry.at("tags").get<std::map<std::string, std::string>>()};
  if (kind == "consumer_activated") return ConsumerActivated{id, consumer_id_from(entry)};
  if (kind == "consumer_deleting") return ConsumerDeleting{id, consumer_id_from(entry)};
  if (kind == "consumer_deleted") return ConsumerDeleted{id, consumer_id_from(entry)};
  if (kind == "policy_set")
    return PolicySet{id, optional_from<std::uint64_t>(entry, "consumer"),
                     optional_from<std::string>(entry, "policy")};
  throw json::other_error::create(501, "unknown change " + kind, &entry);
}

// Lists that are empty are left out.
void add_counted(const CountedTimes& counted, json& entry) {
  for (std::size_t what = 0; what < counted.size(); ++what)
    if (!counted[what].empty()) entry["counted_ms"][std::string(kDailyLimits[what].name)] = counted[what];
}
CountedTimes counted_from(const json& entry) {
  CountedTimes counted;
  if (!entry.contains("counted_ms")) return counted;
  for (std::size_t what = 0; what < counted.size(); ++what)
    counted[what] =
        entry["counted_ms"].value(std::string(kDailyLimits[what].name), std::vector<std::int64_t>{});
  return counted;
}

json to_json(const Stream& stream) {
  json shards = json::array();
  for (const Shard& shard : stream.shards) shards.push_back(to_json(shard));
  json entry{{"name", stream.name},
             {"id", stream.id},
             {"status", static_cast<int>(stream.status)},
             {"created_ms", stream.created_ms},
             {"retention_hours", stream.retention_hours},
             {"tags", stream.tags},
             {"on_demand", stream.on_demand},
             {"next_index", stream.next_index},
             {"shards", std::move(shards)}};
  if (stream.plan) entry["plan"] = to_json(*stream.plan);
  add_settings(stream, entry);
  if (!stream.shard_metrics.empty()) entry["shard_metrics"] = stream.shard_metrics;
  add_encryption(stream, entry);
  if (stream.policy != nullptr) entry["policy"] = *stream.policy;
  if (!stream.consumers.empty()) {
    json consumers = json::array();
    for (const auto& [name, consumer] : stream.consumers) consumers.push_back(to_json(consumer));
    entry["consumers"] = std::move(consumers);
  }
  if (stream.consumers_gone_s != 0) entry["consumers_gone_s"] = stream.consumers_gone_s;
  add_counted(stream.counted_ms, entry);
  return entry;
}

std::shared_ptr<const Stream> stream_from(const json& entry) {
  auto stream = std::make_shared<Stream>();
  stream->name = entry.at("name").get<std::string>();
  stream->id = entry.at("id").get<std::uint64_t>();
  const int status = entry.at("status").get<int>();
  if (status < 0 || status > static_cast<int>(StreamStatus::kDeleting))
    throw json::other_error::create(501, "unknown status", &entry);
  stream->status = static_cast<StreamStatus>(status);
  stream->created_ms = entry.at("created_ms").get<std::int64_t>();
  stream->retention_hours = entry.at("retention_hours").get<std::int64_t>();
  stream->tags = entry.at("tags").get<std::map<std::string, std::string>>();
  stream->on_demand = entry.at("on_demand").get<bool>();
  stream->next_index = entry.at("next_index").get<std::uint32_t>();
  for (const json& shard : entry.at("shards")) stream->shards.push_back(shard_from(shard));
  if (entry.contains("plan")) stream->plan = plan_from(entry["plan"]);
  settings_from(entry, *stream);
  encryption_from(entry, *stream);
  stream->policy = policy_from(entry);
  stream->shard_metrics = entry.value("shard_metrics", std::vector<std::string>{});
  if (entry.contains("consumers")) {
    for (const json& item : entry["consumers"]) {
      Consumer consumer = consumer_from(item);
      stream->consumers.emplace(consumer.name, std::move(consumer));
    }
  }
  stream->consumers_gone_s = entry.value("consumers_gone_s", std::int64_t{0});
  stream->counted_ms = counted_from(entry);
  stream->index_shards();
  return stream;
}

}  // namespace

std::string encode(const CatalogChange& entry) {
  return std::visit([](const auto& kind) { return to_json(kind).dump(); }, entry);
}

Result<CatalogChange> decode_change(std::string_view text) {
  try {
    return change_from(json::parse(text));
  } catch (const json::exception& error) {
    return corrupt(error.what());
  }
}

std::string encode(const Catalog& catalog) {
  json streams = json::array();
  for (const auto& [name, stream] : catalog.streams) streams.push_back(to_json(*stream));
  json entry{{"version", catalog.version},
             {"next_stream_id", catalog.next_stream_id},
             {"next_shard_key", catalog.next_shard_key},
             {"streams", std::move(streams)}};
  if (catalog.next_data_key != 1) entry["next_data_key"] = catalog.next_data_key;
  if (catalog.next_consumer_id != 1) entry["next_consumer_id"] = catalog.next_consumer_id;
  if (catalog.commitment) entry["commitment"] = to_json(*catalog.commitment);
  return entry.dump();
}

Result<Catalog> decode_catalog(std::string_view text) {
  try {
    const json entry = json::parse(text);
    Catalog catalog;
    catalog.version = entry.at("version").get<std::uint64_t>();
    catalog.next_stream_id = entry.at("next_stream_id").get<std::uint64_t>();
    catalog.next_shard_key = entry.at("next_shard_key").get<std::uint64_t>();
    catalog.next_data_key = entry.value("next_data_key", std::uint64_t{1});
    catalog.next_consumer_id = entry.value("next_consumer_id", std::uint64_t{1});
    if (entry.contains("commitment")) catalog.commitment = commitment_from(entry["commitment"]);
    for (const json& item : entry.at("streams")) {
      auto stream = stream_from(item);
      catalog.open_shard_count += stream->open_shards.size();
      catalog.streams.emplace(stream->name, std::move(stream));
    }
    return catalog;
  } catch (const json::exception& error) {
    return corrupt(error.what());
  }
}

}  // namespace millrace::broker
