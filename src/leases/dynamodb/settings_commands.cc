// Time to live, tags, backups and limits: what stands around tables.
#include <fmt/format.h>

#include <utility>

#include "base/clock.h"
#include "leases/dynamodb/operations.h"
#include "leases/dynamodb/table_description.h"
#include "leases/dynamodb/table_schema.h"

namespace millrace::leases::dynamodb {
namespace {

using api::Writer;

// A command on a table that is there, made of a function.
template <typename Work>
class OnTable : public Command {
 public:
  OnTable(std::string table, Work work) : table_(std::move(table)), work_(std::move(work)) {}
  Outcome run(Transaction& transaction, Bytes& reply) override {
    const Table* found = transaction.tables().find(table_);
    if (found == nullptr) return table_not_found(table_);
    Writer writer(api::Encoding::kJson);
    LEASES_TRY(work_(*found, transaction, writer));
    reply = std::move(writer.bytes());
    return std::nullopt;
  }

 private:
  std::string table_;
  Work work_;
};

template <typename Work>
void on_table(std::string table, std::string_view action, Work work, std::unique_ptr<Command>* command) {
  std::string resource = "table/" + table;
  *command = std::make_unique<OnTable<Work>>(std::move(table), std::move(work));
  (*command)->accesses.push_back({.action = action, .resource = std::move(resource)});
}

class Fixed : public Command {
 public:
  explicit Fixed(std::string json) : json_(std::move(json)) {}
  Outcome run(Transaction&, Bytes& reply) override {
    reply.append(json_);
    return std::nullopt;
  }

 private:
  std::string json_;
};

// The table of "ResourceArn", which must be one of this account and region.
Outcome read_resource(Parameters& parameters, const Scope& scope, std::string* table) {
  const auto arn = parameters.text("ResourceArn");
  LEASES_TRY(parameters.complaints().refusal());
  if (!arn.has_value()) return validation("Invalid TableArn");
  const std::string prefix = table_arn(scope.region, scope.account, "");
  if (!arn->starts_with(prefix) || arn->size() < prefix.size() + 3)
    return validation(
        fmt::format("Invalid TableArn: Invalid ResourceArn provided as input {}", arn->substr(0, 256)));
  *table = arn->substr(prefix.size());
  return std::nullopt;
}

void write_expiry(const TableInfo& info, Writer& writer) {
  writer.begin_object();
  writer.key("TimeToLiveDescription");
  writer.begin_object();
  writer.member("TimeToLiveStatus", info.expiry_attribute.empty() ? "DISABLED" : "ENABLED");
  if (!info.expiry_attribute.empty()) writer.member("AttributeName", info.expiry_attribute);
  writer.end_object();
  writer.end_object();
}

void write_backups(const TableInfo& info, std::int64_t now_ms, Writer& writer) {
  writer.begin_object();
  writer.key("ContinuousBackupsDescription");
  writer.begin_object();
  writer.member("ContinuousBackupsStatus", "ENABLED");
  writer.key("PointInTimeRecoveryDescription");
  writer.begin_object();
  writer.member("PointInTimeRecoveryStatus", info.recoverable ? "ENABLED" : "DISABLED");
  if (info.recoverable) {
    writer.member("RecoveryPeriodInDays", info.recoverable_days);
    writer.key("EarliestRestorableDateTime");
    writer.timestamp(std::max(info.recoverable_since_ms, now_ms - info.recoverable_days * kMsPerDay));
    writer.key("LatestRestorableDateTime");
    writer.timestamp(now_ms);
  }
  writer.end_object();
  writer.end_object();
  writer.end_object();
}

}  // namespace

Outcome read_describe_time_to_live(const Json& request, const Scope&, std::unique_ptr<Command>* command) {
  Complaints complaints;
  Parameters parameters(request, complaints);
  std::string table = parameters.table_name();
  LEASES_TRY(complaints.refusal());
  on_table(
      std::move(table), "dynamodb:DescribeTimeToLive",
      [](const Table& found, Transaction&, Writer& writer) -> Outcome {
        write_expiry(found.info(), writer);
        return std::nullopt;
      },
      command);
  return std::nullopt;
}

Outcome read_update_time_to_live(const Json& request, const Scope&, std::unique_ptr<Command>* command) {
  Complaints complaints;
  Parameters parameters(request, complaints);
  std::string table = parameters.table_name();
  parameters.require("TimeToLiveSpecification");
  const Json* specification = parameters.structure("TimeToLiveSpecification");
  LEASES_TRY(complaints.refusal());
  Parameters read(*specification, complaints, "timeToLiveSpecification");
  read.require("Enabled");
  read.require("AttributeName");
  const auto enabled = read.boolean("Enabled");
  const auto attribute = read.text("AttributeName");
  if (attribute.has_value() && (attribute->empty() || attribute->size() > 255))
    read.complain("AttributeName", fmt::format("'{}'", attribute->substr(0, 256)),
                  "Member must have length greater than or equal to 1 and less than or equal to 255");
  LEASES_TRY(complaints.refusal());
  on_table(
      std::move(table), "dynamodb:UpdateTimeToLive",
      [on = *enabled, name = *attribute](const Table& found, Transaction& transaction,
                                         Writer& writer) -> Outcome {
        TableInfo info = found.info();
        if (on == !info.expiry_attribute.empty())
          return validation(fmt::format("TimeToLive is already {}", on ? "enabled" : "disabled"));
        if (!on && info.expiry_attribute != name)
          return validation(
              fmt::format("TimeToLive is active on a different AttributeName: current AttributeName is {}",
                          info.expiry_attribute));
        info.expiry_attribute = on ? name : "";
        transaction.make(TableSet{std::move(info)});
        writer.begin_object();
        writer.key("TimeToLiveSpecification");
        writer.begin_object();
        writer.member("Enabled", on);
        writer.member("AttributeName", name);
        writer.end_object();
        writer.end_object();
        return std::nullopt;
      },
      command);
  return std::nullopt;
}

Outcome read_describe_continuous_backups(const Json& request, const Scope& scope,
                                         std::unique_ptr<Command>* command) {
  Complaints complaints;
  Parameters parameters(request, complaints);
  std::string table = parameters.table_name();
  LEASES_TRY(complaints.refusal());
  on_table(
      std::move(table), "dynamodb:DescribeContinuousBackups",
      [&clock = scope.clock](const Table& found, Transaction&, Writer& writer) -> Outcome {
        write_backups(found.info(), clock.wall_ms(), writer);
        return std::nullopt;
      },
      command);
  return std::nullopt;
}

Outcome read_update_continuous_backups(const Json& request, const Scope& scope,
                                       std::unique_ptr<Command>* command) {
  Complaints complaints;
  Parameters parameters(request, complaints);
  std::string table = parameters.table_name();
  parameters.require("PointInTimeRecoverySpecification");
  const Json* specification = parameters.structure("PointInTimeRecoverySpecification");
  LEASES_TRY(complaints.refusal());
  Parameters read(*specification, complaints, "pointInTimeRecoverySpecification");
  read.require("PointInTimeRecoveryEnabled");
  const auto enabled = read.boolean("PointInTimeRecoveryEnabled");
  const auto days = read.integer("RecoveryPeriodInDays", 1, 35);
  LEASES_TRY(complaints.refusal());
  on_table(
      std::move(table), "dynamodb:UpdateContinuousBackups",
      [&clock = scope.clock, on = *enabled, days = days.value_or(35)](
          const Table& found, Transaction& transaction, Writer& writer) -> Outcome {
        TableInfo info = found.info();
        const std::int64_t now_ms = clock.wall_ms();
        if (on && !info.recoverable) info.recoverable_since_ms = now_ms;
        info.recoverable = on;
        info.recoverable_days = days;
        write_backups(info, now_ms, writer);
        transaction.make(TableSet{std::move(info)});
        return std::nullopt;
      },
      command);
  return std::nullopt;
}

Outcome read_tag_resource(const Json& request, const Scope& scope, std::unique_ptr<Command>* command) {
  Complaints complaints;
  Parameters parameters(request, complaints);
  std::string table;
  LEASES_TRY(read_resource(parameters, scope, &table));
  parameters.require("Tags");
  LEASES_TRY(complaints.refusal());
  std::map<std::string, std::string> tags;
  LEASES_TRY(read_tags(request, &tags));
  if (tags.empty())
    return validation("Atleast one Tag needs to be provided as Input.");  // the service's spelling
  const auto added = std::make_shared<const std::map<std::string, std::string>>(std::move(tags));
  on_table(
      std::move(table), "dynamodb:TagResource",
      [added](const Table& found, Transaction& transaction, Writer&) -> Outcome {
        TableInfo info = found.info();
        for (const auto& [key, value] : *added) info.tags.insert_or_assign(key, value);
        if (info.tags.size() > kTagsMax) return validation("Too many tags: a table has at most 50");
        transaction.make(TableSet{std::move(info)});
        return std::nullopt;
      },
      command);
  (*command)->accesses.front().new_tags = added.get();  // which the command's work keeps
  return std::nullopt;
}

Outcome read_untag_resource(const Json& request, const Scope& scope, std::unique_ptr<Command>* command) {
  Complaints complaints;
  Parameters parameters(request, complaints);
  std::string table;
  LEASES_TRY(read_resource(parameters, scope, &table));
  parameters.require("TagKeys");
  const auto keys = parameters.texts("TagKeys");
  LEASES_TRY(complaints.refusal());
  if (keys.empty()) return validation("Atleast one Tag Key needs to be provided as Input.");
  for (const auto& key : keys) LEASES_TRY(check_tag_key(key));
  on_table(
      std::move(table), "dynamodb:UntagResource",
      [keys](const Table& found, Transaction& transaction, Writer&) -> Outcome {
        TableInfo info = found.info();
        for (const std::string& key : keys) info.tags.erase(key);
        transaction.make(TableSet{std::move(info)});
        return std::nullopt;
      },
      command);
  (*command)->accesses.front().tag_keys = keys;
  return std::nullopt;
}

Outcome read_list_tags_of_resource(const Json& request, const Scope& scope,
                                   std::unique_ptr<Command>* command) {
  Complaints complaints;
  Parameters parameters(request, complaints);
  std::string table;
  LEASES_TRY(read_resource(parameters, scope, &table));
  on_table(
      std::move(table), "dynamodb:ListTagsOfResource",
      [](const Table& found, Transaction&, Writer& writer) -> Outcome {
        writer.begin_object();
        writer.key("Tags");
        writer.begin_list();
        for (const auto& [key, value] : found.info().tags) {
          writer.begin_object();
          writer.member("Key", key);
          writer.member("Value", value);
          writer.end_object();
        }
        writer.end_list();
        writer.end_object();
        return std::nullopt;
      },
      command);
  return std::nullopt;
}

Outcome read_describe_limits(const Json&, const Scope&, std::unique_ptr<Command>* command) {
  *command =
      std::make_unique<Fixed>(R"({"AccountMaxReadCapacityUnits":80000,"AccountMaxWriteCapacityUnits":80000,)"
                              R"("TableMaxReadCapacityUnits":40000,"TableMaxWriteCapacityUnits":40000})");
  (*command)->accesses.push_back({.action = "dynamodb:DescribeLimits", .resource = ""});
  return std::nullopt;
}

Outcome read_describe_endpoints(const Json&, const Scope& scope, std::unique_ptr<Command>* command) {
  Writer writer(api::Encoding::kJson);
  writer.begin_object();
  writer.key("Endpoints");
  writer.begin_list();
  writer.begin_object();
  writer.member("Address", scope.endpoint);
  writer.member("CachePeriodInMinutes", std::int64_t{1'440});
  writer.end_object();
  writer.end_list();
  writer.end_object();
  *command = std::make_unique<Fixed>(std::string(writer.bytes().text()));
  (*command)->accesses.push_back({.action = "dynamodb:DescribeEndpoints", .resource = ""});
  return std::nullopt;
}

}  // namespace millrace::leases::dynamodb
