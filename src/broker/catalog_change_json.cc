// The JSON of the entries that change the catalog: docs/format.md, "Control log".
#include "broker/catalog_change.h"
#include "broker/catalog_json.h"

namespace millrace::broker {
namespace {

std::uint64_t consumer_id_from(const StateJson& entry) { return entry.at("consumer").get<std::uint64_t>(); }

StateJson to_json(const StreamCreated& created) {
  StateJson entry{{"change", "stream_created"},
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

StateJson to_json(const StreamActivated& entry) { return {{"change", "stream_activated"}, {"id", entry.id}}; }

StateJson to_json(const StreamDeleting& entry) { return {{"change", "stream_deleting"}, {"id", entry.id}}; }

StateJson to_json(const StreamDeleted& entry) { return {{"change", "stream_deleted"}, {"id", entry.id}}; }

StateJson to_json(const ReshardBegun& entry) {
  StateJson written{{"change", "reshard_begun"}, {"id", entry.id}, {"plan", to_json(entry.plan)}};
  if (entry.counted_ms) written["counted_ms"] = *entry.counted_ms;
  return written;
}

// Offsets by shard index.
StateJson to_json(const std::map<std::uint32_t, std::uint64_t>& offsets) {
  StateJson pairs = StateJson::array();
  for (const auto& [index, offset] : offsets) pairs.push_back({index, offset});
  return pairs;
}

std::map<std::uint32_t, std::uint64_t> offsets_from(const StateJson& pairs) {
  std::map<std::uint32_t, std::uint64_t> offsets;
  for (const StateJson& pair : pairs)
    offsets.emplace(pair.at(0).get<std::uint32_t>(), pair.at(1).get<std::uint64_t>());
  return offsets;
}

StateJson to_json(const ReshardDone& entry) {
  StateJson written{{"change", "reshard_done"},
                    {"id", entry.id},
                    {"now_ms", entry.now_ms},
                    {"end_offsets", to_json(entry.end_offsets)}};
  if (entry.new_shards_lag_s != 0) written["new_shards_lag_s"] = entry.new_shards_lag_s;
  return written;
}

StateJson to_json(const RetentionSet& entry) {
  return {{"change", "retention_set"}, {"id", entry.id}, {"hours", entry.hours}};
}

StateJson to_json(const TagsChanged& entry) {
  StateJson written{
      {"change", "tags_changed"}, {"id", entry.id}, {"set", entry.set}, {"removed", entry.removed}};
  if (entry.consumer) written["consumer"] = *entry.consumer;
  return written;
}

StateJson to_json(const ShardsExpired& entry) {
  return {{"change", "shards_expired"}, {"id", entry.id}, {"indexes", entry.indexes}};
}

StateJson to_json(const StreamConfigured& entry) {
  StateJson written{{"change", "stream_configured"}, {"id", entry.id}};
  if (entry.on_demand) written["on_demand"] = *entry.on_demand;
  if (entry.max_record_kib) written["max_record_kib"] = *entry.max_record_kib;
  if (entry.warm_throughput_mibps) written["warm_throughput_mibps"] = *entry.warm_throughput_mibps;
  if (entry.auto_distribution) written["auto_distribution"] = *entry.auto_distribution;
  if (entry.shard_metrics) written["shard_metrics"] = *entry.shard_metrics;
  if (entry.plan) written["plan"] = to_json(*entry.plan);
  if (entry.counted_ms) written["counted_ms"] = *entry.counted_ms;
  return written;
}

StateJson to_json(const EncryptionSet& entry) {
  StateJson written{{"change", "encryption_set"}, {"id", entry.id}, {"passes", entry.passes}};
  if (!entry.key_id.empty()) written["key_id"] = entry.key_id;
  if (entry.data_key) written["data_key"] = data_key_json(*entry.data_key);
  if (entry.counted_ms) written["counted_ms"] = *entry.counted_ms;
  return written;
}

EncryptionSet encryption_set_from(const StateJson& entry) {
  EncryptionSet set{entry.at("id").get<std::uint64_t>(), entry.value("key_id", std::string()), std::nullopt,
                    entry.at("passes").get<bool>(), optional_from<std::int64_t>(entry, "counted_ms")};
  if (entry.contains("data_key")) {
    const StateJson& key = entry["data_key"];
    set.data_key =
        EncryptionSet::DataKey{key.at("made_ms").get<std::int64_t>(), key.at("master_key").get<std::string>(),
                               bytes_from_base64(key.at("wrapped"))};
  }
  return set;
}

StateJson to_json(const DataKeysDropped& entry) {
  return {{"change", "data_keys_dropped"},
          {"id", entry.id},
          {"before", entry.before},
          {"kept_from", to_json(entry.kept_from)}};
}

StateJson to_json(const CommitmentSet& entry) {
  return {{"change", "commitment_set"}, {"commitment", to_json(entry.commitment)}};
}

StreamCreated stream_created_from(const StateJson& entry) {
  StreamCreated created{.name = entry.at("name").get<std::string>(),
                        .now_ms = entry.at("now_ms").get<std::int64_t>(),
                        .shard_count = entry.at("shard_count").get<std::uint32_t>(),
                        .retention_hours = retention_hours_from(entry.at("retention_hours")),
                        .on_demand = entry.at("on_demand").get<bool>(),
                        .tags = entry.at("tags").get<std::map<std::string, std::string>>()};
  settings_from(entry, created);
  created.first_shards_lead_s = entry.value("first_shards_lead_s", std::int64_t{0});
  return created;
}

StreamConfigured stream_configured_from(const StateJson& entry) {
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

StateJson to_json(const ConsumerRegistered& entry) {
  return {{"change", "consumer_registered"}, {"id", entry.id},         {"name", entry.name},
          {"kind", kind_text(entry.kind)},   {"now_ms", entry.now_ms}, {"tags", entry.tags}};
}

StateJson to_json(const ConsumerActivated& entry) {
  return {{"change", "consumer_activated"}, {"id", entry.id}, {"consumer", entry.consumer}};
}

StateJson to_json(const ConsumerDeleting& entry) {
  return {{"change", "consumer_deleting"}, {"id", entry.id}, {"consumer", entry.consumer}};
}

StateJson to_json(const ConsumerDeleted& entry) {
  return {{"change", "consumer_deleted"}, {"id", entry.id}, {"consumer", entry.consumer}};
}

StateJson to_json(const PolicySet& entry) {
  StateJson written{{"change", "policy_set"}, {"id", entry.id}};
  if (entry.consumer) written["consumer"] = *entry.consumer;
  if (entry.policy) written["policy"] = *entry.policy;
  return written;
}

CatalogChange change_from(const StateJson& entry) {
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
  if (kind == "retention_set") return RetentionSet{id, retention_hours_from(entry.at("hours"))};
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
  throw StateJson::other_error::create(501, "unknown change " + kind, &entry);
}

}  // namespace

std::string encode(const CatalogChange& entry) {
  return std::visit([](const auto& kind) { return to_json(kind).dump(); }, entry);
}

Result<CatalogChange> decode_change(std::string_view text) {
  return read_state(text, "control log", change_from);
}

}  // namespace millrace::broker
