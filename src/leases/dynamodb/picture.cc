#include "leases/dynamodb/picture.h"

#include <utility>
#include <vector>

#include "leases/dynamodb/change_codec.h"

namespace millrace::leases::dynamodb {
namespace {

// Of one step of the loop.
constexpr std::size_t kRowsMax = 256;
constexpr std::size_t kBytesMax = std::size_t{256} << 10;

}  // namespace

Picture::Picture(const Tables& tables) {
  for (const auto& [name, table] : tables.by_name())
    tables_.push_back({table->info(), std::make_unique<RowsThen>(table)});
}

Picture::~Picture() = default;

Function<std::string()> Picture::next() {
  while (!tables_.empty()) {
    TableThen& table = tables_.front();
    if (!std::exchange(table.begun, true))
      return [info = table.info]() mutable { return encode({TableSet{std::move(info)}}); };
    std::vector<Item> items = table.rows->next(kRowsMax, kBytesMax);
    if (!items.empty())
      return [name = table.info.name, items = std::move(items)] { return encode_items(name, items); };
    tables_.pop_front();
  }
  return {};
}

std::uint64_t Picture::bytes() const {
  std::uint64_t bytes = 0;
  for (const TableThen& table : tables_) bytes += table.rows->bytes();
  return bytes;
}

}  // namespace millrace::leases::dynamodb
