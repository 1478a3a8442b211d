#include "leases/dynamodb/change_codec.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "api/writer.h"
#include "leases/dynamodb/attribute_json.h"
#include "leases/json.h"

namespace millrace::leases::dynamodb {
namespace {

using api::Writer;

constexpr std::array<std::string_view, 3> kProjections = {"ALL", "KEYS_ONLY", "INCLUDE"};

void encode_key(const KeySchema& key, Writer& writer) {
  writer.member("hash", key.hash);
  if (!key.range.empty()) writer.member("range", key.range);
}

void encode_throughput(const Throughput& throughput, Writer& writer) {
  writer.member("read", throughput.read_units);
  writer.member("write", throughput.write_units);
}

void encode_index(const IndexInfo& index, Writer& writer) {
  writer.begin_object();
  writer.member("name", index.name);
  encode_key(index.key, writer);
  writer.member("projection", kProjections[static_cast<std::size_t>(index.projection)]);
  writer.key("included");
  writer.begin_list();
  for (const std::string& name : index.included) writer.text(name);
  writer.end_list();
  encode_throughput(index.throughput, writer);
  writer.member("status", status_name(index.status));
  writer.end_object();
}

void write_info(const TableInfo& info, Writer& writer) {
  writer.begin_object();
  writer.member("name", info.name);
  writer.member("id", info.id);
  writer.member("created_ms", info.created_ms);
  writer.member("status", status_name(info.status));
  writer.key("key_types");
  writer.begin_object();
  for (const auto& [name, type] : info.key_types) writer.member(name, type_name(type));
  writer.end_object();
  encode_key(info.key, writer);
  writer.key("indexes");
  writer.begin_list();
  for (const IndexInfo& index : info.indexes) encode_index(index, writer);
  writer.end_list();
  writer.member("on_demand", info.on_demand);
  writer.member("on_demand_since_ms", info.on_demand_since_ms);
  encode_throughput(info.throughput, writer);
  writer.key("tags");
  writer.begin_object();
  for (const auto& [key, value] : info.tags) writer.member(key, value);
  writer.end_object();
  writer.member("expiry_attribute", info.expiry_attribute);
  writer.member("recoverable", info.recoverable);
  writer.member("recoverable_since_ms", info.recoverable_since_ms);
  writer.member("recoverable_days", info.recoverable_days);
  writer.member("deletion_protected", info.deletion_protected);
  writer.end_object();
}

void write_change(const TableSet& set, Writer& writer) {
  writer.key("table");
  write_info(set.info, writer);
}
void write_change(const TableDropped& dropped, Writer& writer) { writer.member("drop", dropped.table); }
void write_change(const ItemPut& put, Writer& writer) {
  writer.member("put", put.table);
  write_member("item", *put.item, writer);
}
void write_change(const ItemDeleted& deleted, Writer& writer) {
  writer.member("delete", deleted.table);
  write_member("key", deleted.key, writer);
}

void append_line(const Change& change, std::string& lines) {
  Writer writer(api::Encoding::kJson);
  writer.begin_object();
  std::visit([&writer](const auto& held) { write_change(held, writer); }, change);
  writer.end_object();
  lines += writer.bytes().text();
  lines += '\n';
}

// What is missing is empty, zero or false.
std::string text(const Json& map, std::string_view name) {
  const Json* found = map.find(name);
  return found == nullptr ? "" : found->text;
}
// Counts and times, which are below 2^53. sound: becomes false where it is something else
std::int64_t integer(const Json& map, std::string_view name, bool& sound) {
  const Json* found = map.find(name);
  if (found == nullptr) return 0;
  sound = sound && found->kind == Json::Kind::kInteger && std::abs(found->number) < 0x1p53;
  return sound ? static_cast<std::int64_t>(found->number) : 0;
}
bool boolean(const Json& map, std::string_view name) {
  const Json* found = map.find(name);
  return found != nullptr && found->boolean;
}
const Json& part(const Json& map, std::string_view name) {
  static const Json kNothing;
  const Json* found = map.find(name);
  return found == nullptr ? kNothing : *found;
}

KeySchema read_key(const Json& map) { return {text(map, "hash"), text(map, "range")}; }
Throughput read_throughput(const Json& map, bool& sound) {
  return {integer(map, "read", sound), integer(map, "write", sound)};
}

IndexInfo read_index(const Json& map, bool& sound) {
  IndexInfo index{.name = text(map, "name"), .key = read_key(map)};
  const std::string projection = text(map, "projection");
  for (std::size_t i = 0; i < kProjections.size(); ++i)
    if (kProjections[i] == projection) index.projection = static_cast<IndexInfo::Projection>(i);
  for (const Json& name : part(map, "included").items) index.included.push_back(name.text);
  index.throughput = read_throughput(map, sound);
  index.status = status_of(text(map, "status")).value_or(Status::kActive);
  return index;
}

TableInfo read_info(const Json& map, bool& sound) {
  TableInfo info{.name = text(map, "name"),
                 .id = text(map, "id"),
                 .created_ms = integer(map, "created_ms", sound),
                 .status = status_of(text(map, "status")).value_or(Status::kActive),
                 .key = read_key(map)};
  const Json& types = part(map, "key_types");
  for (std::size_t i = 0; i < types.items.size(); ++i)
    info.key_types[types.names[i]] = types.items[i].text == "N"   ? AttributeType::kNumber
                                     : types.items[i].text == "B" ? AttributeType::kBinary
                                                                  : AttributeType::kString;
  for (const Json& index : part(map, "indexes").items) info.indexes.push_back(read_index(index, sound));
  info.on_demand = boolean(map, "on_demand");
  info.on_demand_since_ms = integer(map, "on_demand_since_ms", sound);
  info.throughput = read_throughput(map, sound);
  const Json& tags = part(map, "tags");
  for (std::size_t i = 0; i < tags.items.size(); ++i) info.tags[tags.names[i]] = tags.items[i].text;
  info.expiry_attribute = text(map, "expiry_attribute");
  info.recoverable = boolean(map, "recoverable");
  info.recoverable_since_ms = integer(map, "recoverable_since_ms", sound);
  info.recoverable_days = integer(map, "recoverable_days", sound);
  info.deletion_protected = boolean(map, "deletion_protected");
  return info;
}

bool is_typed(const KeySchema& key, const TableInfo& table) {
  return !key.hash.empty() && table.key_types.contains(key.hash) &&
         (key.range.empty() || table.key_types.contains(key.range));
}

// Whether items and indexes can be kept by it, and those that there are stay where they stand.
// before   what was said of the table until now; nullptr: it is new
bool is_consistent(const TableInfo& table, const TableInfo* before) {
  if (table.name.empty() || !is_typed(table.key, table)) return false;
  std::map<std::string_view, const KeySchema*> indexes;
  for (const IndexInfo& index : table.indexes)
    if (!is_typed(index.key, table) || !indexes.emplace(index.name, &index.key).second) return false;
  if (before == nullptr) return true;
  for (const auto& [name, type] : before->key_types)
    if (const auto now = table.key_types.find(name); now != table.key_types.end() && now->second != type)
      return false;
  for (const IndexInfo& index : before->indexes)
    if (const auto now = indexes.find(index.name); now != indexes.end() && *now->second != index.key)
      return false;
  return table.key == before->key;
}

bool has_key(const Attributes& item, const TableInfo& table) {
  const auto has = [&](const std::string& name) {
    const auto found = item.find(name);
    return found != item.end() && found->second.type == table.key_types.at(name);
  };
  return has(table.key.hash) && (table.key.range.empty() || has(table.key.range));
}

Result<void> replay_line(std::string_view line, Tables& tables) {
  const auto corrupt = [](std::string why) { return Error{ErrorKind::kCorrupt, std::move(why)}; };
  const JsonDocument document = parse_json(as_bytes(line), std::numeric_limits<std::size_t>::max());
  if (document.fault != JsonFault::kNone || document.root.kind != Json::Kind::kMap)
    return corrupt("not JSON");
  const Json& change = document.root;
  if (const Json* table = change.find("table"); table != nullptr) {
    bool sound = true;
    TableInfo info = read_info(*table, sound);
    if (!sound) return corrupt("a table with a number that is none");
    const Table* before = tables.find(info.name);
    if (!is_consistent(info, before == nullptr ? nullptr : &before->info()))
      return corrupt("a table without a name, or with other keys than its own");
    tables.apply(TableSet{std::move(info)});
    return {};
  }
  if (change.find("drop") != nullptr) {
    tables.apply(TableDropped{text(change, "drop")});
    return {};
  }
  const bool puts = change.find("put") != nullptr;
  const std::string name = text(change, puts ? "put" : "delete");
  const Table* table = tables.find(name);
  if (table == nullptr) return corrupt(fmt::format("an item of no table: {}", name));
  Attributes attributes;
  if (const auto wrong = read_attributes(part(change, puts ? "item" : "key"), &attributes); wrong.has_value())
    return corrupt(wrong->message);
  if (!has_key(attributes, table->info())) return corrupt("an item without its key");
  if (puts)
    tables.apply(ItemPut{name, std::make_shared<const Attributes>(std::move(attributes))});
  else
    tables.apply(ItemDeleted{name, std::move(attributes)});
  return {};
}

}  // namespace

std::string encode(const std::vector<Change>& changes) {
  std::string lines;
  for (const Change& change : changes) append_line(change, lines);
  return lines;
}

std::string encode_items(const std::string& table, const std::vector<Item>& items) {
  std::string lines;
  for (const Item& item : items) append_line(ItemPut{table, item}, lines);
  return lines;
}

Result<void> replay(std::string_view lines, Tables& tables) {
  for (std::size_t number = 1; !lines.empty(); ++number) {
    const std::size_t end = lines.find('\n');
    if (auto replayed = replay_line(lines.substr(0, end), tables); !replayed.ok())
      return Error{ErrorKind::kCorrupt, fmt::format("tables: line {}: {}", number, replayed.error().text)};
    lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 1);
  }
  return {};
}

}  // namespace millrace::leases::dynamodb
