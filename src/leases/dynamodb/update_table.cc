// UpdateTable: billing, capacity, indexes that come and go, and protection.
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "leases/dynamodb/operations.h"
#include "leases/dynamodb/table_description.h"
#include "leases/dynamodb/table_schema.h"

namespace millrace::leases::dynamodb {
namespace {

class UpdateTable : public Command {
 public:
  explicit UpdateTable(const Clock& time) : clock(time) {}

  Outcome run(Transaction& transaction, Bytes& reply) override {
    const Table* found = transaction.tables().find(table);
    if (found == nullptr) return table_not_found(table);
    TableInfo info = found->info();
    if (info.status != Status::kActive)
      return of_service(
          "ResourceInUseException",
          fmt::format("Attempt to change a resource which is still in use: Table is being {}: {}",
                      info.status == Status::kCreating   ? "created"
                      : info.status == Status::kDeleting ? "deleted"
                                                         : "updated",
                      table));
    if (protect.has_value()) info.deletion_protected = *protect;
    LEASES_TRY(bill(info));
    LEASES_TRY(change_indexes(info));
    LEASES_TRY(check_schema(info));
    transaction.make(TableSet{std::move(info)});
    api::Writer writer(api::Encoding::kJson);
    writer.begin_object();
    writer.key("TableDescription");
    write_description(*transaction.tables().find(table), arn, writer);
    writer.end_object();
    reply = std::move(writer.bytes());
    return std::nullopt;
  }

  const Clock& clock;
  std::string table;
  std::string arn;
  KeyTypes key_types;
  std::optional<bool> on_demand;
  std::optional<Throughput> throughput;
  std::optional<bool> protect;
  std::optional<IndexInfo> created;
  std::string deleted;  // an index
  std::vector<std::pair<std::string, Throughput>> index_throughput;

 private:
  Outcome bill(TableInfo& info) const {
    const bool will_be_on_demand = on_demand.value_or(info.on_demand);
    if (throughput.has_value() && will_be_on_demand)
      return invalid_value(
          "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is "
          "PAY_PER_REQUEST");
    if (on_demand == false && !throughput.has_value())
      return invalid_value("ProvisionedThroughput must be specified when BillingMode is PROVISIONED");
    if (throughput.has_value() && throughput == info.throughput && !on_demand.has_value())
      return validation(fmt::format(
          "The provisioned throughput for the table will not change. The requested value equals the current "
          "value. Current ReadCapacityUnits provisioned for the table: {0}. Requested ReadCapacityUnits: "
          "{0}. "
          "Current WriteCapacityUnits provisioned for the table: {1}. Requested WriteCapacityUnits: {1}. "
          "Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits.",
          throughput->read_units, throughput->write_units));
    if (will_be_on_demand && !info.on_demand) {
      info.on_demand_since_ms = clock.wall_ms();
      info.throughput = {};
      for (IndexInfo& index : info.indexes) index.throughput = {};
    }
    info.on_demand = will_be_on_demand;
    if (throughput.has_value()) info.throughput = *throughput;
    return std::nullopt;
  }

  Outcome change_indexes(TableInfo& info) const {
    const auto find = [&info](std::string_view name) {
      return std::find_if(info.indexes.begin(), info.indexes.end(),
                          [name](const IndexInfo& index) { return index.name == name; });
    };
    const auto missing = [](std::string_view name) {
      return of_service(
          "ResourceNotFoundException",
          fmt::format("Requested resource not found: No global secondary index with the name: {}", name));
    };
    if (created.has_value()) {
      if (find(created->name) != info.indexes.end())
        return validation(
            fmt::format("Attempting to create an index which already exists: {}", created->name));
      for (const auto& [name, type] : key_types) {
        const auto there = info.key_types.find(name);
        if (there != info.key_types.end() && there->second != type)
          return invalid_value(fmt::format("Attribute {} has another type already", name));
        if (name == created->key.hash || name == created->key.range)
          info.key_types.insert_or_assign(name, type);
      }
      info.indexes.push_back(*created);
    }
    for (const auto& [name, units] : index_throughput) {
      const auto index = find(name);
      if (index == info.indexes.end()) return missing(name);
      index->throughput = units;
    }
    if (!deleted.empty()) {
      const auto index = find(deleted);
      if (index == info.indexes.end()) return missing(deleted);
      info.indexes.erase(index);
      drop_unused_types(info);
    }
    return std::nullopt;
  }

  static void drop_unused_types(TableInfo& info) {
    std::set<std::string> used = {info.key.hash, info.key.range};
    for (const IndexInfo& index : info.indexes) used.insert({index.key.hash, index.key.range});
    std::erase_if(info.key_types, [&used](const auto& type) { return !used.contains(type.first); });
  }
};

Outcome read_index_update(const Json& structure, std::size_t position, UpdateTable* update) {
  if (structure.kind != Json::Kind::kMap) return serialization("Unexpected value type in payload");
  const std::string path = fmt::format("globalSecondaryIndexUpdates.{}.member", position + 1);
  Complaints complaints;
  Parameters parameters(structure, complaints, path);
  const Json* create = parameters.structure("Create");
  const Json* change = parameters.structure("Update");
  const Json* remove = parameters.structure("Delete");
  LEASES_TRY(complaints.refusal());
  if (create == nullptr && change == nullptr && remove == nullptr)
    return invalid_value(
        "One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, "
        "GlobalSecondaryIndexUpdate.Delete "
        "must not be null");
  if ((create != nullptr || remove != nullptr) && (update->created.has_value() || !update->deleted.empty()))
    return of_service(
        "LimitExceededException",
        "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per "
        "table");
  if (create != nullptr) return read_index(*create, path + ".create", &update->created.emplace());
  const Json& named = remove != nullptr ? *remove : *change;
  Parameters read(named, complaints, path + (remove != nullptr ? ".delete" : ".update"));
  read.require("IndexName");
  std::string name = read.name("IndexName").value_or("");
  LEASES_TRY(complaints.refusal());
  if (remove != nullptr) {
    update->deleted = std::move(name);
    return std::nullopt;
  }
  std::optional<Throughput> throughput;
  LEASES_TRY(read_throughput(named, path + ".update", &throughput));
  if (!throughput.has_value())
    return invalid_value(fmt::format("ProvisionedThroughput must be specified for index: {}", name));
  update->index_throughput.emplace_back(std::move(name), *throughput);
  return std::nullopt;
}

}  // namespace

Outcome read_update_table(const Json& request, const Scope& scope, std::unique_ptr<Command>* command) {
  LEASES_TRY(
      refuse_members(request, {"StreamSpecification", "SSESpecification", "ReplicaUpdates", "TableClass",
                               "OnDemandThroughput", "MultiRegionConsistency", "WarmThroughput"}));
  Complaints complaints;
  Parameters parameters(request, complaints);
  auto update = std::make_unique<UpdateTable>(scope.clock);
  update->table = parameters.table_name();
  const auto mode = parameters.text_of("BillingMode", {"PROVISIONED", "PAY_PER_REQUEST"});
  update->protect = parameters.boolean("DeletionProtectionEnabled");
  const Json* indexes = parameters.list("GlobalSecondaryIndexUpdates");
  LEASES_TRY(complaints.refusal());
  if (mode.has_value()) update->on_demand = mode == "PAY_PER_REQUEST";
  LEASES_TRY(read_throughput(request, "", &update->throughput));
  LEASES_TRY(read_key_types(parameters, &update->key_types));
  const bool no_index = indexes == nullptr || indexes->items.empty();
  if (no_index && !mode.has_value() && !update->throughput.has_value() && !update->protect.has_value())
    return validation(
        "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, "
        "GlobalSecondaryIndexUpdates or "
        "SSESpecification or ReplicaUpdates is required");
  if (!no_index) {
    for (std::size_t i = 0; i < indexes->items.size(); ++i)
      LEASES_TRY(read_index_update(indexes->items[i], i, update.get()));
  }
  update->arn = table_arn(scope.region, scope.account, update->table);
  update->accesses.push_back({.action = "dynamodb:UpdateTable", .resource = "table/" + update->table});
  *command = std::move(update);
  return std::nullopt;
}

}  // namespace millrace::leases::dynamodb
