// leases/dynamodb/table_schema.h: what CreateTable and UpdateTable say of keys, indexes and capacity,
// checked.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "leases/dynamodb/parameters.h"
#include "leases/dynamodb/refusal.h"
#include "leases/dynamodb/table.h"

namespace millrace::leases::dynamodb {

inline constexpr std::size_t kIndexesMax = 20;
inline constexpr std::size_t kTagsMax = 50;

using KeyTypes = std::map<std::string, AttributeType>;
Outcome read_key_types(Parameters& parameters, KeyTypes* types);
Outcome read_key_schema(const Json& structure, const std::string& path, KeySchema* key);
// Of "ProvisionedThroughput", if it is there.
Outcome read_throughput(const Json& structure, const std::string& path,
                        std::optional<Throughput>* throughput);
Outcome read_index(const Json& structure, const std::string& path, IndexInfo* index);
// "aws:…" is the service's own.
Outcome check_tag_key(std::string_view key);
Outcome read_tags(const Json& request, std::map<std::string, std::string>* tags);
// Members that this server has no meaning for are refused, not ignored.
Outcome refuse_members(const Json& structure, std::initializer_list<std::string_view> names);

// Keys are defined, none is defined in vain, and no index is there twice.
Outcome check_schema(const TableInfo& info);
Refusal invalid_value(std::string text);

}  // namespace millrace::leases::dynamodb
