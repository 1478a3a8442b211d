// CreateTable, DescribeTable, DeleteTable and ListTables.
#include <fmt/format.h>

#include <utility>

#include "leases/dynamodb/operations.h"
#include "leases/dynamodb/table_description.h"
#include "leases/dynamodb/table_schema.h"

namespace millrace::leases::dynamodb {
namespace {

constexpr std::size_t kTablesMax = 2'500;

// {"TableDescription": …}
Bytes described(std::string_view member, const Table& table, const std::string& arn) {
  api::Writer writer(api::Encoding::kJson);
  writer.begin_object();
  writer.key(member);
  write_description(table, arn, writer);
  writer.end_object();
  return std::move(writer.bytes());
}

class CreateTable : public Command {
 public:
  Outcome run(Transaction& transaction, Bytes& reply) override {
    if (transaction.tables().find(info.name) != nullptr)
      return of_service("ResourceInUseException", fmt::format("Table already exists: {}", info.name));
    if (transaction.tables().by_name().size() >= kTablesMax)
      return of_service(
          "LimitExceededException",
          fmt::format("Subscriber limit exceeded: There is a limit of {} tables per subscriber", kTablesMax));
    const std::string name = info.name;
    transaction.make(TableSet{info});
    reply = described("TableDescription", *transaction.tables().find(name), arn);
    return std::nullopt;
  }

  TableInfo info;
  std::string arn;
};

class DescribeTable : public Command {
 public:
  Outcome run(Transaction& transaction, Bytes& reply) override {
    const Table* found = transaction.tables().find(table);
    if (found == nullptr) return table_not_found(table);
    reply = described("Table", *found, arn);
    return std::nullopt;
  }

  std::string table;
  std::string arn;
};

class DeleteTable : public Command {
 public:
  Outcome run(Transaction& transaction, Bytes& reply) override {
    const Table* found = transaction.tables().find(table);
    if (found == nullptr) return table_not_found(table);
    TableInfo info = found->info();
    if (info.status == Status::kCreating || info.status == Status::kUpdating)
      return of_service(
          "ResourceInUseException",
          fmt::format("Attempt to change a resource which is still in use: Table is being {}: {}",
                      info.status == Status::kCreating ? "created" : "updated", table));
    if (info.deletion_protected)
      return validation(
          "Resource cannot be deleted as it is currently protected against deletion. Disable deletion "
          "protection first.");
    // It is gone at once; the answer shows it as clients expect to see it on its way out.
    info.status = Status::kDeleting;
    transaction.make(TableSet{std::move(info)});
    reply = described("TableDescription", *transaction.tables().find(table), arn);
    transaction.make(TableDropped{table});
    return std::nullopt;
  }

  std::string table;
  std::string arn;
};

class ListTables : public Command {
 public:
  Outcome run(Transaction& transaction, Bytes& reply) override {
    const auto& all = transaction.tables().by_name();
    api::Writer writer(api::Encoding::kJson);
    writer.begin_object();
    writer.key("TableNames");
    writer.begin_list();
    auto at = after.empty() ? all.begin() : all.upper_bound(after);
    std::string last;
    for (std::int64_t listed = 0; at != all.end() && listed < limit; ++at, ++listed) {
      writer.text(at->first);
      last = at->first;
    }
    writer.end_list();
    if (at != all.end()) writer.member("LastEvaluatedTableName", last);
    writer.end_object();
    reply = std::move(writer.bytes());
    return std::nullopt;
  }

  std::string after;
  std::int64_t limit = 100;
};

Outcome read_billing(Parameters& parameters, const Json& request, TableInfo* info) {
  const auto mode = parameters.text_of("BillingMode", {"PROVISIONED", "PAY_PER_REQUEST"});
  LEASES_TRY(parameters.complaints().refusal());
  std::optional<Throughput> throughput;
  LEASES_TRY(read_throughput(request, "", &throughput));
  info->on_demand = mode == "PAY_PER_REQUEST";
  if (info->on_demand && throughput.has_value())
    return invalid_value(
        "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is "
        "PAY_PER_REQUEST");
  if (!info->on_demand && !throughput.has_value())
    return invalid_value(
        "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED");
  info->throughput = throughput.value_or(Throughput{});
  info->on_demand_since_ms = info->created_ms;
  return std::nullopt;
}

template <typename TableCommand>
Outcome read_named(const Json& request, const Scope& scope, std::string_view action,
                   std::unique_ptr<Command>* command) {
  Complaints complaints;
  Parameters parameters(request, complaints);
  auto named = std::make_unique<TableCommand>();
  named->table = parameters.table_name();
  LEASES_TRY(complaints.refusal());
  named->arn = table_arn(scope.region, scope.account, named->table);
  named->accesses.push_back({.action = action, .resource = "table/" + named->table});
  *command = std::move(named);
  return std::nullopt;
}

}  // namespace

Outcome read_create_table(const Json& request, const Scope& scope, std::unique_ptr<Command>* command) {
  LEASES_TRY(refuse_members(request, {"LocalSecondaryIndexes", "SSESpecification", "ResourcePolicy",
                                      "OnDemandThroughput", "GlobalTableSourceArn"}));
  if (const Json* stream = request.find("StreamSpecification"); stream != nullptr)
    if (const Json* on = stream->find("StreamEnabled"); on == nullptr || on->boolean)
      return invalid_value("StreamSpecification is not supported by this server");
  Complaints complaints;
  Parameters parameters(request, complaints);
  auto create = std::make_unique<CreateTable>();
  TableInfo& info = create->info;
  info.name = parameters.table_name();
  parameters.require("AttributeDefinitions");
  parameters.text_of("TableClass", {"STANDARD", "STANDARD_INFREQUENT_ACCESS"});
  info.deletion_protected = parameters.boolean("DeletionProtectionEnabled").value_or(false);
  const Json* indexes = parameters.list("GlobalSecondaryIndexes");
  LEASES_TRY(complaints.refusal());
  info.created_ms = scope.clock.wall_ms();
  info.id = scope.uuid;
  LEASES_TRY(read_key_types(parameters, &info.key_types));
  LEASES_TRY(read_key_schema(request, "", &info.key));
  LEASES_TRY(read_billing(parameters, request, &info));
  if (indexes != nullptr) {
    if (indexes->items.empty()) return invalid_value("List of GlobalSecondaryIndexes is empty");
    for (std::size_t i = 0; i < indexes->items.size(); ++i)
      LEASES_TRY(read_index(indexes->items[i], fmt::format("globalSecondaryIndexes.{}.member", i + 1),
                            &info.indexes.emplace_back()));
  }
  LEASES_TRY(check_schema(info));
  LEASES_TRY(read_tags(request, &info.tags));
  create->arn = table_arn(scope.region, scope.account, info.name);
  const auto* const tags = info.tags.empty() ? nullptr : &info.tags;
  for (const std::string_view action : {"dynamodb:CreateTable", "dynamodb:TagResource"})
    if (action == "dynamodb:CreateTable" || tags != nullptr)
      create->accesses.push_back({.action = action, .resource = "table/" + info.name, .new_tags = tags});
  *command = std::move(create);
  return std::nullopt;
}

Outcome read_describe_table(const Json& request, const Scope& scope, std::unique_ptr<Command>* command) {
  return read_named<DescribeTable>(request, scope, "dynamodb:DescribeTable", command);
}

Outcome read_delete_table(const Json& request, const Scope& scope, std::unique_ptr<Command>* command) {
  return read_named<DeleteTable>(request, scope, "dynamodb:DeleteTable", command);
}

Outcome read_list_tables(const Json& request, const Scope&, std::unique_ptr<Command>* command) {
  Complaints complaints;
  Parameters parameters(request, complaints);
  auto list = std::make_unique<ListTables>();
  list->after = parameters.name("ExclusiveStartTableName").value_or("");
  list->limit = parameters.integer("Limit", 1, 100).value_or(100);
  LEASES_TRY(complaints.refusal());
  list->accesses.push_back({.action = "dynamodb:ListTables", .resource = ""});
  *command = std::move(list);
  return std::nullopt;
}

}  // namespace millrace::leases::dynamodb
