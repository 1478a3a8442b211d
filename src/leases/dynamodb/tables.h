// leases/dynamodb/tables.h: all tables, and the changes that lead from one state of them to the next.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "leases/dynamodb/table.h"

namespace millrace::leases::dynamodb {

// A change says what is afterwards, and so may be made twice.
struct TableSet {
  TableInfo info;  // of a table that is new or was there
};
struct TableDropped {
  std::string table;
};
struct ItemPut {
  std::string table;
  Item item;
};
struct ItemDeleted {
  std::string table;
  Attributes key;
};
using Change = std::variant<TableSet, TableDropped, ItemPut, ItemDeleted>;

class Tables {
 public:
  using ByName = std::map<std::string, std::shared_ptr<Table>, std::less<>>;

  const ByName& by_name() const { return tables_; }
  const Table* find(std::string_view name) const;  // nullptr: none
  std::uint64_t memory_bytes() const { return memory_bytes_; }

  // What puts back the state before a change.
  using Undo = std::variant<Change, std::shared_ptr<Table>>;
  // The table of a change to an item is there.
  Undo apply(const Change& change);
  void undo(Undo undo);

 private:
  Undo apply_uncounted(const Change& change);
  std::uint64_t memory_bytes_of(std::string_view table) const;  // 0: there is none

  ByName tables_;
  std::uint64_t memory_bytes_ = 0;
};

// One evaluation of commands against the tables, in memory; what it changed is kept or taken back as a whole.
class Transaction {
 public:
  explicit Transaction(Tables& tables) : tables_(tables) {}
  ~Transaction() { roll_back(0); }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  const Tables& tables() const { return tables_; }
  const std::vector<Change>& changes() const { return changes_; }
  void make(Change change);
  // Takes back all but the first `kept` changes.
  void roll_back(std::size_t kept);
  // Returns what it replaced, which may be so much that to let go of it takes its time.
  std::vector<Tables::Undo> keep();

 private:
  Tables& tables_;
  std::vector<Change> changes_;
  std::vector<Tables::Undo> undos_;
};

}  // namespace millrace::leases::dynamodb
