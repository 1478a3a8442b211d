// leases/dynamodb/table.h: one table: what it is, its items in the order of their keys, and its indexes.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "leases/dynamodb/attribute.h"

namespace millrace::leases::dynamodb {

struct KeySchema {
  std::string hash;
  std::string range = {};  // empty: there is none
  friend bool operator==(const KeySchema& a, const KeySchema& b) = default;
};

enum class Status : std::uint8_t { kCreating, kActive, kUpdating, kDeleting };
std::string_view status_name(Status status);  // "CREATING"
std::optional<Status> status_of(std::string_view name);

struct Throughput {
  std::int64_t read_units = 0;
  std::int64_t write_units = 0;
  friend bool operator==(const Throughput& a, const Throughput& b) = default;
};

// A global secondary index.
struct IndexInfo {
  enum class Projection : std::uint8_t { kAll, kKeysOnly, kInclude };
  std::string name;
  KeySchema key;
  Projection projection = Projection::kAll;
  std::vector<std::string> included = {};  // beside the keys, where kInclude
  Throughput throughput = {};
  Status status = Status::kActive;
};

struct TableInfo {
  std::string name;
  std::string id;  // a UUID
  std::int64_t created_ms = 0;
  Status status = Status::kActive;
  std::map<std::string, AttributeType> key_types = {};  // of the table's and the indexes' key attributes
  KeySchema key;
  std::vector<IndexInfo> indexes = {};
  bool on_demand = false;
  std::int64_t on_demand_since_ms = 0;
  Throughput throughput = {};
  std::map<std::string, std::string> tags = {};
  std::string expiry_attribute = {};  // TimeToLive is on where there is one
  bool recoverable = false;           // the flag PointInTimeRecovery; nothing more is behind it
  std::int64_t recoverable_since_ms = 0;
  std::int64_t recoverable_days = 35;
  bool deletion_protected = false;
};

// Where an item stands: by a token of its partition key first, so that segments of a scan are even.
struct RowKey {
  std::uint64_t token = 0;
  std::string hash = {};
  std::string range = {};
  // Of the table's key, in an index, where many items may have one key.
  std::string table_hash = {};
  std::string table_range = {};
  friend std::strong_ordering operator<=>(const RowKey& a, const RowKey& b) = default;
};
// The same for the same bytes for ever.
std::uint64_t token_of(std::string_view hash_key);

class RowsThen;

class Table {
 public:
  using Rows = std::map<RowKey, Item>;

  explicit Table(TableInfo info);

  const TableInfo& info() const { return info_; }
  // Indexes that are new are filled, and those that are gone are emptied.
  void set_info(TableInfo info);

  const Rows& rows() const { return rows_; }
  // nullptr: none of that name
  const IndexInfo* index(std::string_view name) const;
  const Rows& index_rows(std::string_view name) const;  // of an index that there is

  // All of the table's key attributes are there, of the right types.
  RowKey row_key(const Attributes& item) const;
  // nullopt: the item does not have them all, of the right types, and so does not stand in the index.
  std::optional<RowKey> index_row_key(const KeySchema& index, const Attributes& item) const;

  Item find(const RowKey& key) const;  // nullptr: none
  // Returns what was there.
  Item put(Item item);
  Item erase(const RowKey& key);

  std::uint64_t bytes() const { return bytes_; }  // as the service counts
  // Of items, with what indexes take, and of what is said of the table.
  std::uint64_t memory_bytes() const { return memory_bytes_ + info_memory_bytes_; }

 private:
  friend class RowsThen;
  void account(const RowKey& row, const Item& item, bool added);
  void tell_of_change(const RowKey& row);

  TableInfo info_;
  Rows rows_;
  std::map<std::string, Rows, std::less<>> index_rows_;
  std::uint64_t bytes_ = 0;
  std::uint64_t memory_bytes_ = 0;
  std::uint64_t info_memory_bytes_ = 0;
  RowsThen* then_ = nullptr;  // who reads it as it was
};

// A table's rows as they were when it was made, read once from the first to the last while the table changes.
// At most one of a table at a time; on the table's loop.
class RowsThen {
 public:
  explicit RowsThen(std::shared_ptr<Table> table);
  ~RowsThen();
  RowsThen(const RowsThen&) = delete;
  RowsThen& operator=(const RowsThen&) = delete;

  // The next rows' items, about `bytes_max` of memory and at most `rows_max`; none: that was all.
  std::vector<Item> next(std::size_t rows_max, std::size_t bytes_max);
  // Of memory: items that are kept only because they are still to be read.
  std::uint64_t bytes() const { return bytes_; }

 private:
  friend class Table;
  void before_change(const RowKey& row, const Item& item);

  std::shared_ptr<Table> table_;
  std::map<RowKey, Item> changed_;  // since then, and not yet read; nullptr: it was not there
  std::optional<RowKey> read_to_;
  std::uint64_t bytes_ = 0;
};

}  // namespace millrace::leases::dynamodb
