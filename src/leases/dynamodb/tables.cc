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

std::uint64_t Tables::memory_bytes_of(std::string_view table) const {
  const Table* found = find(table);
  return found == nullptr ? 0 : found->memory_bytes();
}

Tables::Undo Tables::apply(const Change& change) {
  const std::string& table =
      std::visit(Overloaded{[](const TableSet& set) -> const std::string& { return set.info.name; },
                            [](const auto& other) -> const std::string& { return other.table; }},
                 change);
  memory_bytes_ -= memory_bytes_of(table);
  Undo undo = apply_uncounted(change);
  memory_bytes_ += memory_bytes_of(table);
  return undo;
}

Tables::Undo Tables::apply_uncounted(const Change& change) {
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
  auto* const table = std::get_if<std::shared_ptr<Table>>(&undo);
  if (table == nullptr) {
    apply(std::get<Change>(undo));
    return;
  }
  memory_bytes_ += (*table)->memory_bytes();
  tables_[(*table)->info().name] = std::move(*table);
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

std::vector<Tables::Undo> Transaction::keep() {
  changes_.clear();
  return std::exchange(undos_, {});
}

}  // namespace millrace::leases::dynamodb
