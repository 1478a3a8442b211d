// leases/dynamodb/search.h: reading many items of a table or an index, a page at a time: what Query and Scan
// share.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "leases/dynamodb/expression.h"
#include "leases/dynamodb/keys.h"
#include "leases/dynamodb/parameters.h"
#include "leases/dynamodb/request_expressions.h"
#include "leases/dynamodb/table_store.h"

namespace millrace::leases::dynamodb {

// A page ends behind the item with which it is as large.
inline constexpr std::size_t kPageBytesMax = 1'024 * 1'024;

struct Search {
  std::string table = {};
  std::string index = {};  // empty: the table's own
  std::int64_t limit = INT64_MAX;
  std::optional<Attributes> start_key = std::nullopt;
  std::optional<Condition> filter = std::nullopt;
  std::vector<Path> paths = {};  // empty: all
  enum class Select : std::uint8_t { kAll, kProjected, kSpecific, kCount } select = Select::kAll;
  bool select_given = false;
  bool consistent = false;
  bool forward = true;
  CapacityDetail detail = CapacityDetail::kNone;
};

// Reads what Query and Scan have in common, but neither expressions nor filters.
void read_search(Parameters& parameters, Search* search);
Outcome read_start_key(Parameters& parameters, Search* search);
// After paths are read.
Outcome check_select(const Search& search);

// The rows that are searched.
struct Found {
  const Table* table = nullptr;
  const IndexInfo* index = nullptr;  // nullptr: the table's own
  const Table::Rows* rows = nullptr;
  const KeySchema& key() const { return index == nullptr ? table->info().key : index->key; }
};
Outcome find_rows(const Search& search, const Tables& tables, Found* found);
// The key from which on the page begins, behind it.
Outcome start_row(const Search& search, const Found& found, std::optional<RowKey>* start);

using RowRange = std::pair<Table::Rows::const_iterator, Table::Rows::const_iterator>;
// Without what a reader from one end to the other has passed when it has come to `start`.
RowRange behind(const Table::Rows& rows, RowRange range, const RowKey& start, bool forward);
// Writes the page of `range`, from its beginning or its end.
void write_page(const Search& search, const Found& found, RowRange range, Bytes& reply);

}  // namespace millrace::leases::dynamodb
