#include "leases/dynamodb/item_access.h"

#include <utility>

#include "base/base64.h"

namespace millrace::leases::dynamodb {
namespace {

std::string_view detail_text(CapacityDetail detail) {
  switch (detail) {
    case CapacityDetail::kNone:
      return "NONE";
    case CapacityDetail::kTotal:
      return "TOTAL";
    case CapacityDetail::kIndexes:
      return "INDEXES";
  }
  MR_ASSERT(false);
  __builtin_unreachable();
}

// The table of "table/NAME" or "table/NAME/index/INDEX"; nullptr: there is none.
const Table* table_of(const Access& access, const Tables& tables) {
  constexpr std::string_view kPrefix = "table/";
  std::string_view name = access.resource;
  if (!name.starts_with(kPrefix)) return nullptr;
  name.remove_prefix(kPrefix.size());
  return tables.find(name.substr(0, name.find('/')));
}

// Where a value is missing (no such index, an item without its key), the command is refused when it runs.
std::vector<std::string> leading_keys(const Access& access, const Table& table) {
  const IndexInfo* const index = access.index.empty() ? nullptr : table.index(access.index);
  const std::string& name = index != nullptr ? index->key.hash : table.info().key.hash;
  std::vector<std::string> values;
  for (const Attributes* item : access.items) {
    const auto key = item->find(name);
    if (key == item->end()) continue;
    const AttributeValue& value = key->second;
    if (value.is(AttributeType::kString) || value.is(AttributeType::kNumber)) values.push_back(value.text());
    if (value.is(AttributeType::kBinary)) values.push_back(base64_text(as_bytes(value.text())));
  }
  return values;
}

}  // namespace

void add_names(const Attributes& attributes, AttributeNames* names) {
  for (const auto& [name, value] : attributes) names->insert(name);
}
void add_names(const std::vector<Path>& paths, AttributeNames* names) {
  for (const Path& path : paths) names->insert(path.front().name);
}
void add_names(const std::optional<Condition>& condition, AttributeNames* names) {
  if (condition.has_value())
    for_each_path(*condition, [names](const Path& path) { names->insert(path.front().name); });
}
void add_names(const ItemWrite& write, AttributeNames* names) {
  add_names(write.attributes, names);
  add_names(write.condition, names);
  for (const AttributeUpdate& update : write.attribute_updates) names->insert(update.name);
  if (!write.update.has_value()) return;
  for (const UpdateAction& action : *write.update) {
    names->insert(action.path.front().name);
    for_each_path(action.value, [names](const Path& path) { names->insert(path.front().name); });
  }
}

Access access_of(ItemAccess of) {
  Access access{.action = of.action,
                .resource = "table/" + of.table + (of.index.empty() ? "" : "/index/" + of.index),
                .items = std::move(of.items),
                .index = std::move(of.index)};
  const auto say = [&access](std::string key, std::vector<std::string> values) {
    if (!values.empty()) access.more.push_back({std::move(key), std::move(values)});
  };
  say("dynamodb:Attributes", {of.names.begin(), of.names.end()});
  say("dynamodb:ReturnConsumedCapacity", {std::string(detail_text(of.detail))});
  say("dynamodb:ReturnValues", std::move(of.return_values));
  if (!of.select.empty()) say("dynamodb:Select", {std::string(of.select)});
  if (!of.enclosing.empty()) say("dynamodb:EnclosingOperation", {std::string(of.enclosing)});
  return access;
}

std::string_view selected(const std::vector<Path>& paths) {
  return paths.empty() ? "ALL_ATTRIBUTES" : "SPECIFIC_ATTRIBUTES";
}

std::vector<std::string> returned(const ItemWrite& write, std::string values) {
  std::vector<std::string> all = {std::move(values)};
  if (write.shows_old_on_failure && all.front() != "ALL_OLD") all.emplace_back("ALL_OLD");
  return all;
}

std::optional<identity::Denial> denial_of(const Command& command, const Asker& asker, const Tables& tables) {
  for (const Access& access : command.accesses) {
    const Table* const table = table_of(access, tables);
    std::vector<identity::ConditionValue> more = access.more;
    if (table != nullptr && !access.items.empty())
      more.push_back({"dynamodb:LeadingKeys", leading_keys(access, *table)});
    const std::string resource =
        access.resource.empty() ? "*" : std::string(asker.arn_prefix) + access.resource;
    auto denial = asker.authorizer.check(asker.caller, asker.circumstances,
                                         {.action = access.action,
                                          .resource = resource,
                                          .resource_tags = table == nullptr ? nullptr : &table->info().tags,
                                          .request_tags = access.new_tags,
                                          .tag_keys = access.tag_keys,
                                          .more = more,
                                          .frequent = true});
    if (denial.has_value()) return denial;
  }
  return std::nullopt;
}

}  // namespace millrace::leases::dynamodb
