#include "base/assert.h"
#include "leases/dynamodb/table.h"

namespace millrace::leases::dynamodb {

RowsThen::RowsThen(std::shared_ptr<Table> table) : table_(std::move(table)) {
  MR_ASSERT(table_->then_ == nullptr);
  table_->then_ = this;
}

RowsThen::~RowsThen() { table_->then_ = nullptr; }

void RowsThen::before_change(const RowKey& row, const Item& item) {
  if (read_to_.has_value() && row <= *read_to_) return;
  if (changed_.try_emplace(row, item).second && item != nullptr) bytes_ += memory_bytes(*item);
}

std::vector<Item> RowsThen::next(std::size_t rows_max, std::size_t bytes_max) {
  std::vector<Item> items;
  std::size_t bytes = 0;
  auto now = read_to_.has_value() ? table_->rows_.upper_bound(*read_to_) : table_->rows_.begin();
  const RowKey* last = nullptr;
  while (items.size() < rows_max && bytes < bytes_max) {
    const bool there = now != table_->rows_.end();
    if (!there && changed_.empty()) break;
    Item item;
    if (!changed_.empty() && (!there || changed_.begin()->first <= now->first)) {
      const auto changed = changed_.begin();
      if (there && changed->first == now->first) ++now;
      item = std::move(changed->second);
      if (item != nullptr) bytes_ -= memory_bytes(*item);
      read_to_ = changed->first;
      last = nullptr;
      changed_.erase(changed);
    } else {
      item = now->second;
      last = &now->first;
      ++now;
    }
    if (item == nullptr) continue;
    bytes += memory_bytes(*item);
    items.push_back(std::move(item));
  }
  if (last != nullptr) read_to_ = *last;
  return items;
}

}  // namespace millrace::leases::dynamodb
