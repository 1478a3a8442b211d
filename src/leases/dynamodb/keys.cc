#include "leases/dynamodb/keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace millrace::leases::dynamodb {
namespace {

constexpr std::size_t kHashBytesMax = 2'048;
constexpr std::size_t kRangeBytesMax = 1'024;

Refusal key_mismatch() { return validation("The provided key element does not match the schema"); }

Outcome check_size(const AttributeValue& value, bool hash) {
  if (value.is(AttributeType::kNumber)) return std::nullopt;
  if (hash && value.text().size() > kHashBytesMax)
    return validation(
        "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit "
        "of2048 "
        "bytes");
  if (!hash && value.text().size() > kRangeBytesMax)
    return validation(
        "One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size "
        "limit "
        "of 1024 bytes");
  return std::nullopt;
}

// "were invalid:" of a key, "are not valid." of an item: so the service says it.
Outcome check_not_empty(const AttributeValue& value, std::string_view name, std::string_view verdict) {
  if (value.is(AttributeType::kNumber) || !value.text().empty()) return std::nullopt;
  return validation(fmt::format(
      "One or more parameter values {} The AttributeValue for a key attribute cannot contain an empty {} "
      "value. Key: {}",
      verdict, value.is(AttributeType::kString) ? "string" : "binary", name));
}

Outcome check_key_part(const Attributes& key, const std::string& name, const TableInfo& table, bool hash) {
  const auto found = key.find(name);
  if (found == key.end() || found->second.type != table.key_types.at(name)) return key_mismatch();
  LEASES_TRY(check_not_empty(found->second, name, "were invalid:"));
  return check_size(found->second, hash);
}

Outcome check_item_part(const Attributes& item, const std::string& name, const TableInfo& table, bool hash) {
  const auto found = item.find(name);
  if (found == item.end())
    return validation(
        fmt::format("One or more parameter values were invalid: Missing the key {} in the item", name));
  const AttributeType wanted = table.key_types.at(name);
  if (found->second.type != wanted)
    return validation(fmt::format(
        "One or more parameter values were invalid: Type mismatch for key {} expected: {} actual: {}", name,
        type_name(wanted), type_name(found->second.type)));
  LEASES_TRY(check_not_empty(found->second, name, "are not valid."));
  return check_size(found->second, hash);
}

}  // namespace

Outcome find_usable(const Tables& tables, std::string_view name, const Table** table) {
  *table = tables.find(name);
  if (*table == nullptr || (*table)->info().status == Status::kCreating ||
      (*table)->info().status == Status::kDeleting)
    return of_service("ResourceNotFoundException", "Requested resource not found");
  return std::nullopt;
}

Outcome check_key(const Attributes& key, const TableInfo& table) {
  if (key.size() != (table.key.range.empty() ? 1u : 2u)) return key_mismatch();
  LEASES_TRY(check_key_part(key, table.key.hash, table, true));
  return table.key.range.empty() ? std::nullopt : check_key_part(key, table.key.range, table, false);
}

Outcome check_item(const Attributes& item, const TableInfo& table) {
  LEASES_TRY(check_item_part(item, table.key.hash, table, true));
  if (!table.key.range.empty()) LEASES_TRY(check_item_part(item, table.key.range, table, false));
  return check_index_keys(item, table);
}

Outcome check_index_keys(const Attributes& item, const TableInfo& table) {
  for (const IndexInfo& index : table.indexes) {
    for (const std::string& name : {index.key.hash, index.key.range}) {
      const auto found = name.empty() ? item.end() : item.find(name);
      if (found == item.end()) continue;
      const AttributeType wanted = table.key_types.at(name);
      if (found->second.type != wanted)
        return validation(fmt::format(
            "One or more parameter values were invalid: Type mismatch for Index Key {} Expected: {} "
            "Actual: {} IndexName: {}",
            name, type_name(wanted), type_name(found->second.type), index.name));
      if (!found->second.is(AttributeType::kNumber) && found->second.text().empty())
        return validation(fmt::format(
            "One or more parameter values are not valid. A value specified for a secondary index key is "
            "not supported. The AttributeValue for a key attribute cannot contain an empty {} value. "
            "IndexName: {}, IndexKey: {}",
            wanted == AttributeType::kString ? "string" : "binary", index.name, name));
      LEASES_TRY(check_size(found->second, name == index.key.hash));
    }
  }
  return std::nullopt;
}

Outcome check_paths(const std::vector<Path>& paths, const TableInfo& table) {
  for (const Path& path : paths) {
    if (path.size() < 2) continue;
    const std::string& head = path.front().name;
    if (!table.key_types.contains(head)) continue;
    const bool own = head == table.key.hash || head == table.key.range;
    return validation(fmt::format(
        "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: {}: "
        "{}",
        own ? "Key" : "IndexKey", head));
  }
  return std::nullopt;
}

CapacityDetail read_capacity_detail(Parameters& parameters) {
  const auto wanted = parameters.text_of("ReturnConsumedCapacity", {"INDEXES", "TOTAL", "NONE"});
  if (wanted == "TOTAL") return CapacityDetail::kTotal;
  return wanted == "INDEXES" ? CapacityDetail::kIndexes : CapacityDetail::kNone;
}

double read_units(std::size_t bytes, bool consistent) {
  constexpr double kUnitBytes = 4'096;
  const double units = std::max(1.0, std::ceil(static_cast<double>(bytes) / kUnitBytes));
  return consistent ? units : units / 2;
}

double write_units(std::size_t bytes) {
  constexpr double kUnitBytes = 1'024;
  return std::max(1.0, std::ceil(static_cast<double>(bytes) / kUnitBytes));
}

void write_capacity(std::string_view table, std::string_view index, double units, CapacityDetail detail,
                    api::Writer& writer) {
  writer.begin_object();
  writer.member("TableName", table);
  writer.key("CapacityUnits");
  writer.decimal(units);
  if (detail == CapacityDetail::kIndexes) {
    const auto part = [&writer](std::string_view name, double amount) {
      writer.key(name);
      writer.begin_object();
      writer.key("CapacityUnits");
      writer.decimal(amount);
      writer.end_object();
    };
    part("Table", index.empty() ? units : 0);
    if (!index.empty()) {
      writer.key("GlobalSecondaryIndexes");
      writer.begin_object();
      part(index, units);
      writer.end_object();
    }
  }
  writer.end_object();
}

}  // namespace millrace::leases::dynamodb
