#include "leases/dynamodb/table_description.h"

#include <fmt/format.h>

#include <array>

namespace millrace::leases::dynamodb {
namespace {

using api::Writer;

void write_key_schema(const KeySchema& key, Writer& writer) {
  const auto element = [&writer](std::string_view name, std::string_view type) {
    writer.begin_object();
    writer.member("AttributeName", name);
    writer.member("KeyType", type);
    writer.end_object();
  };
  writer.key("KeySchema");
  writer.begin_list();
  element(key.hash, "HASH");
  if (!key.range.empty()) element(key.range, "RANGE");
  writer.end_list();
}

void write_throughput(const Throughput& throughput, Writer& writer) {
  writer.key("ProvisionedThroughput");
  writer.begin_object();
  writer.member("NumberOfDecreasesToday", std::int64_t{0});
  writer.member("ReadCapacityUnits", throughput.read_units);
  writer.member("WriteCapacityUnits", throughput.write_units);
  writer.end_object();
}

void write_index(const Table& table, const IndexInfo& index, const std::string& arn, Writer& writer) {
  constexpr std::array<std::string_view, 3> kProjections = {"ALL", "KEYS_ONLY", "INCLUDE"};
  const Table::Rows& rows = table.index_rows(index.name);
  std::size_t bytes = 0;
  for (const auto& [key, item] : rows) bytes += item_bytes(*item);
  writer.begin_object();
  writer.member("IndexName", index.name);
  write_key_schema(index.key, writer);
  writer.key("Projection");
  writer.begin_object();
  writer.member("ProjectionType", kProjections[static_cast<std::size_t>(index.projection)]);
  if (!index.included.empty()) {
    writer.key("NonKeyAttributes");
    writer.begin_list();
    for (const std::string& name : index.included) writer.text(name);
    writer.end_list();
  }
  writer.end_object();
  writer.member("IndexStatus", status_name(index.status));
  if (index.status == Status::kCreating && table.info().status != Status::kCreating)
    writer.member("Backfilling", true);
  write_throughput(index.throughput, writer);
  writer.member("IndexSizeBytes", static_cast<std::int64_t>(bytes));
  writer.member("ItemCount", static_cast<std::int64_t>(rows.size()));
  writer.member("IndexArn", arn + "/index/" + index.name);
  writer.end_object();
}

void write_billing(const TableInfo& info, Writer& writer) {
  if (!info.on_demand) return;
  writer.key("BillingModeSummary");
  writer.begin_object();
  writer.member("BillingMode", "PAY_PER_REQUEST");
  if (info.status != Status::kCreating) {
    writer.key("LastUpdateToPayPerRequestDateTime");
    writer.timestamp(info.on_demand_since_ms);
  }
  writer.end_object();
}

}  // namespace

std::string table_arn(std::string_view region, std::string_view account, std::string_view table) {
  return fmt::format("arn:aws:dynamodb:{}:{}:table/{}", region, account, table);
}

void write_description(const Table& table, const std::string& arn, Writer& writer) {
  const TableInfo& info = table.info();
  writer.begin_object();
  writer.key("AttributeDefinitions");
  writer.begin_list();
  for (const auto& [name, type] : info.key_types) {
    writer.begin_object();
    writer.member("AttributeName", name);
    writer.member("AttributeType", type_name(type));
    writer.end_object();
  }
  writer.end_list();
  writer.member("TableName", info.name);
  write_key_schema(info.key, writer);
  writer.member("TableStatus", status_name(info.status));
  writer.key("CreationDateTime");
  writer.timestamp(info.created_ms);
  write_throughput(info.throughput, writer);
  writer.member("TableSizeBytes", static_cast<std::int64_t>(table.bytes()));
  writer.member("ItemCount", static_cast<std::int64_t>(table.rows().size()));
  writer.member("TableArn", arn);
  writer.member("TableId", info.id);
  write_billing(info, writer);
  if (!info.indexes.empty()) {
    writer.key("GlobalSecondaryIndexes");
    writer.begin_list();
    for (const IndexInfo& index : info.indexes) write_index(table, index, arn, writer);
    writer.end_list();
  }
  writer.member("DeletionProtectionEnabled", info.deletion_protected);
  writer.end_object();
}

}  // namespace millrace::leases::dynamodb
