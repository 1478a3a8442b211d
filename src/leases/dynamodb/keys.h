// leases/dynamodb/keys.h: whether keys, items and paths fit a table's schema, and how much a request
// consumed.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "api/writer.h"
#include "leases/dynamodb/attribute.h"
#include "leases/dynamodb/expression.h"
#include "leases/dynamodb/parameters.h"
#include "leases/dynamodb/refusal.h"
#include "leases/dynamodb/tables.h"

namespace millrace::leases::dynamodb {

// A table whose items may be read and written; it is neither being created nor deleted.
Outcome find_usable(const Tables& tables, std::string_view name, const Table** table);

// A key as GetItem takes it: exactly the key attributes.
Outcome check_key(const Attributes& key, const TableInfo& table);
// Of a whole item: its key, and those attributes that are keys of indexes.
Outcome check_item(const Attributes& item, const TableInfo& table);
Outcome check_index_keys(const Attributes& item, const TableInfo& table);
// No path leads into a key attribute.
Outcome check_paths(const std::vector<Path>& paths, const TableInfo& table);
template <typename Expression>
Outcome check_paths_of(const Expression& expression, const TableInfo& table) {
  std::vector<Path> paths;
  for_each_path(expression, [&paths](const Path& path) { paths.push_back(path); });
  return check_paths(paths, table);
}

// What a client asked to be told of capacity, and what is told.
enum class CapacityDetail : std::uint8_t { kNone, kTotal, kIndexes };
CapacityDetail read_capacity_detail(Parameters& parameters);
// bytes   0 of an item that is not there: still one unit
double read_units(std::size_t bytes, bool consistent);
double write_units(std::size_t bytes);
// One element of ConsumedCapacity. index   empty: of the table
void write_capacity(std::string_view table, std::string_view index, double units, CapacityDetail detail,
                    api::Writer& writer);

}  // namespace millrace::leases::dynamodb
