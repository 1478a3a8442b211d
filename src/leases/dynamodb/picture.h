// leases/dynamodb/picture.h: all tables as they were at one moment, for a snapshot of their ledger.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "cluster/snapshot_task.h"
#include "leases/dynamodb/tables.h"

namespace millrace::leases::dynamodb {

// One at a time; on the tables' loop, but for what next() returns. Tables may change, come and go meanwhile.
class Picture final : public cluster::SnapshotSource {
 public:
  explicit Picture(const Tables& tables);
  ~Picture() override;

  // The changes that make the tables out of none, some at a time.
  Function<std::string()> next() override;
  // Of memory: items that are kept only for it.
  std::uint64_t bytes() const;

 private:
  struct TableThen {
    TableInfo info;
    std::unique_ptr<RowsThen> rows;
    bool begun = false;
  };
  std::deque<TableThen> tables_;  // still to be read
};

}  // namespace millrace::leases::dynamodb
