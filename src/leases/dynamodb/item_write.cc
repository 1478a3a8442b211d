#include "leases/dynamodb/item_write.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "leases/dynamodb/attribute_json.h"
#include "leases/dynamodb/keys.h"
#include "leases/dynamodb/request_expressions.h"

namespace millrace::leases::dynamodb {
namespace {

Outcome read_expressions(ItemWrite::Kind kind, const Json& structure, ItemWrite* write) {
  RequestExpressions expressions(structure);
  if (kind == ItemWrite::Kind::kUpdate)
    LEASES_TRY(expressions.begin({"UpdateExpression", "ConditionExpression"},
                                 {"AttributeUpdates", "Expected", "ConditionalOperator"}));
  else
    LEASES_TRY(expressions.begin({"ConditionExpression"}, {"Expected", "ConditionalOperator"}));
  if (kind == ItemWrite::Kind::kUpdate) LEASES_TRY(expressions.update(&write->update));
  LEASES_TRY(expressions.condition("ConditionExpression", &write->condition));
  return expressions.end();
}

Outcome read_legacy(ItemWrite::Kind kind, Parameters& parameters, const Json& structure, ItemWrite* write) {
  const auto joined = parameters.text_of("ConditionalOperator", {"OR", "AND"});
  LEASES_TRY(parameters.complaints().refusal());
  const Json* expected = structure.find("Expected");
  if (joined.has_value() && expected == nullptr)
    return validation("ConditionalOperator cannot be used without Filter or Expected");
  if (joined.has_value() && expected->items.size() == 1)
    return validation(
        "ConditionalOperator can only be used when Filter or Expected has two or more elements");
  if (kind == ItemWrite::Kind::kUpdate)
    LEASES_TRY(read_attribute_updates(structure, &write->attribute_updates));
  return read_expected(structure, joined == "OR", &write->condition);
}

// No update touches a key attribute.
Outcome check_update(const ItemWrite& write, const TableInfo& table) {
  const auto is_key = [&table](std::string_view name) {
    return name == table.key.hash || (!name.empty() && name == table.key.range);
  };
  const auto refuse = [](std::string_view name) {
    return validation(
        fmt::format("One or more parameter values were invalid: Cannot update attribute {}. This "
                    "attribute is part of the key",
                    name));
  };
  for (const AttributeUpdate& update : write.attribute_updates)
    if (is_key(update.name)) return refuse(update.name);
  if (!write.update.has_value()) return std::nullopt;
  std::vector<Path> paths;
  for (const UpdateAction& action : *write.update) {
    if (is_key(action.path.front().name)) return refuse(action.path.front().name);
    paths.push_back(action.path);
    for_each_path(action.value, [&paths](const Path& path) { paths.push_back(path); });
  }
  return check_paths(paths, table);
}

Outcome updated(const ItemWrite& write, const Table& table, const Item& before, Item* after) {
  LEASES_TRY(check_update(write, table.info()));
  auto item = std::make_shared<Attributes>(before == nullptr ? write.attributes : *before);
  if (write.update.has_value()) LEASES_TRY(apply(*write.update, *item));
  LEASES_TRY(apply(write.attribute_updates, *item));
  LEASES_TRY(check_index_keys(*item, table.info()));
  if (item_bytes(*item) > kItemBytesMax)
    return validation("Item size to update has exceeded the maximum allowed size");
  *after = std::move(item);
  return std::nullopt;
}

// How deep a value goes, counting itself.
std::size_t depth_of(const AttributeValue& value) {
  std::size_t deepest = 0;
  if (value.is(AttributeType::kMap))
    for (const auto& [name, inner] : value.map()) deepest = std::max(deepest, depth_of(inner));
  if (value.is(AttributeType::kList))
    for (const AttributeValue& inner : value.list()) deepest = std::max(deepest, depth_of(inner));
  return deepest + 1;
}

Outcome check_depth(const Attributes& item) {
  for (const auto& [name, value] : item)
    if (depth_of(value) > kAttributeDepthMax)
      return validation(
          "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond "
          "supported "
          "limit");
  return std::nullopt;
}

}  // namespace

Outcome read_item_write(ItemWrite::Kind kind, Parameters& parameters, const Json& structure,
                        ItemWrite* write) {
  const bool puts = kind == ItemWrite::Kind::kPut;
  const std::string_view member = puts ? "Item" : "Key";
  write->kind = kind;
  write->table = parameters.table_name();
  parameters.require(member);
  const Json* attributes = parameters.map(member);
  if (kind == ItemWrite::Kind::kCheck) parameters.require("ConditionExpression");
  const auto shown = parameters.text_of("ReturnValuesOnConditionCheckFailure", {"ALL_OLD", "NONE"});
  write->shows_old_on_failure = shown == "ALL_OLD";
  LEASES_TRY(parameters.complaints().refusal());
  LEASES_TRY(read_expressions(kind, structure, write));
  LEASES_TRY(read_attributes(*attributes, &write->attributes));
  if (puts && item_bytes(write->attributes) > kItemBytesMax)
    return validation("Item size has exceeded the maximum allowed size");
  return read_legacy(kind, parameters, structure, write);
}

Outcome perform(const ItemWrite& write, Transaction& transaction, Written* written) {
  const Table* table = nullptr;
  LEASES_TRY(find_usable(transaction.tables(), write.table, &table));
  LEASES_TRY(write.kind == ItemWrite::Kind::kPut ? check_item(write.attributes, table->info())
                                                 : check_key(write.attributes, table->info()));
  if (write.condition.has_value()) LEASES_TRY(check_paths_of(*write.condition, table->info()));
  written->before = table->find(table->row_key(write.attributes));
  static const Attributes kNothing;
  if (write.condition.has_value() &&
      !holds(*write.condition, written->before == nullptr ? kNothing : *written->before)) {
    Refusal failed = condition_failed();
    if (write.shows_old_on_failure && written->before != nullptr) failed.more = item_member(*written->before);
    return failed;
  }
  switch (write.kind) {
    case ItemWrite::Kind::kPut:
      written->after = std::make_shared<const Attributes>(write.attributes);
      break;
    case ItemWrite::Kind::kUpdate:
      LEASES_TRY(updated(write, *table, written->before, &written->after));
      LEASES_TRY(check_depth(*written->after));
      break;
    case ItemWrite::Kind::kDelete:
      if (written->before != nullptr) transaction.make(ItemDeleted{write.table, write.attributes});
      return std::nullopt;
    case ItemWrite::Kind::kCheck:
      written->after = written->before;
      return std::nullopt;
  }
  transaction.make(ItemPut{write.table, written->after});
  return std::nullopt;
}

std::string item_member(const Attributes& item) {
  api::Writer writer(api::Encoding::kJson);
  writer.key("Item");
  write_attributes(item, writer);
  return std::string(writer.bytes().text());
}

}  // namespace millrace::leases::dynamodb
