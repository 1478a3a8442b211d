#include "leases/dynamodb/search.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "leases/dynamodb/attribute_json.h"

namespace millrace::leases::dynamodb {
namespace {

// The attributes that name an item: of the table, and of the index.
std::vector<std::string> key_names(const Found& found) {
  const KeySchema& own = found.table->info().key;
  std::vector<std::string> names;
  for (const std::string& name : {own.hash, own.range, found.key().hash, found.key().range})
    if (!name.empty() && std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  return names;
}

// What of an item an index holds.
Attributes indexed(const Attributes& item, const Found& found) {
  if (found.index == nullptr || found.index->projection == IndexInfo::Projection::kAll) return item;
  std::vector<std::string> names = key_names(found);
  names.insert(names.end(), found.index->included.begin(), found.index->included.end());
  Attributes held;
  for (const std::string& name : names)
    if (const auto there = item.find(name); there != item.end()) held.insert(*there);
  return held;
}

}  // namespace

void read_search(Parameters& parameters, Search* search) {
  search->detail = read_capacity_detail(parameters);
  search->table = parameters.table_name();
  search->index = parameters.name("IndexName").value_or("");
  search->limit = parameters.integer("Limit", 1, INT32_MAX).value_or(INT64_MAX);
  search->consistent = parameters.boolean("ConsistentRead").value_or(false);
  const auto select = parameters.text_of(
      "Select", {"SPECIFIC_ATTRIBUTES", "COUNT", "ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES"});
  search->select_given = select.has_value();
  if (select == "COUNT") search->select = Search::Select::kCount;
  if (select == "SPECIFIC_ATTRIBUTES") search->select = Search::Select::kSpecific;
  if (select == "ALL_PROJECTED_ATTRIBUTES" || (!select.has_value() && !search->index.empty()))
    search->select = Search::Select::kProjected;
}

Outcome read_start_key(Parameters& parameters, Search* search) {
  const Json* key = parameters.map("ExclusiveStartKey");
  LEASES_TRY(parameters.complaints().refusal());
  if (key == nullptr) return std::nullopt;
  return read_attributes(*key, &search->start_key.emplace());
}

Outcome check_select(const Search& search) {
  if (search.select == Search::Select::kSpecific && search.paths.empty())
    return validation(
        "Must specify the AttributesToGet or ProjectionExpression when choosing to get "
        "SPECIFIC_ATTRIBUTES");
  if (search.select_given && search.select != Search::Select::kSpecific && !search.paths.empty())
    return validation(
        "Cannot specify the AttributesToGet when choosing to get only the Count, all or projected "
        "attributes");
  if (search.select_given && search.select == Search::Select::kProjected && search.index.empty())
    return validation(
        "One or more parameter values were invalid: ALL_PROJECTED_ATTRIBUTES can be used only when "
        "Querying using an IndexName");
  return std::nullopt;
}

Outcome find_rows(const Search& search, const Tables& tables, Found* found) {
  LEASES_TRY(find_usable(tables, search.table, &found->table));
  found->rows = &found->table->rows();
  if (search.index.empty()) return std::nullopt;
  found->index = found->table->index(search.index);
  if (found->index == nullptr)
    return validation(fmt::format("The table does not have the specified index: {}", search.index));
  if (found->index->status == Status::kCreating)
    return validation(fmt::format("Cannot read from backfilling global secondary index: {}", search.index));
  if (search.consistent) return validation("Consistent reads are not supported on global secondary indexes");
  if (search.select_given && search.select == Search::Select::kAll &&
      found->index->projection != IndexInfo::Projection::kAll)
    return validation(fmt::format(
        "One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported for global "
        "secondary index {} because its projection type is not ALL",
        search.index));
  found->rows = &found->table->index_rows(search.index);
  return std::nullopt;
}

Outcome start_row(const Search& search, const Found& found, std::optional<RowKey>* start) {
  if (!search.start_key.has_value()) return std::nullopt;
  const Attributes& key = *search.start_key;
  const auto names = key_names(found);
  const TableInfo& info = found.table->info();
  if (key.size() != names.size())
    return validation(found.index != nullptr
                          ? "The provided starting key is invalid"
                          : "The provided starting key is invalid: The provided key element does "
                            "not match the schema");
  for (const std::string& name : names) {
    const auto part = key.find(name);
    if (part == key.end() || part->second.type != info.key_types.at(name))
      return validation(
          "The provided starting key is invalid: The provided key element does not match the schema");
  }
  *start =
      found.index == nullptr ? found.table->row_key(key) : found.table->index_row_key(found.index->key, key);
  return std::nullopt;
}

RowRange behind(const Table::Rows& rows, RowRange range, const RowKey& start, bool forward) {
  if (range.first == range.second) return range;
  const RowKey& first = range.first->first;
  const RowKey& last = std::prev(range.second)->first;
  if (forward ? start < first : last < start) return range;
  if (forward ? start >= last : first >= start) return {range.first, range.first};
  return forward ? RowRange{rows.upper_bound(start), range.second}
                 : RowRange{range.first, rows.lower_bound(start)};
}

void write_page(const Search& search, const Found& found, RowRange range, Bytes& reply) {
  api::Writer writer(api::Encoding::kJson);
  writer.begin_object();
  const bool counts_only = search.select == Search::Select::kCount;
  if (!counts_only) {
    writer.key("Items");
    writer.begin_list();
  }
  std::int64_t scanned = 0;
  std::int64_t count = 0;
  std::size_t bytes = 0;
  Item last;
  while (range.first != range.second && scanned < search.limit && bytes < kPageBytesMax) {
    last = search.forward ? (range.first++)->second : (--range.second)->second;
    const Attributes held = indexed(*last, found);
    ++scanned;
    bytes += item_bytes(held);
    if (search.filter.has_value() && !holds(*search.filter, held)) continue;
    ++count;
    if (!counts_only) write_attributes(search.paths.empty() ? held : project(search.paths, held), writer);
  }
  if (!counts_only) writer.end_list();
  writer.member("Count", count);
  writer.member("ScannedCount", scanned);
  if (last != nullptr && (scanned == search.limit || range.first != range.second)) {
    Attributes key;
    for (const std::string& name : key_names(found)) key.insert(*last->find(name));
    write_member("LastEvaluatedKey", key, writer);
  }
  if (search.detail != CapacityDetail::kNone) {
    writer.key("ConsumedCapacity");
    write_capacity(search.table, search.index, read_units(bytes, search.consistent), search.detail, writer);
  }
  writer.end_object();
  reply = std::move(writer.bytes());
}

}  // namespace millrace::leases::dynamodb
