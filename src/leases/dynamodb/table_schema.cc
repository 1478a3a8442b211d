#include "leases/dynamodb/table_schema.h"

#include <fmt/format.h>

#include <set>
#include <utility>

namespace millrace::leases::dynamodb {
namespace {

constexpr std::int64_t kUnitsMax = 1'000'000'000'000;

Outcome check_keys(const KeySchema& key, const KeyTypes& types) {
  std::vector<std::string_view> names = {key.hash};
  if (!key.range.empty()) names.push_back(key.range);
  for (const std::string_view name : names) {
    if (types.contains(std::string(name))) continue;
    std::vector<std::string_view> defined;
    for (const auto& [attribute, type] : types) defined.push_back(attribute);
    return invalid_value(
        fmt::format("Some index key attributes are not defined in AttributeDefinitions. Keys: [{}], "
                    "AttributeDefinitions: [{}]",
                    fmt::join(names, ", "), fmt::join(defined, ", ")));
  }
  return std::nullopt;
}

}  // namespace

Refusal invalid_value(std::string text) {
  return validation("One or more parameter values were invalid: " + std::move(text));
}

Outcome refuse_members(const Json& structure, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names)
    if (structure.find(name) != nullptr)
      return invalid_value(fmt::format("{} is not supported by this server", name));
  return std::nullopt;
}

Outcome read_key_types(Parameters& parameters, KeyTypes* types) {
  const Json* definitions = parameters.list("AttributeDefinitions");
  LEASES_TRY(parameters.complaints().refusal());
  if (definitions == nullptr) return std::nullopt;
  for (std::size_t i = 0; i < definitions->items.size(); ++i) {
    const Json& definition = definitions->items[i];
    if (definition.kind != Json::Kind::kMap) return serialization("Unexpected value type in payload");
    Complaints complaints;
    Parameters read(definition, complaints, fmt::format("attributeDefinitions.{}.member", i + 1));
    read.require("AttributeName");
    read.require("AttributeType");
    const auto name = read.text("AttributeName");
    const auto type = read.text_of("AttributeType", {"B", "N", "S"});
    LEASES_TRY(complaints.refusal());
    if (name->empty() || name->size() > 255) return invalid_value("An AttributeName has 1 to 255 characters");
    if (!types
             ->emplace(*name, *type == "N"   ? AttributeType::kNumber
                              : *type == "B" ? AttributeType::kBinary
                                             : AttributeType::kString)
             .second)
      return invalid_value(fmt::format("Duplicate AttributeName in AttributeDefinitions: {}", *name));
  }
  return std::nullopt;
}

Outcome read_key_schema(const Json& structure, const std::string& path, KeySchema* key) {
  Complaints complaints;
  Parameters parameters(structure, complaints, path);
  parameters.require("KeySchema");
  const Json* elements = parameters.list("KeySchema");
  if (elements != nullptr && elements->items.empty())
    parameters.complain("KeySchema", "'[]'", "Member must have length greater than or equal to 1");
  if (elements != nullptr && elements->items.size() > 2)
    parameters.complain("KeySchema", fmt::format("'[{} elements]'", elements->items.size()),
                        "Member must have length less than or equal to 2");
  LEASES_TRY(complaints.refusal());
  std::vector<std::string> types;
  for (std::size_t i = 0; i < elements->items.size(); ++i) {
    if (elements->items[i].kind != Json::Kind::kMap) return serialization("Unexpected value type in payload");
    Parameters element(elements->items[i], complaints,
                       fmt::format("{}.{}.member", parameters.where("KeySchema"), i + 1));
    element.require("AttributeName");
    element.require("KeyType");
    (i == 0 ? key->hash : key->range) = element.text("AttributeName").value_or("");
    types.push_back(element.text_of("KeyType", {"HASH", "RANGE"}).value_or(""));
  }
  LEASES_TRY(complaints.refusal());
  if (types[0] != "HASH")
    return validation("Invalid KeySchema: The first KeySchemaElement is not a HASH key type");
  if (types.size() == 2 && types[1] != "RANGE")
    return validation("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type");
  if (key->hash == key->range)
    return validation("Both the Hash Key and the Range Key element in the KeySchema have the same name");
  return std::nullopt;
}

Outcome read_throughput(const Json& structure, const std::string& path,
                        std::optional<Throughput>* throughput) {
  Complaints complaints;
  Parameters outer(structure, complaints, path);
  const Json* found = outer.structure("ProvisionedThroughput");
  LEASES_TRY(complaints.refusal());
  if (found == nullptr) return std::nullopt;
  Parameters parameters(*found, complaints, outer.where("ProvisionedThroughput"));
  parameters.require("WriteCapacityUnits");
  parameters.require("ReadCapacityUnits");
  throughput->emplace();
  (*throughput)->write_units = parameters.integer("WriteCapacityUnits", 1, INT64_MAX).value_or(0);
  (*throughput)->read_units = parameters.integer("ReadCapacityUnits", 1, INT64_MAX).value_or(0);
  LEASES_TRY(complaints.refusal());
  for (const auto& [name, units] : {std::pair("ReadCapacityUnits", (*throughput)->read_units),
                                    std::pair("WriteCapacityUnits", (*throughput)->write_units)})
    if (units > kUnitsMax)
      return validation(fmt::format("Given value {} for {} is out of bounds", units, name));
  return std::nullopt;
}

Outcome read_index(const Json& structure, const std::string& path, IndexInfo* index) {
  if (structure.kind != Json::Kind::kMap) return serialization("Unexpected value type in payload");
  LEASES_TRY(refuse_members(structure, {"OnDemandThroughput"}));
  Complaints complaints;
  Parameters parameters(structure, complaints, path);
  parameters.require("IndexName");
  index->name = parameters.name("IndexName").value_or("");
  parameters.require("Projection");
  const Json* projection = parameters.structure("Projection");
  LEASES_TRY(complaints.refusal());
  LEASES_TRY(read_key_schema(structure, path, &index->key));
  Parameters read(*projection, complaints, parameters.where("Projection"));
  const auto type = read.text_of("ProjectionType", {"ALL", "INCLUDE", "KEYS_ONLY"});
  index->included = read.texts("NonKeyAttributes");
  LEASES_TRY(complaints.refusal());
  if (!type.has_value()) return invalid_value("Unknown ProjectionType: null");
  if (projection->find("NonKeyAttributes") != nullptr && type != "INCLUDE")
    return invalid_value(fmt::format("ProjectionType is {}, but NonKeyAttributes is specified", *type));
  if (type == "INCLUDE" && index->included.empty())
    return invalid_value("ProjectionType is INCLUDE, but NonKeyAttributes is not specified");
  index->projection = type == "ALL"       ? IndexInfo::Projection::kAll
                      : type == "INCLUDE" ? IndexInfo::Projection::kInclude
                                          : IndexInfo::Projection::kKeysOnly;
  std::optional<Throughput> throughput;
  LEASES_TRY(read_throughput(structure, path, &throughput));
  index->throughput = throughput.value_or(Throughput{});
  return std::nullopt;
}

Outcome check_tag_key(std::string_view key) {
  if (!key.starts_with("aws:")) return std::nullopt;
  return invalid_value(fmt::format("Tag keys that begin with aws: are reserved: {}", key));
}

Outcome read_tags(const Json& request, std::map<std::string, std::string>* tags) {
  Complaints complaints;
  Parameters parameters(request, complaints);
  const Json* list = parameters.list("Tags");
  LEASES_TRY(complaints.refusal());
  if (list == nullptr) return std::nullopt;
  for (std::size_t i = 0; i < list->items.size(); ++i) {
    if (list->items[i].kind != Json::Kind::kMap) return serialization("Unexpected value type in payload");
    Parameters tag(list->items[i], complaints, fmt::format("tags.{}.member", i + 1));
    tag.require("Key");
    tag.require("Value");
    const auto key = tag.text("Key");
    const auto value = tag.text("Value");
    LEASES_TRY(complaints.refusal());
    if (key->empty() || key->size() > 128 * 4) return validation("A tag's Key has 1 to 128 characters");
    if (value->size() > 256 * 4) return validation("A tag's Value has at most 256 characters");
    LEASES_TRY(check_tag_key(*key));
    tags->insert_or_assign(*key, *value);
  }
  if (tags->size() > kTagsMax) return validation("Too many tags: a table has at most 50");
  return std::nullopt;
}

Outcome check_schema(const TableInfo& info) {
  LEASES_TRY(check_keys(info.key, info.key_types));
  std::set<std::string> used = {info.key.hash};
  if (!info.key.range.empty()) used.insert(info.key.range);
  std::set<std::string_view> names;
  for (const IndexInfo& index : info.indexes) {
    LEASES_TRY(check_keys(index.key, info.key_types));
    if (!names.insert(index.name).second)
      return invalid_value(fmt::format("Duplicate index name: {}", index.name));
    used.insert(index.key.hash);
    if (!index.key.range.empty()) used.insert(index.key.range);
    if (info.on_demand && index.throughput != Throughput{})
      return invalid_value(
          fmt::format("ProvisionedThroughput should not be specified for index: {} when BillingMode is "
                      "PAY_PER_REQUEST",
                      index.name));
    if (!info.on_demand && index.throughput == Throughput{})
      return invalid_value(fmt::format("ProvisionedThroughput must be specified for index: {}", index.name));
  }
  if (info.indexes.size() > kIndexesMax)
    return invalid_value("GlobalSecondaryIndex count exceeds the per-table limit of 20");
  if (used.size() != info.key_types.size())
    return invalid_value(
        info.indexes.empty()
            ? "Number of attributes in KeySchema does not exactly match number of attributes defined in "
              "AttributeDefinitions"
            : "Some AttributeDefinitions are not used by any key");
  return std::nullopt;
}

}  // namespace millrace::leases::dynamodb
