#include "leases/dynamodb/table.h"

#include <array>
#include <utility>

#include "base/assert.h"

namespace millrace::leases::dynamodb {
namespace {

constexpr std::array<std::string_view, 4> kStatusNames = {"CREATING", "ACTIVE", "UPDATING", "DELETING"};

// Of memory, about, for a row's key and its place.
std::uint64_t row_bytes(const RowKey& key) {
  constexpr std::uint64_t kPlaceBytes = 256;
  return kPlaceBytes + key.hash.size() + key.range.size() + key.table_hash.size() + key.table_range.size();
}

std::uint64_t memory_bytes_of(const TableInfo& info) {
  constexpr std::uint64_t kTextBytes = 96;  // of memory, about, for a string and its place
  std::uint64_t bytes = sizeof(Table) + kTextBytes + info.name.size();
  for (const auto& [name, type] : info.key_types) bytes += kTextBytes + name.size();
  for (const auto& [key, value] : info.tags) bytes += 2 * kTextBytes + key.size() + value.size();
  for (const IndexInfo& index : info.indexes) {
    bytes += sizeof(IndexInfo) + sizeof(Table::Rows) + 2 * (kTextBytes + index.name.size());
    for (const std::string& name : index.included) bytes += kTextBytes + name.size();
  }
  return bytes;
}

}  // namespace

std::string_view status_name(Status status) { return kStatusNames[static_cast<std::size_t>(status)]; }

std::optional<Status> status_of(std::string_view name) {
  for (std::size_t i = 0; i < kStatusNames.size(); ++i)
    if (kStatusNames[i] == name) return static_cast<Status>(i);
  return std::nullopt;
}

std::uint64_t token_of(std::string_view hash_key) {
  std::uint64_t token = 0xcbf2'9ce4'8422'2325;  // FNV-1a
  for (const char c : hash_key) token = (token ^ static_cast<unsigned char>(c)) * 0x100'0000'01b3;
  token ^= token >> 33;  // MurmurHash3's last mix, so that the high bits differ too
  token *= 0xff51'afd7'ed55'8ccd;
  token ^= token >> 33;
  token *= 0xc4ce'b9fe'1a85'ec53;
  return token ^ (token >> 33);
}

Table::Table(TableInfo info) { set_info(std::move(info)); }

void Table::set_info(TableInfo info) {
  info_ = std::move(info);
  std::map<std::string, Rows, std::less<>> kept;
  for (const IndexInfo& index : info_.indexes) {
    if (const auto old = index_rows_.find(index.name); old != index_rows_.end()) {
      kept.insert(index_rows_.extract(old));
      continue;
    }
    Rows& filled = kept[index.name];
    for (const auto& [key, item] : rows_)
      if (auto at = index_row_key(index.key, *item)) {
        memory_bytes_ += row_bytes(*at);
        filled.emplace(std::move(*at), item);
      }
  }
  for (const auto& [name, gone] : index_rows_)  // what was kept was taken out of it
    for (const auto& [key, item] : gone) memory_bytes_ -= row_bytes(key);
  index_rows_ = std::move(kept);
  info_memory_bytes_ = memory_bytes_of(info_);
}

const IndexInfo* Table::index(std::string_view name) const {
  for (const IndexInfo& index : info_.indexes)
    if (index.name == name) return &index;
  return nullptr;
}

const Table::Rows& Table::index_rows(std::string_view name) const {
  const auto found = index_rows_.find(name);
  MR_ASSERT(found != index_rows_.end());
  return found->second;
}

RowKey Table::row_key(const Attributes& item) const {
  RowKey key;
  const auto hash = item.find(info_.key.hash);
  MR_ASSERT(hash != item.end());
  key.hash = sort_key(hash->second);
  key.token = token_of(key.hash);
  if (info_.key.range.empty()) return key;
  const auto range = item.find(info_.key.range);
  MR_ASSERT(range != item.end());
  key.range = sort_key(range->second);
  return key;
}

std::optional<RowKey> Table::index_row_key(const KeySchema& index, const Attributes& item) const {
  const auto part = [&](const std::string& attribute, std::string* bytes) {
    const auto found = item.find(attribute);
    if (found == item.end() || found->second.type != info_.key_types.at(attribute)) return false;
    *bytes = sort_key(found->second);
    return true;
  };
  RowKey key;
  if (!part(index.hash, &key.hash)) return std::nullopt;
  if (!index.range.empty() && !part(index.range, &key.range)) return std::nullopt;
  key.token = token_of(key.hash);
  RowKey own = row_key(item);
  key.table_hash = std::move(own.hash);
  key.table_range = std::move(own.range);
  return key;
}

Item Table::find(const RowKey& key) const {
  const auto found = rows_.find(key);
  return found == rows_.end() ? nullptr : found->second;
}

void Table::account(const RowKey& row, const Item& item, bool added) {
  std::uint64_t memory = row_bytes(row) + dynamodb::memory_bytes(*item);
  for (const IndexInfo& index : info_.indexes) {
    auto key = index_row_key(index.key, *item);
    if (!key.has_value()) continue;
    memory += row_bytes(*key);
    if (added)
      index_rows_[index.name].emplace(std::move(*key), item);
    else
      index_rows_[index.name].erase(*key);
  }
  const std::uint64_t bytes = item_bytes(*item);
  bytes_ += added ? bytes : -bytes;
  memory_bytes_ += added ? memory : -memory;
}

void Table::tell_of_change(const RowKey& row) {
  if (then_ != nullptr) then_->before_change(row, find(row));
}

Item Table::put(Item item) {
  const RowKey key = row_key(*item);
  tell_of_change(key);
  Item old = erase(key);
  account(key, item, true);
  rows_.emplace(key, std::move(item));
  return old;
}

Item Table::erase(const RowKey& key) {
  const auto found = rows_.find(key);
  if (found == rows_.end()) return nullptr;
  tell_of_change(key);
  Item old = std::move(found->second);
  account(found->first, old, false);
  rows_.erase(found);
  return old;
}

}  // namespace millrace::leases::dynamodb
