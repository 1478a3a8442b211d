// TransactWriteItems and TransactGetItems.
#include <fmt/format.h>

#include <array>
#include <deque>
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

constexpr std::size_t kActionsMax = 100;

struct ActionRule {
  std::string_view member;
  ItemWrite::Kind kind;
  std::string_view action;
};
constexpr std::array<ActionRule, 4> kActions = {{
    {"ConditionCheck", ItemWrite::Kind::kCheck, "dynamodb:ConditionCheckItem"},
    {"Put", ItemWrite::Kind::kPut, "dynamodb:PutItem"},
    {"Delete", ItemWrite::Kind::kDelete, "dynamodb:DeleteItem"},
    {"Update", ItemWrite::Kind::kUpdate, "dynamodb:UpdateItem"},
}};

std::string_view action_of(ItemWrite::Kind kind) {
  for (const ActionRule& rule : kActions)
    if (rule.kind == kind) return rule.action;
  MR_ASSERT(false);
  __builtin_unreachable();
}

std::string_view short_type(const Refusal& refusal) {
  const std::string_view type = refusal.type;
  return type.substr(type.find('#') + 1);
}

// One of CancellationReasons.
struct Reason {
  std::string code = "None";
  std::string message = {};
  std::string item = {};  // "\"Item\":{…}"
};

Reason reason_of(const Refusal& refusal) {
  if (short_type(refusal) == "ConditionalCheckFailedException")
    return {"ConditionalCheckFailed", refusal.message, refusal.more};
  return {"ValidationError", refusal.message};
}

Refusal cancelled(const std::vector<Reason>& reasons) {
  std::vector<std::string_view> codes;
  api::Writer writer(api::Encoding::kJson);
  writer.key("CancellationReasons");
  writer.begin_list();
  for (const Reason& reason : reasons) {
    codes.push_back(reason.code);
    writer.begin_object();
    writer.member("Code", reason.code);
    if (!reason.message.empty()) writer.member("Message", reason.message);
    if (!reason.item.empty()) writer.bytes().append("," + reason.item);
    writer.end_object();
  }
  writer.end_list();
  Refusal refusal = of_service(
      "TransactionCanceledException",
      fmt::format("Transaction cancelled, please refer cancellation reasons for specific reasons [{}]",
                  fmt::join(codes, ", ")));
  refusal.message_key = "Message";
  refusal.more = std::string(writer.bytes().text());
  return refusal;
}

Outcome read_actions(const Json& request, std::string_view operation, const Json** actions) {
  Complaints complaints;
  Parameters parameters(request, complaints);
  parameters.require("TransactItems");
  *actions = parameters.list("TransactItems");
  if (*actions != nullptr && (*actions)->items.empty())
    parameters.complain("TransactItems", "'[]'", "Member must have length greater than or equal to 1");
  if (*actions != nullptr && (*actions)->items.size() > kActionsMax)
    parameters.complain("TransactItems", fmt::format("'[{} actions]'", (*actions)->items.size()),
                        "Member must have length less than or equal to 100");
  LEASES_TRY(complaints.refusal());
  for (const Json& action : (*actions)->items)
    if (action.kind != Json::Kind::kMap)
      return serialization(fmt::format("Unexpected value type in payload of {}", operation));
  return std::nullopt;
}

// Ends the reply with what was consumed, by table.
Outcome finish(const std::map<std::string, double>& units, CapacityDetail detail, api::Writer& writer,
               Bytes& reply) {
  if (detail != CapacityDetail::kNone) {
    writer.key("ConsumedCapacity");
    writer.begin_list();
    for (const auto& [table, amount] : units) write_capacity(table, "", amount, detail, writer);
    writer.end_list();
  }
  writer.end_object();
  reply = std::move(writer.bytes());
  return std::nullopt;
}

class TransactWriteItems : public Command {
 public:
  Outcome run(Transaction& transaction, Bytes& reply) override {
    std::set<std::pair<std::string, RowKey>> seen;
    for (const ItemWrite& write : writes) {
      const Table* table = nullptr;
      LEASES_TRY(find_usable(transaction.tables(), write.table, &table));
      const bool puts = write.kind == ItemWrite::Kind::kPut;
      LEASES_TRY(puts ? check_item(write.attributes, table->info())
                      : check_key(write.attributes, table->info()));
      if (!seen.emplace(write.table, table->row_key(write.attributes)).second)
        return validation("Transaction request cannot include multiple operations on one item");
    }
    std::vector<Reason> reasons(writes.size());
    std::map<std::string, double> units;
    bool done = true;
    for (std::size_t i = 0; i < writes.size(); ++i) {
      Written written;
      if (const auto refusal = perform(writes[i], transaction, &written); refusal.has_value()) {
        reasons[i] = reason_of(*refusal);
        done = false;
      }
      const Item& larger = written.after != nullptr ? written.after : written.before;
      units[writes[i].table] += 2 * write_units(larger == nullptr ? 0 : item_bytes(*larger));
    }
    if (!done) return cancelled(reasons);
    api::Writer writer(api::Encoding::kJson);
    writer.begin_object();
    return finish(units, detail, writer, reply);
  }

  std::vector<ItemWrite> writes;
  CapacityDetail detail = CapacityDetail::kNone;
};

Outcome read_action(const Json& structure, std::size_t position, TransactWriteItems* transact) {
  const ActionRule* found = nullptr;
  for (const ActionRule& rule : kActions) {
    if (structure.find(rule.member) == nullptr) continue;
    if (found != nullptr)
      return validation("TransactItems can only contain one of Check, Put, Update or Delete");
    found = &rule;
  }
  if (found == nullptr)
    return validation("Invalid Request: TransactWriteRequest should contain Delete or Put or Update request");
  const Json& action = *structure.find(found->member);
  if (action.kind != Json::Kind::kMap) return serialization("Unexpected value type in payload");
  for (const std::string_view legacy : {"Expected", "AttributeUpdates", "ConditionalOperator"})
    if (action.find(legacy) != nullptr)
      return validation(fmt::format("{} is not a parameter of TransactWriteItems", legacy));
  Complaints complaints;
  std::string path(found->member);
  path.front() = static_cast<char>(path.front() - 'A' + 'a');
  Parameters parameters(action, complaints, fmt::format("transactItems.{}.member.{}", position + 1, path));
  if (found->kind == ItemWrite::Kind::kUpdate) parameters.require("UpdateExpression");
  ItemWrite& write = transact->writes.emplace_back();
  return read_item_write(found->kind, parameters, action, &write);
}

class TransactGetItems : public Command {
 public:
  struct Get {
    std::string table;
    Attributes key;
    std::vector<Path> paths;
  };

  Outcome run(Transaction& transaction, Bytes& reply) override {
    api::Writer writer(api::Encoding::kJson);
    std::map<std::string, double> units;
    writer.begin_object();
    writer.key("Responses");
    writer.begin_list();
    for (const Get& get : gets) {
      const Table* table = nullptr;
      LEASES_TRY(find_usable(transaction.tables(), get.table, &table));
      LEASES_TRY(check_key(get.key, table->info()));
      LEASES_TRY(check_paths(get.paths, table->info()));
      const Item item = table->find(table->row_key(get.key));
      units[get.table] += 2 * read_units(item == nullptr ? 0 : item_bytes(*item), true);
      writer.begin_object();
      if (item != nullptr)
        write_member("Item", get.paths.empty() ? *item : project(get.paths, *item), writer);
      writer.end_object();
    }
    writer.end_list();
    return finish(units, detail, writer, reply);
  }

  std::vector<Get> gets;
  CapacityDetail detail = CapacityDetail::kNone;
};

Outcome read_get(const Json& structure, std::size_t position, TransactGetItems* transact) {
  const Json* action = structure.find("Get");
  if (action == nullptr)
    return validation(fmt::format(
        "1 validation error detected: Value null at 'transactItems.{}.member.get' failed to satisfy "
        "constraint: Member must not be null",
        position + 1));
  if (action->kind != Json::Kind::kMap) return serialization("Unexpected value type in payload");
  Complaints complaints;
  Parameters parameters(*action, complaints, fmt::format("transactItems.{}.member.get", position + 1));
  TransactGetItems::Get& get = transact->gets.emplace_back();
  get.table = parameters.table_name();
  parameters.require("Key");
  const Json* key = parameters.map("Key");
  LEASES_TRY(complaints.refusal());
  LEASES_TRY(read_attributes(*key, &get.key));
  RequestExpressions expressions(*action);
  LEASES_TRY(expressions.begin({"ProjectionExpression"}, {}));
  LEASES_TRY(expressions.projection(&get.paths));
  return expressions.end();
}

CapacityDetail detail_of(const Json& request, Complaints& complaints) {
  Parameters parameters(request, complaints);
  return read_capacity_detail(parameters);
}

}  // namespace

Outcome read_transact_write_items(const Json& request, const Scope&, std::unique_ptr<Command>* command) {
  auto transact = std::make_unique<TransactWriteItems>();
  Complaints complaints;
  transact->detail = detail_of(request, complaints);
  LEASES_TRY(complaints.refusal());
  const Json* actions = nullptr;
  LEASES_TRY(read_actions(request, "TransactWriteItems", &actions));
  for (std::size_t i = 0; i < actions->items.size(); ++i)
    LEASES_TRY(read_action(actions->items[i], i, transact.get()));
  for (const ItemWrite& write : transact->writes) {
    ItemAccess access{.action = action_of(write.kind),
                      .table = write.table,
                      .items = {&write.attributes},
                      .detail = transact->detail,
                      .return_values = returned(write, "NONE"),
                      .enclosing = "TransactWriteItems"};
    add_names(write, &access.names);
    transact->accesses.push_back(access_of(std::move(access)));
  }
  *command = std::move(transact);
  return std::nullopt;
}

Outcome read_transact_get_items(const Json& request, const Scope&, std::unique_ptr<Command>* command) {
  auto transact = std::make_unique<TransactGetItems>();
  Complaints complaints;
  transact->detail = detail_of(request, complaints);
  LEASES_TRY(complaints.refusal());
  const Json* actions = nullptr;
  LEASES_TRY(read_actions(request, "TransactGetItems", &actions));
  for (std::size_t i = 0; i < actions->items.size(); ++i)
    LEASES_TRY(read_get(actions->items[i], i, transact.get()));
  for (const TransactGetItems::Get& get : transact->gets) {
    ItemAccess access{.action = "dynamodb:GetItem",
                      .table = get.table,
                      .items = {&get.key},
                      .detail = transact->detail,
                      .select = selected(get.paths),
                      .enclosing = "TransactGetItems"};
    add_names(get.key, &access.names);
    add_names(get.paths, &access.names);
    transact->accesses.push_back(access_of(std::move(access)));
  }
  *command = std::move(transact);
  return std::nullopt;
}

}  // namespace millrace::leases::dynamodb
