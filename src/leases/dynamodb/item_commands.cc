// GetItem, PutItem, UpdateItem and DeleteItem.
#include <algorithm>
#include <utility>

#include "leases/dynamodb/attribute_json.h"
#include "leases/dynamodb/item_access.h"
#include "leases/dynamodb/item_write.h"
#include "leases/dynamodb/keys.h"
#include "leases/dynamodb/operations.h"
#include "leases/dynamodb/request_expressions.h"

namespace millrace::leases::dynamodb {
namespace {

class GetItem : public Command {
 public:
  Outcome run(Transaction& transaction, Bytes& reply) override {
    const Table* found = nullptr;
    LEASES_TRY(find_usable(transaction.tables(), table, &found));
    LEASES_TRY(check_key(key, found->info()));
    LEASES_TRY(check_paths(paths, found->info()));
    const Item item = found->find(found->row_key(key));
    api::Writer writer(api::Encoding::kJson);
    writer.begin_object();
    if (item != nullptr) write_member("Item", paths.empty() ? *item : project(paths, *item), writer);
    if (detail != CapacityDetail::kNone) {
      writer.key("ConsumedCapacity");
      write_capacity(table, "", read_units(item == nullptr ? 0 : item_bytes(*item), consistent), detail,
                     writer);
    }
    writer.end_object();
    reply = std::move(writer.bytes());
    return std::nullopt;
  }

  std::string table;
  Attributes key;
  std::vector<Path> paths;
  bool consistent = false;
  CapacityDetail detail = CapacityDetail::kNone;
};

enum class ReturnValues : std::uint8_t { kNone, kAllOld, kUpdatedOld, kAllNew, kUpdatedNew };

class WriteItem : public Command {
 public:
  Outcome run(Transaction& transaction, Bytes& reply) override {
    Written written;
    LEASES_TRY(perform(write, transaction, &written));
    api::Writer writer(api::Encoding::kJson);
    writer.begin_object();
    write_values(written, writer);
    if (detail != CapacityDetail::kNone) {
      writer.key("ConsumedCapacity");
      write_capacity(write.table, "",
                     write_units(std::max(bytes_of(written.before), bytes_of(written.after))), detail,
                     writer);
    }
    writer.end_object();
    reply = std::move(writer.bytes());
    return std::nullopt;
  }

  ItemWrite write;
  ReturnValues values = ReturnValues::kNone;
  CapacityDetail detail = CapacityDetail::kNone;

 private:
  static std::size_t bytes_of(const Item& item) { return item == nullptr ? 0 : item_bytes(*item); }

  void write_values(const Written& written, api::Writer& writer) const {
    if (values == ReturnValues::kNone) return;
    const bool old = values == ReturnValues::kAllOld || values == ReturnValues::kUpdatedOld;
    const Item& shown = old ? written.before : written.after;
    if (shown == nullptr) return;
    if (values == ReturnValues::kAllOld || values == ReturnValues::kAllNew) {
      write_member("Attributes", *shown, writer);
      return;
    }
    std::vector<Path> paths;
    if (write.update.has_value())
      for (const UpdateAction& action : *write.update) paths.push_back(action.path);
    for (const AttributeUpdate& update : write.attribute_updates)
      paths.push_back({PathStep{.name = update.name}});
    const Attributes updated = project(paths, *shown);
    if (!updated.empty()) write_member("Attributes", updated, writer);
  }
};

Outcome read_write(ItemWrite::Kind kind, std::string_view action, const Json& request,
                   std::unique_ptr<Command>* command) {
  Complaints complaints;
  Parameters parameters(request, complaints);
  auto write = std::make_unique<WriteItem>();
  write->detail = read_capacity_detail(parameters);
  const auto values =
      parameters.text_of("ReturnValues", {"ALL_NEW", "UPDATED_OLD", "ALL_OLD", "NONE", "UPDATED_NEW"});
  parameters.text_of("ReturnItemCollectionMetrics", {"SIZE", "NONE"});
  LEASES_TRY(read_item_write(kind, parameters, request, &write->write));
  if (values == "ALL_OLD") write->values = ReturnValues::kAllOld;
  if (values == "ALL_NEW") write->values = ReturnValues::kAllNew;
  if (values == "UPDATED_OLD") write->values = ReturnValues::kUpdatedOld;
  if (values == "UPDATED_NEW") write->values = ReturnValues::kUpdatedNew;
  if (kind != ItemWrite::Kind::kUpdate && write->values != ReturnValues::kNone &&
      write->values != ReturnValues::kAllOld)
    return validation("ReturnValues can only be ALL_OLD or NONE");
  ItemAccess access{.action = action,
                    .table = write->write.table,
                    .items = {&write->write.attributes},
                    .detail = write->detail,
                    .return_values = returned(write->write, values.value_or("NONE"))};
  add_names(write->write, &access.names);
  write->accesses.push_back(access_of(std::move(access)));
  *command = std::move(write);
  return std::nullopt;
}

}  // namespace

Outcome read_get_item(const Json& request, const Scope&, std::unique_ptr<Command>* command) {
  Complaints complaints;
  Parameters parameters(request, complaints);
  auto get = std::make_unique<GetItem>();
  get->detail = read_capacity_detail(parameters);
  get->table = parameters.table_name();
  parameters.require("Key");
  const Json* key = parameters.map("Key");
  get->consistent = parameters.boolean("ConsistentRead").value_or(false);
  LEASES_TRY(complaints.refusal());
  RequestExpressions expressions(request);
  LEASES_TRY(expressions.begin({"ProjectionExpression"}, {"AttributesToGet"}));
  LEASES_TRY(read_attributes(*key, &get->key));
  LEASES_TRY(read_attributes_to_get(request, &get->paths));
  LEASES_TRY(expressions.projection(&get->paths));
  LEASES_TRY(expressions.end());
  ItemAccess access{.action = "dynamodb:GetItem",
                    .table = get->table,
                    .items = {&get->key},
                    .detail = get->detail,
                    .select = selected(get->paths)};
  add_names(get->key, &access.names);
  add_names(get->paths, &access.names);
  get->accesses.push_back(access_of(std::move(access)));
  *command = std::move(get);
  return std::nullopt;
}

Outcome read_put_item(const Json& request, const Scope&, std::unique_ptr<Command>* command) {
  return read_write(ItemWrite::Kind::kPut, "dynamodb:PutItem", request, command);
}

Outcome read_update_item(const Json& request, const Scope&, std::unique_ptr<Command>* command) {
  return read_write(ItemWrite::Kind::kUpdate, "dynamodb:UpdateItem", request, command);
}

Outcome read_delete_item(const Json& request, const Scope&, std::unique_ptr<Command>* command) {
  return read_write(ItemWrite::Kind::kDelete, "dynamodb:DeleteItem", request, command);
}

}  // namespace millrace::leases::dynamodb
