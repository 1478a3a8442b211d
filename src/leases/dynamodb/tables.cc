#include "leases/dynamodb/tables.h"

#include <utility>

#include "base/assert.h"

namespace millrace::leases::dynamodb {
namespace {

template <typename... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};
template <typename... Handlers>
Overloaded(Handlers...) -> Overloaded<Handlers...>;

Attributes key_of(const Table& table, const Attributes& item) {
  Attributes key;
  for (const std::string& name : {table.info().key.hash, table.info().key.range})
    if (!name.empty()) key.emplace(name, item.at(name));
  return key;
}

}  // namespace

const Table* Tables::find(std::string_view name) const {
  const auto found = tables_.find(name);
  return found == tables_.end() ? nullptr : found->second.get();
}

std::uint64_t Tables::memory_bytes() const {
  std::uint64_t bytes = 0;
  for (const auto& [name, table] : tables_) bytes += table->memory_bytes();
  return bytes;
}

Tables::Undo Tables::apply(const Change& change) {
  const auto table_of = [this](const std::string& name) -> Table& {
    const auto found = tables_.find(name);
    MR_ASSERT(found != tables_.end());
    return *found->second;
  };
  return std::visit(Overloaded{[&](const TableSet& set) -> Undo {
                                 auto& table = tables_[set.info.name];
                                 if (table == nullptr) {
                                   table = std::make_shared<Table>(set.info);
                                   return Change(TableDropped{set.info.name});
                                 }
                                 TableInfo before = table->info();
                                 table->set_info(set.info);
                                 return Change(TableSet{std::move(before)});
                               },
                               [&](const TableDropped& dropped) -> Undo {
                                 const auto found = tables_.find(dropped.table);
                                 if (found == tables_.end()) return Change(dropped);
                                 auto table = std::move(found->second);
                                 tables_.erase(found);
                                 return table;
                               },
                               [&](const ItemPut& put) -> Undo {
                                 Table& table = table_of(put.table);
                                 Item before = table.put(put.item);
                                 if (before != nullptr) return Change(ItemPut{put.table, std::move(before)});
                                 return Change(ItemDeleted{put.table, key_of(table, *put.item)});
                               },
                               [&](const ItemDeleted& deleted) -> Undo {
                                 Table& table = table_of(deleted.table);
                                 Item before = table.erase(table.row_key(deleted.key));
                                 if (before == nullptr) return Change(deleted);
                                 return Change(ItemPut{deleted.table, std::move(before)});
                               }},
                    change);
}

void Tables::undo(Undo undo) {
  if (auto* table = std::get_if<std::shared_ptr<Table>>(&undo); table != nullptr)
    tables_[(*table)->info().name] = std::move(*table);
  else
    apply(std::get<Change>(undo));
}

void Transaction::make(Change change) {
  undos_.push_back(tables_.apply(change));
  changes_.push_back(std::move(change));
}

void Transaction::roll_back(std::size_t kept) {
  while (undos_.size() > kept) {
    tables_.undo(std::move(undos_.back()));
    undos_.pop_back();
    changes_.pop_back();
  }
}

void Transaction::keep() {
  undos_.clear();
  changes_.clear();
}

}  // namespace millrace::leases::dynamodb
