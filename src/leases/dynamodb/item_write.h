// leases/dynamodb/item_write.h: one put, update, delete or check of an item: alone, in a batch or in a
// transaction.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "leases/dynamodb/attribute.h"
#include "leases/dynamodb/expression.h"
#include "leases/dynamodb/legacy.h"
#include "leases/dynamodb/parameters.h"
#include "leases/dynamodb/refusal.h"
#include "leases/dynamodb/tables.h"

namespace millrace::leases::dynamodb {

struct ItemWrite {
  enum class Kind : std::uint8_t { kPut, kUpdate, kDelete, kCheck };
  Kind kind = Kind::kPut;
  std::string table = {};
  Attributes attributes = {};  // the item of a kPut, else its key
  std::optional<Condition> condition = std::nullopt;
  std::optional<Update> update = std::nullopt;
  std::vector<AttributeUpdate> attribute_updates = {};
  bool shows_old_on_failure = false;
};

// Reads table, key or item, condition and update of a structure that describes such a write.
Outcome read_item_write(ItemWrite::Kind kind, Parameters& parameters, const Json& structure,
                        ItemWrite* write);

struct Written {
  Item before;  // nullptr: there was none
  Item after;
};
// Does it. A failed condition is a refusal, with the item where that was wanted.
Outcome perform(const ItemWrite& write, Transaction& transaction, Written* written);

// "\"Item\":{…}"
std::string item_member(const Attributes& item);

}  // namespace millrace::leases::dynamodb
