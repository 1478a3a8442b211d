// BatchGetItem and BatchWriteItem.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "leases/dynamodb/attribute_json.h"
#include "leases/dynamodb/item_access.h"
#include "leases/dynamodb/item_write.h"
#include "leases/dynamodb/keys.h"
#include "leases/dynamodb/operations.h"
#include "leases/dynamodb/request_expressions.h"

namespace millrace::leases::dynamodb {
namespace {

constexpr std::size_t kGetsMax = 100;
constexpr std::size_t kWritesMax = 25;
constexpr std::size_t kAnswerBytesMax = 16 * 1'024 * 1'024;

// Both have "RequestItems": a map by table.
Outcome read_request_items(const Json& request, CapacityDetail* detail, const Json** items) {
  Complaints complaints;
  Parameters parameters(request, complaints);
  *detail = read_capacity_detail(parameters);
  parameters.require("RequestItems");
  *items = parameters.map("RequestItems");
  LEASES_TRY(complaints.refusal());
  if ((*items)->items.empty())
    return validation(
        "1 validation error detected: Value '{}' at 'requestItems' failed to satisfy constraint: Member must "
        "have "
        "length greater than or equal to 1");
  return std::nullopt;
}

std::string table_of(const std::string& name) {
  const std::size_t slash = name.starts_with("arn:") ? name.rfind('/') : std::string::npos;
  return slash == std::string::npos ? name : name.substr(slash + 1);
}

void write_capacities(const std::map<std::string, double>& units, CapacityDetail detail,
                      api::Writer& writer) {
  if (detail == CapacityDetail::kNone) return;
  writer.key("ConsumedCapacity");
  writer.begin_list();
  for (const auto& [table, amount] : units) write_capacity(table, "", amount, detail, writer);
  writer.end_list();
}

class BatchGetItem : public Command {
 public:
  struct Gets {
    std::string table;
    std::vector<Attributes> keys;
    std::vector<Path> paths;
    bool consistent = false;
    std::string options;  // as they came, for what is left over: members of JSON, each with a comma before it
  };

  Outcome run(Transaction& transaction, Bytes& reply) override {
    api::Writer writer(api::Encoding::kJson);
    std::map<std::string, double> units;
    std::vector<std::pair<const Gets*, std::size_t>> left_over;  // from which key on
    writer.begin_object();
    writer.key("Responses");
    writer.begin_object();
    for (const Gets& gets : all) {
      const Table* table = nullptr;
      LEASES_TRY(find_usable(transaction.tables(), gets.table, &table));
      LEASES_TRY(check_paths(gets.paths, table->info()));
      for (const Attributes& key : gets.keys) LEASES_TRY(check_key(key, table->info()));
      writer.key(gets.table);
      writer.begin_list();
      std::size_t next = 0;
      for (; next < gets.keys.size() && writer.bytes().size() < kAnswerBytesMax; ++next) {
        const Item item = table->find(table->row_key(gets.keys[next]));
        units[gets.table] += read_units(item == nullptr ? 0 : item_bytes(*item), gets.consistent);
        if (item != nullptr)
          write_attributes(gets.paths.empty() ? *item : project(gets.paths, *item), writer);
      }
      writer.end_list();
      if (next < gets.keys.size()) left_over.emplace_back(&gets, next);
    }
    writer.end_object();
    writer.key("UnprocessedKeys");
    writer.begin_object();
    for (const auto& [gets, next] : left_over) write_left_over(*gets, next, writer);
    writer.end_object();
    write_capacities(units, detail, writer);
    writer.end_object();
    reply = std::move(writer.bytes());
    return std::nullopt;
  }

  std::vector<Gets> all;
  CapacityDetail detail = CapacityDetail::kNone;

 private:
  static void write_left_over(const Gets& gets, std::size_t next, api::Writer& writer) {
    writer.key(gets.table);
    writer.begin_object();
    writer.key("Keys");
    writer.begin_list();
    for (std::size_t i = next; i < gets.keys.size(); ++i) write_attributes(gets.keys[i], writer);
    writer.end_list();
    writer.bytes().append(gets.options);
    writer.end_object();
  }
};

void write_json(const Json& json, api::Writer& writer) {
  switch (json.kind) {
    case Json::Kind::kBoolean:
      writer.boolean(json.boolean);
      return;
    case Json::Kind::kText:
      writer.text(json.text);
      return;
    case Json::Kind::kList:
      writer.begin_list();
      for (const Json& item : json.items) write_json(item, writer);
      writer.end_list();
      return;
    case Json::Kind::kMap:
      writer.begin_object();
      for (std::size_t i = 0; i < json.items.size(); ++i) {
        writer.key(json.names[i]);
        write_json(json.items[i], writer);
      }
      writer.end_object();
      return;
    default:  // none of the options is a number
      writer.text("");
      return;
  }
}

std::string options_of(const Json& structure) {
  std::string options;
  for (const std::string_view name :
       {"AttributesToGet", "ProjectionExpression", "ExpressionAttributeNames", "ConsistentRead"}) {
    const Json* found = structure.find(name);
    if (found == nullptr) continue;
    api::Writer writer(api::Encoding::kJson);
    writer.key(name);
    write_json(*found, writer);
    options += ',';
    options += writer.bytes().text();
  }
  return options;
}

Outcome read_gets(const std::string& name, const Json& structure, BatchGetItem::Gets* gets) {
  if (structure.kind != Json::Kind::kMap) return serialization("Unexpected value type in payload");
  Complaints complaints;
  Parameters parameters(structure, complaints, "requestItems." + name + ".member");
  gets->table = table_of(name);
  parameters.require("Keys");
  const Json* keys = parameters.list("Keys");
  gets->consistent = parameters.boolean("ConsistentRead").value_or(false);
  if (keys != nullptr && keys->items.empty())
    parameters.complain("Keys", "'[]'", "Member must have length greater than or equal to 1");
  LEASES_TRY(complaints.refusal());
  RequestExpressions expressions(structure);
  LEASES_TRY(expressions.begin({"ProjectionExpression"}, {"AttributesToGet"}));
  LEASES_TRY(read_attributes_to_get(structure, &gets->paths));
  LEASES_TRY(expressions.projection(&gets->paths));
  LEASES_TRY(expressions.end());
  gets->options = options_of(structure);
  if (keys->items.size() > kGetsMax) return validation("Too many items requested for the BatchGetItem call");
  for (const Json& key : keys->items) {
    Attributes read;
    LEASES_TRY(read_attributes(key, &read));
    if (std::find(gets->keys.begin(), gets->keys.end(), read) != gets->keys.end())
      return validation("Provided list of item keys contains duplicates");
    gets->keys.push_back(std::move(read));
  }
  return std::nullopt;
}

class BatchWriteItem : public Command {
 public:
  Outcome run(Transaction& transaction, Bytes& reply) override {
    std::map<std::string, double> units;
    std::set<std::pair<std::string, RowKey>> seen;
    for (const ItemWrite& write : writes) {
      const Table* table = nullptr;
      LEASES_TRY(find_usable(transaction.tables(), write.table, &table));
      const bool puts = write.kind == ItemWrite::Kind::kPut;
      LEASES_TRY(puts ? check_item(write.attributes, table->info())
                      : check_key(write.attributes, table->info()));
      if (!seen.emplace(write.table, table->row_key(write.attributes)).second)
        return validation("Provided list of item keys contains duplicates");
      Written written;
      LEASES_TRY(perform(write, transaction, &written));
      const Item& larger = written.after != nullptr ? written.after : written.before;
      units[write.table] += write_units(larger == nullptr ? 0 : item_bytes(*larger));
    }
    api::Writer writer(api::Encoding::kJson);
    writer.begin_object();
    writer.key("UnprocessedItems");
    writer.begin_object();
    writer.end_object();
    write_capacities(units, detail, writer);
    writer.end_object();
    reply = std::move(writer.bytes());
    return std::nullopt;
  }

  std::vector<ItemWrite> writes;
  CapacityDetail detail = CapacityDetail::kNone;
};

Outcome read_one_write(const std::string& table, const Json& structure, std::vector<ItemWrite>* writes) {
  if (structure.kind != Json::Kind::kMap) return serialization("Unexpected value type in payload");
  const Json* put = structure.find("PutRequest");
  const Json* erase = structure.find("DeleteRequest");
  if ((put == nullptr) == (erase == nullptr))
    return validation(
        "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported "
        "datatypes");
  Complaints complaints;
  Parameters parameters(
      put != nullptr ? *put : *erase, complaints,
      "requestItems." + table + ".member." + (put != nullptr ? "putRequest" : "deleteRequest"));
  if ((put != nullptr ? put : erase)->kind != Json::Kind::kMap)
    return serialization("Unexpected value type in payload");
  const std::string_view member = put != nullptr ? "Item" : "Key";
  parameters.require(member);
  const Json* attributes = parameters.map(member);
  LEASES_TRY(complaints.refusal());
  ItemWrite& write = writes->emplace_back();
  write.kind = put != nullptr ? ItemWrite::Kind::kPut : ItemWrite::Kind::kDelete;
  write.table = table;
  LEASES_TRY(read_attributes(*attributes, &write.attributes));
  if (put != nullptr && item_bytes(write.attributes) > kItemBytesMax)
    return validation("Item size has exceeded the maximum allowed size");
  return std::nullopt;
}

}  // namespace

Outcome read_batch_get_item(const Json& request, const Scope&, std::unique_ptr<Command>* command) {
  auto batch = std::make_unique<BatchGetItem>();
  const Json* items = nullptr;
  LEASES_TRY(read_request_items(request, &batch->detail, &items));
  std::size_t keys = 0;
  for (std::size_t i = 0; i < items->items.size(); ++i) {
    LEASES_TRY(read_gets(items->names[i], items->items[i], &batch->all.emplace_back()));
    keys += batch->all.back().keys.size();
    if (keys > kGetsMax) return validation("Too many items requested for the BatchGetItem call");
  }
  for (const BatchGetItem::Gets& gets : batch->all) {
    ItemAccess access{.action = "dynamodb:BatchGetItem",
                      .table = gets.table,
                      .detail = batch->detail,
                      .select = selected(gets.paths)};
    for (const Attributes& key : gets.keys) {
      access.items.push_back(&key);
      add_names(key, &access.names);
    }
    add_names(gets.paths, &access.names);
    batch->accesses.push_back(access_of(std::move(access)));
  }
  *command = std::move(batch);
  return std::nullopt;
}

Outcome read_batch_write_item(const Json& request, const Scope&, std::unique_ptr<Command>* command) {
  auto batch = std::make_unique<BatchWriteItem>();
  const Json* items = nullptr;
  LEASES_TRY(read_request_items(request, &batch->detail, &items));
  for (std::size_t i = 0; i < items->items.size(); ++i) {
    const Json& writes = items->items[i];
    if (writes.kind != Json::Kind::kList) return serialization("Unexpected field type");
    if (writes.items.empty())
      return validation(
          "1 validation error detected: Value at 'requestItems' failed to satisfy constraint: Map value must "
          "satisfy "
          "constraint: [Member must have length less than or equal to 25, Member must have length greater "
          "than or "
          "equal to 1]");
    const std::string table = table_of(items->names[i]);
    for (const Json& write : writes.items) {
      if (batch->writes.size() == kWritesMax)
        return validation("Too many items requested for the BatchWriteItem call");
      LEASES_TRY(read_one_write(table, write, &batch->writes));
    }
  }
  std::map<std::string_view, ItemAccess> accesses;  // by table
  for (const ItemWrite& write : batch->writes) {
    ItemAccess& access = accesses
                             .try_emplace(write.table, ItemAccess{.action = "dynamodb:BatchWriteItem",
                                                                  .table = write.table,
                                                                  .detail = batch->detail})
                             .first->second;
    access.items.push_back(&write.attributes);
    add_names(write, &access.names);
  }
  for (auto& [table, access] : accesses) batch->accesses.push_back(access_of(std::move(access)));
  *command = std::move(batch);
  return std::nullopt;
}

}  // namespace millrace::leases::dynamodb
