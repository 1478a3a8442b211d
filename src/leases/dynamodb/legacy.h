// leases/dynamodb/legacy.h: what came before expressions and KCL still sends: Expected, AttributeUpdates,
// filters and KeyConditions. Conditions become the same as expressions make. source: DynamoDB developer
// guide, "Legacy conditional parameters"
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "leases/dynamodb/attribute.h"
#include "leases/dynamodb/expression.h"
#include "leases/dynamodb/parameters.h"
#include "leases/dynamodb/refusal.h"

namespace millrace::leases::dynamodb {

// Each reads the parameter of that name, if it is there.
// Of "Expected": attribute → {Value, Exists} or {AttributeValueList, ComparisonOperator}
Outcome read_expected(const Json& request, bool any_suffices, std::optional<Condition>* condition);
// Of "ScanFilter" and "QueryFilter": attribute → {AttributeValueList, ComparisonOperator}
Outcome read_filter(const Json& request, std::string_view parameter, bool any_suffices,
                    std::optional<Condition>* condition);

struct AttributeUpdate {
  enum class Action : std::uint8_t { kPut, kAdd, kDelete };
  std::string name;
  Action action = Action::kPut;
  std::optional<AttributeValue> value = std::nullopt;
};
Outcome read_attribute_updates(const Json& request, std::vector<AttributeUpdate>* updates);
Outcome apply(const std::vector<AttributeUpdate>& updates, Attributes& item);

// What a query wants of one key attribute.
struct KeyCondition {
  std::string attribute;
  Condition::Kind kind =
      Condition::Kind::kEqual;  // a comparison, kBetween or kBeginsWith; others are refused later
  std::vector<AttributeValue> values = {};
};
Outcome read_key_conditions(const Json& request, std::vector<KeyCondition>* conditions);
Outcome key_conditions_of(const Condition& expression, std::vector<KeyCondition>* conditions);

}  // namespace millrace::leases::dynamodb
