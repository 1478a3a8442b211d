// The JSON of the catalog's snapshots: docs/format.md, "Control log".
#include "broker/catalog_json.h"

#include "broker/catalog_change.h"
#include "broker/reshard.h"

namespace millrace::broker {
namespace {

StateJson to_json(const Shard& shard) {
  StateJson entry{{"key", log::to_number(shard.key)},
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

Shard shard_from(const StateJson& entry) {
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

StateJson to_json(const Consumer& consumer) {
  StateJson entry{{"name", consumer.name},
                  {"id", consumer.id},
                  {"kind", kind_text(consumer.kind)},
                  {"status", static_cast<int>(consumer.status)},
                  {"created_ms", consumer.created_ms},
                  {"tags", consumer.tags}};
  if (consumer.policy != nullptr) entry["policy"] = *consumer.policy;
  return entry;
}

Consumer consumer_from(const StateJson& entry) {
  const int status = entry.at("status").get<int>();
  if (status < 0 || status > static_cast<int>(ConsumerStatus::kDeleting))
    throw StateJson::other_error::create(501, "unknown status", &entry);
  return Consumer{.name = entry.at("name").get<std::string>(),
                  .id = entry.at("id").get<std::uint64_t>(),
                  .kind = kind_from(entry.at("kind")),
                  .status = static_cast<ConsumerStatus>(status),
                  .created_ms = entry.at("created_ms").get<std::int64_t>(),
                  .tags = entry.at("tags").get<std::map<std::string, std::string>>(),
                  .policy = policy_from(entry)};
}

void add_encryption(const Stream& stream, StateJson& entry) {
  if (!stream.key_id.empty()) entry["key_id"] = stream.key_id;
  if (stream.data_keys.empty()) return;
  StateJson keys = StateJson::array();
  for (const StreamDataKey& key : stream.data_keys) {
    StateJson written = data_key_json(key);
    written["number"] = key.number;
    keys.push_back(std::move(written));
  }
  entry["data_keys"] = std::move(keys);
}

void encryption_from(const StateJson& entry, Stream& stream) {
  stream.key_id = entry.value("key_id", std::string());
  if (!entry.contains("data_keys")) return;
  for (const StateJson& key : entry["data_keys"])
    stream.data_keys.push_back({key.at("number").get<std::uint64_t>(), key.at("made_ms").get<std::int64_t>(),
                                key.at("master_key").get<std::string>(),
                                bytes_from_base64(key.at("wrapped"))});
}

// Lists that are empty are left out.
void add_counted(const CountedTimes& counted, StateJson& entry) {
  for (std::size_t what = 0; what < counted.size(); ++what)
    if (!counted[what].empty()) entry["counted_ms"][std::string(kDailyLimits[what].name)] = counted[what];
}

CountedTimes counted_from(const StateJson& entry) {
  CountedTimes counted;
  if (!entry.contains("counted_ms")) return counted;
  for (std::size_t what = 0; what < counted.size(); ++what)
    counted[what] =
        entry["counted_ms"].value(std::string(kDailyLimits[what].name), std::vector<std::int64_t>{});
  return counted;
}

StateJson to_json(const Stream& stream) {
  StateJson shards = StateJson::array();
  for (const Shard& shard : stream.shards) shards.push_back(to_json(shard));
  StateJson entry{{"name", stream.name},
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
    StateJson consumers = StateJson::array();
    for (const auto& [name, consumer] : stream.consumers) consumers.push_back(to_json(consumer));
    entry["consumers"] = std::move(consumers);
  }
  if (stream.consumers_gone_s != 0) entry["consumers_gone_s"] = stream.consumers_gone_s;
  add_counted(stream.counted_ms, entry);
  return entry;
}

// What routes, finds and reshards relies on it: indexes ascend, the open shards share all hash keys, and a
// plan that is under way fits them.
void check_shards(const Stream& stream, const StateJson& entry) {
  const auto refuse = [&](const char* why) { throw StateJson::other_error::create(501, why, &entry); };
  std::uint32_t next_index = 0;
  std::map<HashNumber, HashNumber> open;
  for (const Shard& shard : stream.shards) {
    if (shard.index < next_index || shard.index >= stream.next_index) refuse("shards out of order");
    next_index = shard.index + 1;
    if (shard.open() && !open.emplace(to_number(shard.range.first), to_number(shard.range.last)).second)
      refuse("shards that share a hash key");
  }
  HashNumber next_key = 0;  // after the last one, 0 again
  bool whole = false;
  for (const auto& [first, last] : open) {
    if (whole || first != next_key || last < first) refuse("shards that do not share all hash keys");
    next_key = last + 1;
    whole = next_key == 0;
  }
  if (!whole) refuse("shards that do not share all hash keys");
  if ((stream.status == StreamStatus::kUpdating) != stream.plan.has_value())
    refuse("a plan goes with an update");
}

std::shared_ptr<const Stream> stream_from(const StateJson& entry) {
  auto stream = std::make_shared<Stream>();
  stream->name = entry.at("name").get<std::string>();
  stream->id = entry.at("id").get<std::uint64_t>();
  const int status = entry.at("status").get<int>();
  if (status < 0 || status > static_cast<int>(StreamStatus::kDeleting))
    throw StateJson::other_error::create(501, "unknown status", &entry);
  stream->status = static_cast<StreamStatus>(status);
  stream->created_ms = entry.at("created_ms").get<std::int64_t>();
  stream->retention_hours = retention_hours_from(entry.at("retention_hours"));
  stream->tags = entry.at("tags").get<std::map<std::string, std::string>>();
  stream->on_demand = entry.at("on_demand").get<bool>();
  stream->next_index = entry.at("next_index").get<std::uint32_t>();
  for (const StateJson& shard : entry.at("shards")) stream->shards.push_back(shard_from(shard));
  if (entry.contains("plan")) stream->plan = plan_from(entry["plan"]);
  settings_from(entry, *stream);
  encryption_from(entry, *stream);
  stream->policy = policy_from(entry);
  stream->shard_metrics = entry.value("shard_metrics", std::vector<std::string>{});
  if (entry.contains("consumers")) {
    for (const StateJson& item : entry["consumers"]) {
      Consumer consumer = consumer_from(item);
      stream->consumers.emplace(consumer.name, std::move(consumer));
    }
  }
  stream->consumers_gone_s = entry.value("consumers_gone_s", std::int64_t{0});
  stream->counted_ms = counted_from(entry);
  check_shards(*stream, entry);
  stream->index_shards();
  if (stream->plan)
    if (const auto fits = check_plan(*stream, *stream->plan); !fits.ok())
      throw StateJson::other_error::create(501, fits.error().text, &entry);
  return stream;
}

Catalog catalog_from(const StateJson& entry) {
  Catalog catalog;
  catalog.version = entry.at("version").get<std::uint64_t>();
  catalog.next_stream_id = entry.at("next_stream_id").get<std::uint64_t>();
  catalog.next_shard_key = entry.at("next_shard_key").get<std::uint64_t>();
  catalog.next_data_key = entry.value("next_data_key", std::uint64_t{1});
  catalog.next_consumer_id = entry.value("next_consumer_id", std::uint64_t{1});
  if (entry.contains("commitment")) catalog.commitment = commitment_from(entry["commitment"]);
  for (const StateJson& item : entry.at("streams")) {
    auto stream = stream_from(item);
    catalog.open_shard_count += stream->open_shards.size();
    catalog.streams.emplace(stream->name, std::move(stream));
  }
  return catalog;
}

}  // namespace

std::string encode(const Catalog& catalog) {
  StateJson streams = StateJson::array();
  for (const auto& [name, stream] : catalog.streams) streams.push_back(to_json(*stream));
  StateJson entry{{"version", catalog.version},
                  {"next_stream_id", catalog.next_stream_id},
                  {"next_shard_key", catalog.next_shard_key},
                  {"streams", std::move(streams)}};
  if (catalog.next_data_key != 1) entry["next_data_key"] = catalog.next_data_key;
  if (catalog.next_consumer_id != 1) entry["next_consumer_id"] = catalog.next_consumer_id;
  if (catalog.commitment) entry["commitment"] = to_json(*catalog.commitment);
  return entry.dump();
}

Result<Catalog> decode_catalog(std::string_view text) {
  return read_state(text, "control log", catalog_from);
}

}  // namespace millrace::broker
