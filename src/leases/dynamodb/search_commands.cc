// Scan and Query.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "leases/dynamodb/item_access.h"
#include "leases/dynamodb/legacy.h"
#include "leases/dynamodb/operations.h"
#include "leases/dynamodb/search.h"

namespace millrace::leases::dynamodb {
namespace {

std::string_view select_text(const Search& search) {
  if (!search.paths.empty()) return "SPECIFIC_ATTRIBUTES";
  switch (search.select) {
    case Search::Select::kAll:
      return "ALL_ATTRIBUTES";
    case Search::Select::kProjected:
      return "ALL_PROJECTED_ATTRIBUTES";
    case Search::Select::kSpecific:
      return "SPECIFIC_ATTRIBUTES";
    case Search::Select::kCount:
      return "COUNT";
  }
  MR_ASSERT(false);
  __builtin_unreachable();
}

ItemAccess access_to(const Search& search, std::string_view action) {
  ItemAccess access{.action = action,
                    .table = search.table,
                    .index = search.index,
                    .detail = search.detail,
                    .select = select_text(search)};
  add_names(search.paths, &access.names);
  add_names(search.filter, &access.names);
  return access;
}

// The parameter that joins several conditions of a filter.
Outcome read_joined(Parameters& parameters, const Json& request, std::string_view filter,
                    bool* any_suffices) {
  const auto joined = parameters.text_of("ConditionalOperator", {"OR", "AND"});
  LEASES_TRY(parameters.complaints().refusal());
  if (joined.has_value() && request.find(filter) == nullptr)
    return validation("ConditionalOperator cannot be used without Filter or Expected");
  *any_suffices = joined == "OR";
  return std::nullopt;
}

Outcome check_search_paths(const Search& search, const TableInfo& table) {
  LEASES_TRY(check_paths(search.paths, table));
  return search.filter.has_value() ? check_paths_of(*search.filter, table) : std::nullopt;
}

class Scan : public Command {
 public:
  Outcome run(Transaction& transaction, Bytes& reply) override {
    Found found;
    LEASES_TRY(find_rows(search, transaction.tables(), &found));
    std::optional<RowKey> start;
    LEASES_TRY(start_row(search, found, &start));
    LEASES_TRY(check_search_paths(search, found.table->info()));
    RowRange range{found.rows->begin(), found.rows->end()};
    if (segments > 1) {
      const std::uint64_t width = UINT64_MAX / static_cast<std::uint64_t>(segments) + 1;
      const auto begin = static_cast<std::uint64_t>(segment) * width;
      range.first = found.rows->lower_bound(RowKey{.token = begin});
      if (segment + 1 < segments) range.second = found.rows->lower_bound(RowKey{.token = begin + width});
      if (start.has_value() && start->token / width != static_cast<std::uint64_t>(segment))
        return validation(fmt::format(
            "The provided starting key is invalid: Invalid ExclusiveStartKey. Please use ExclusiveStartKey "
            "with correct Segment. TotalSegments: {} Segment: {}",
            segments, segment));
    }
    if (start.has_value()) range = behind(*found.rows, range, *start, true);
    write_page(search, found, range, reply);
    return std::nullopt;
  }

  Search search;
  std::int64_t segment = 0;
  std::int64_t segments = 1;
};

class Query : public Command {
 public:
  Outcome run(Transaction& transaction, Bytes& reply) override {
    Found found;
    LEASES_TRY(find_rows(search, transaction.tables(), &found));
    std::optional<RowKey> start;
    LEASES_TRY(start_row(search, found, &start));
    const KeyCondition* hash = nullptr;
    const KeyCondition* range_key = nullptr;
    LEASES_TRY(find_conditions(found, &hash, &range_key));
    LEASES_TRY(check_search_paths(search, found.table->info()));
    LEASES_TRY(check_filter(found.key()));

    RowKey at;
    at.hash = sort_key(hash->values.front());
    at.token = token_of(at.hash);
    RowRange range =
        range_key == nullptr ? rows_of_hash(*found.rows, at) : rows_between(*found.rows, at, *range_key);
    if (start.has_value()) {
      if (start->hash != at.hash)
        return validation(
            "The provided starting key is outside query boundaries based on provided conditions");
      range = behind(*found.rows, range, *start, search.forward);
    }
    write_page(search, found, range, reply);
    return std::nullopt;
  }

  Search search;
  std::vector<KeyCondition> conditions;
  std::string_view filter_parameter;
  std::vector<Attributes> equal_keys;  // of the conditions those that say what a key is

 private:
  Outcome find_conditions(const Found& found, const KeyCondition** hash, const KeyCondition** range) const {
    const KeySchema& key = found.key();
    for (const KeyCondition& condition : conditions) {
      if (condition.attribute == key.hash) *hash = &condition;
      if (!key.range.empty() && condition.attribute == key.range) *range = &condition;
    }
    if (key.range.empty() && conditions.size() > 1) return validation("Query key condition not supported");
    if (*hash == nullptr)
      return validation(fmt::format("Query condition missed key schema element: {}", key.hash));
    if (*range == nullptr && conditions.size() > 1)
      return validation(fmt::format("Query condition missed key schema element: {}", key.range));
    for (const KeyCondition* condition : {*hash, *range}) {
      if (condition == nullptr) continue;
      const AttributeType wanted = found.table->info().key_types.at(condition->attribute);
      for (const AttributeValue& value : condition->values)
        if (value.type != wanted)
          return validation(
              "One or more parameter values were invalid: Condition parameter type does not match schema "
              "type");
      if (condition->kind == Condition::Kind::kBeginsWith && wanted == AttributeType::kNumber)
        return validation(
            "One or more parameter values were invalid: ComparisonOperator BEGINS_WITH is not valid for N "
            "AttributeValue type");
      for (const AttributeValue& value : condition->values)
        if (!value.is(AttributeType::kNumber) && value.text().empty() &&
            condition->kind == Condition::Kind::kEqual)
          return validation(fmt::format(
              "One or more parameter values are not valid. The AttributeValue for a key attribute cannot "
              "contain an empty {} value. Key: {}",
              wanted == AttributeType::kString ? "string" : "binary", condition->attribute));
    }
    if ((*hash)->kind != Condition::Kind::kEqual) return validation("Query key condition not supported");
    return std::nullopt;
  }

  Outcome check_filter(const KeySchema& key) const {
    if (!search.filter.has_value()) return std::nullopt;
    std::string named;
    for_each_path(*search.filter, [&](const Path& path) {
      const std::string& head = path.front().name;
      if (head == key.hash || (!key.range.empty() && head == key.range)) named = head;
    });
    if (named.empty()) return std::nullopt;
    return validation(fmt::format("{} can only contain non-primary key attributes: Primary key attribute: {}",
                                  filter_parameter, named));
  }

  static RowRange rows_of_hash(const Table::Rows& rows, const RowKey& at) {
    return {rows.lower_bound(at), rows.lower_bound(RowKey{.token = at.token, .hash = at.hash + '\0'})};
  }

  // The least text that is greater than each that begins with `prefix`; empty: there is none.
  static std::string behind_prefix(std::string prefix) {
    while (!prefix.empty() && static_cast<unsigned char>(prefix.back()) == 0xff) prefix.pop_back();
    if (!prefix.empty()) prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
    return prefix;
  }

  static RowRange rows_between(const Table::Rows& rows, const RowKey& at, const KeyCondition& condition) {
    RowRange range = rows_of_hash(rows, at);
    const auto from = [&](std::string key) {
      return rows.lower_bound(RowKey{.token = at.token, .hash = at.hash, .range = std::move(key)});
    };
    const std::string first = sort_key(condition.values.front());
    const std::string behind_first = first + '\0';
    switch (condition.kind) {
      case Condition::Kind::kLess:
        range.second = from(first);
        break;
      case Condition::Kind::kLessOrEqual:
        range.second = from(behind_first);
        break;
      case Condition::Kind::kGreater:
        range.first = from(behind_first);
        break;
      case Condition::Kind::kGreaterOrEqual:
        range.first = from(first);
        break;
      case Condition::Kind::kBetween:
        range = {from(first), from(sort_key(condition.values[1]) + '\0')};
        break;
      case Condition::Kind::kBeginsWith:
        range.first = from(first);
        if (std::string end = behind_prefix(first); !end.empty()) range.second = from(std::move(end));
        break;
      default:
        range = {from(first), from(behind_first)};
        break;
    }
    return range;
  }
};

}  // namespace

Outcome read_scan(const Json& request, const Scope&, std::unique_ptr<Command>* command) {
  Complaints complaints;
  Parameters parameters(request, complaints);
  auto scan = std::make_unique<Scan>();
  Search& search = scan->search;
  read_search(parameters, &search);
  constexpr std::int64_t kSegmentsMax = 1'000'000;
  const auto segment = parameters.integer("Segment", 0, kSegmentsMax - 1);
  const auto segments = parameters.integer("TotalSegments", 1, kSegmentsMax);
  LEASES_TRY(complaints.refusal());
  RequestExpressions expressions(request);
  LEASES_TRY(expressions.begin({"ProjectionExpression", "FilterExpression"},
                               {"AttributesToGet", "ScanFilter", "ConditionalOperator"}));
  LEASES_TRY(read_attributes_to_get(request, &search.paths));
  bool any_suffices = false;
  LEASES_TRY(read_joined(parameters, request, "ScanFilter", &any_suffices));
  LEASES_TRY(read_filter(request, "ScanFilter", any_suffices, &search.filter));
  LEASES_TRY(read_start_key(parameters, &search));
  if (segment.has_value() && !segments.has_value())
    return validation(
        "The TotalSegments parameter is required but was not present in the request when Segment parameter "
        "is present");
  if (segments.has_value() && !segment.has_value())
    return validation(
        "The Segment parameter is required but was not present in the request when parameter TotalSegments "
        "is present");
  if (segments.has_value() && *segment >= *segments)
    return validation(fmt::format(
        "The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: {} is "
        "not less than TotalSegments: {}",
        *segment, *segments));
  scan->segment = segment.value_or(0);
  scan->segments = segments.value_or(1);
  LEASES_TRY(expressions.projection(&search.paths));
  LEASES_TRY(expressions.condition("FilterExpression", &search.filter));
  LEASES_TRY(expressions.end());
  LEASES_TRY(check_select(search));
  scan->accesses.push_back(access_of(access_to(search, "dynamodb:Scan")));
  *command = std::move(scan);
  return std::nullopt;
}

Outcome read_query(const Json& request, const Scope&, std::unique_ptr<Command>* command) {
  Complaints complaints;
  Parameters parameters(request, complaints);
  auto query = std::make_unique<Query>();
  Search& search = query->search;
  read_search(parameters, &search);
  search.forward = parameters.boolean("ScanIndexForward").value_or(true);
  LEASES_TRY(complaints.refusal());
  RequestExpressions expressions(request);
  // The one form of the key conditions goes with either form of the rest.
  if (request.find("KeyConditionExpression") != nullptr)
    LEASES_TRY(expressions.begin({"ProjectionExpression", "FilterExpression", "KeyConditionExpression"},
                                 {"AttributesToGet", "QueryFilter", "ConditionalOperator", "KeyConditions"}));
  else
    LEASES_TRY(expressions.begin({"ProjectionExpression", "FilterExpression"},
                                 {"AttributesToGet", "QueryFilter", "ConditionalOperator"}));
  bool any_suffices = false;
  LEASES_TRY(read_joined(parameters, request, "QueryFilter", &any_suffices));
  LEASES_TRY(read_filter(request, "QueryFilter", any_suffices, &search.filter));
  LEASES_TRY(read_attributes_to_get(request, &search.paths));
  LEASES_TRY(read_start_key(parameters, &search));
  LEASES_TRY(read_key_conditions(request, &query->conditions));
  std::optional<Condition> key_condition;
  LEASES_TRY(expressions.condition("KeyConditionExpression", &key_condition));
  query->filter_parameter = search.filter.has_value() ? "QueryFilter" : "Filter Expression";
  LEASES_TRY(expressions.condition("FilterExpression", &search.filter));
  LEASES_TRY(expressions.projection(&search.paths));
  LEASES_TRY(expressions.end());
  if (key_condition.has_value()) LEASES_TRY(key_conditions_of(*key_condition, &query->conditions));
  if (query->conditions.empty())
    return validation(
        "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.");
  LEASES_TRY(check_select(search));
  ItemAccess access = access_to(search, "dynamodb:Query");
  for (const KeyCondition& condition : query->conditions) {
    access.names.insert(condition.attribute);
    if (condition.kind == Condition::Kind::kEqual && !condition.values.empty())
      query->equal_keys.push_back({{condition.attribute, condition.values.front()}});
  }
  for (const Attributes& key : query->equal_keys) access.items.push_back(&key);
  query->accesses.push_back(access_of(std::move(access)));
  *command = std::move(query);
  return std::nullopt;
}

}  // namespace millrace::leases::dynamodb
