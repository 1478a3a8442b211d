#include "leases/dynamodb/legacy.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "leases/dynamodb/attribute_json.h"
#include "leases/dynamodb/number.h"

namespace millrace::leases::dynamodb {
namespace {

constexpr std::size_t kManyValues = SIZE_MAX;

struct OperatorRule {
  std::string_view name;
  Condition::Kind kind;
  bool negated;
  std::size_t values_min;
  std::size_t values_max;
  std::string_view types;  // that its values may have, with a blank behind each
};
constexpr std::string_view kScalars = "S N B ";
constexpr std::string_view kScalarsAndSets = "S N B SS NS BS BOOL NULL L M ";
constexpr std::array<OperatorRule, 13> kOperators = {{
    {"EQ", Condition::Kind::kEqual, false, 1, 1, kScalarsAndSets},
    {"NE", Condition::Kind::kNotEqual, false, 1, 1, kScalarsAndSets},
    {"LE", Condition::Kind::kLessOrEqual, false, 1, 1, kScalars},
    {"LT", Condition::Kind::kLess, false, 1, 1, kScalars},
    {"GE", Condition::Kind::kGreaterOrEqual, false, 1, 1, kScalars},
    {"GT", Condition::Kind::kGreater, false, 1, 1, kScalars},
    {"NULL", Condition::Kind::kAttributeNotExists, false, 0, 0, ""},
    {"NOT_NULL", Condition::Kind::kAttributeExists, false, 0, 0, ""},
    {"CONTAINS", Condition::Kind::kContains, false, 1, 1, kScalars},
    {"NOT_CONTAINS", Condition::Kind::kContains, true, 1, 1, kScalars},
    {"BEGINS_WITH", Condition::Kind::kBeginsWith, false, 1, 1, "S B "},
    {"IN", Condition::Kind::kIn, false, 1, kManyValues, kScalars},
    {"BETWEEN", Condition::Kind::kBetween, false, 2, 2, kScalars},
}};

Refusal invalid_values(std::string text) {
  return validation("One or more parameter values were invalid: " + std::move(text));
}

const OperatorRule* rule_of(std::string_view name) {
  for (const OperatorRule& rule : kOperators)
    if (rule.name == name) return &rule;
  return nullptr;
}

Refusal unknown_operator(std::string_view shown, std::string_view where) {
  return validation(fmt::format(
      "1 validation error detected: Value '{}' at '{}.member.comparisonOperator' failed to satisfy "
      "constraint: Member must satisfy enum value set: [IN, NULL, BETWEEN, LT, NOT_CONTAINS, EQ, GT, "
      "NOT_NULL, NE, LE, BEGINS_WITH, GE, CONTAINS]",
      shown, where));
}

Operand path_operand(const std::string& attribute) {
  return {.kind = Operand::Kind::kPath, .path = {PathStep{.name = attribute}}};
}

// One attribute's condition, with its values.
struct Comparison {
  const OperatorRule* rule = nullptr;
  std::vector<AttributeValue> values = {};
};

Outcome read_values(const Json& structure, std::vector<AttributeValue>* values) {
  const Json* list = structure.find("AttributeValueList");
  if (list == nullptr) return std::nullopt;
  if (list->kind != Json::Kind::kList) return serialization("Unexpected field type");
  for (const Json& item : list->items) LEASES_TRY(read_value(item, &values->emplace_back()));
  return std::nullopt;
}

Outcome check_comparison(const Comparison& comparison) {
  const OperatorRule& rule = *comparison.rule;
  const auto& values = comparison.values;
  if (values.size() < rule.values_min || values.size() > rule.values_max)
    return invalid_values(
        fmt::format("Invalid number of argument(s) for the {} ComparisonOperator", rule.name));
  for (const AttributeValue& value : values) {
    if (value.type != values.front().type)
      return invalid_values("AttributeValues inside AttributeValueList must be of same type");
    const std::string type = std::string(type_name(value.type)) + ' ';
    if ((" " + std::string(rule.types)).find(" " + type) == std::string::npos)
      return invalid_values(fmt::format("ComparisonOperator {} is not valid for {} AttributeValue type",
                                        rule.name, type_name(value.type)));
  }
  if (rule.kind == Condition::Kind::kBetween && compare(values[0], values[1]) > 0)
    return validation(
        "The BETWEEN condition was provided a range where the lower bound is greater than the upper bound");
  return std::nullopt;
}

Outcome read_comparison(const Json& structure, std::string_view where, Comparison* comparison) {
  if (structure.kind != Json::Kind::kMap) return serialization("Unexpected value type in payload");
  const Json* name = structure.find("ComparisonOperator");
  const std::string operator_name = name != nullptr && name->kind == Json::Kind::kText ? name->text : "null";
  comparison->rule = rule_of(operator_name);
  if (comparison->rule == nullptr) return unknown_operator(operator_name.substr(0, 64), where);
  return read_values(structure, &comparison->values);
}

Condition to_condition(const std::string& attribute, Comparison comparison) {
  Condition condition{.kind = comparison.rule->kind};
  condition.operands.push_back(path_operand(attribute));
  for (AttributeValue& value : comparison.values)
    condition.operands.push_back(
        {.kind = Operand::Kind::kValue, .value = std::make_shared<const AttributeValue>(std::move(value))});
  if (!comparison.rule->negated) return condition;
  Condition negation{.kind = Condition::Kind::kNot};
  negation.parts.push_back(std::move(condition));
  return negation;
}

Outcome read_expectation(const std::string& attribute, const Json& structure, Comparison* comparison) {
  if (structure.kind != Json::Kind::kMap) return serialization("Unexpected value type in payload");
  const Json* value = structure.find("Value");
  const Json* exists = structure.find("Exists");
  const bool has_list = structure.find("AttributeValueList") != nullptr;
  if (has_list && value != nullptr)
    return invalid_values(
        fmt::format("Value and AttributeValueList cannot be used together for Attribute: {}", attribute));
  if (structure.find("ComparisonOperator") != nullptr) {
    if (exists != nullptr)
      return invalid_values(
          fmt::format("Exists and ComparisonOperator cannot be used together for Attribute: {}", attribute));
    LEASES_TRY(read_comparison(structure, "expected", comparison));
    if (comparison->rule->values_min > 0 && !has_list && value == nullptr)
      return invalid_values(
          fmt::format("Value or AttributeValueList must be used with ComparisonOperator: {} for "
                      "Attribute: {}",
                      comparison->rule->name, attribute));
    if (value != nullptr) LEASES_TRY(read_value(*value, &comparison->values.emplace_back()));
    return check_comparison(*comparison);
  }
  if (has_list)
    return invalid_values(fmt::format(
        "AttributeValueList can only be used with a ComparisonOperator for Attribute: {}", attribute));
  const bool wanted = exists == nullptr || exists->boolean;
  if (exists != nullptr && exists->kind != Json::Kind::kBoolean)
    return serialization("Unexpected token received from parser");
  if (wanted && value == nullptr)
    return invalid_values(fmt::format("Value must be provided when Exists is {} for Attribute: {}",
                                      exists == nullptr ? "null" : "true", attribute));
  if (!wanted && value != nullptr)
    return invalid_values(
        fmt::format("Value cannot be used when Exists is false for Attribute: {}", attribute));
  comparison->rule = rule_of(wanted ? "EQ" : "NULL");
  if (value != nullptr) LEASES_TRY(read_value(*value, &comparison->values.emplace_back()));
  return std::nullopt;
}

template <typename Read>
Outcome read_conditions(const Json& request, std::string_view parameter, bool any_suffices,
                        std::optional<Condition>* condition, Read read) {
  const Json* map = request.find(parameter);
  if (map == nullptr) return std::nullopt;
  if (map->kind != Json::Kind::kMap) return serialization("Unexpected field type");
  Condition all{.kind = any_suffices ? Condition::Kind::kOr : Condition::Kind::kAnd};
  for (std::size_t i = 0; i < map->items.size(); ++i) {
    Comparison comparison;
    LEASES_TRY(read(map->names[i], map->items[i], &comparison));
    all.parts.push_back(to_condition(map->names[i], std::move(comparison)));
  }
  if (!all.parts.empty()) *condition = std::move(all);
  return std::nullopt;
}

Outcome read_update(const std::string& name, const Json& structure, AttributeUpdate* update) {
  if (structure.kind != Json::Kind::kMap) return serialization("Unexpected value type in payload");
  update->name = name;
  Complaints complaints;
  Parameters parameters(structure, complaints, "attributeUpdates." + name + ".member");
  const auto action = parameters.text_of("Action", {"ADD", "PUT", "DELETE"});
  LEASES_TRY(complaints.refusal());
  if (action == "ADD") update->action = AttributeUpdate::Action::kAdd;
  if (action == "DELETE") update->action = AttributeUpdate::Action::kDelete;
  const Json* value = structure.find("Value");
  if (value == nullptr) {
    if (update->action == AttributeUpdate::Action::kDelete) return std::nullopt;
    return invalid_values("Only DELETE action is allowed when no attribute value is specified");
  }
  AttributeValue read;
  LEASES_TRY(read_value(*value, &read));
  if (update->action == AttributeUpdate::Action::kDelete && !read.is_set())
    return invalid_values(
        fmt::format("DELETE action with value is not supported for the type {}", type_name(read.type)));
  const bool adds = read.is_set() || read.is(AttributeType::kNumber) || read.is(AttributeType::kList);
  if (update->action == AttributeUpdate::Action::kAdd && !adds)
    return invalid_values(fmt::format("ADD action is not supported for the type {}", type_name(read.type)));
  update->value = std::move(read);
  return std::nullopt;
}

Outcome add(const AttributeValue& value, AttributeValue* there) {
  if (value.is(AttributeType::kNumber)) {
    const auto sum = dynamodb::add(*parse_number(there->text()), *parse_number(value.text()));
    if (!sum.ok()) return validation(sum.error().text);
    *there = AttributeValue::number(sum->text());
  } else if (value.is(AttributeType::kList)) {
    there->list().insert(there->list().end(), value.list().begin(), value.list().end());
  } else {
    AttributeSet both;
    std::set_union(there->set().begin(), there->set().end(), value.set().begin(), value.set().end(),
                   std::back_inserter(both));
    there->set() = std::move(both);
  }
  return std::nullopt;
}

Refusal invalid_operator(std::string_view name) {
  return validation(fmt::format("Invalid operator used in KeyConditionExpression: {}", name));
}

std::string_view operator_name(Condition::Kind kind) {
  switch (kind) {
    case Condition::Kind::kOr:
      return "OR";
    case Condition::Kind::kNot:
      return "NOT";
    case Condition::Kind::kNotEqual:
      return "<>";
    case Condition::Kind::kIn:
      return "IN";
    case Condition::Kind::kAttributeExists:
      return "attribute_exists";
    case Condition::Kind::kAttributeNotExists:
      return "attribute_not_exists";
    case Condition::Kind::kAttributeType:
      return "attribute_type";
    case Condition::Kind::kContains:
      return "contains";
    default:
      return "";
  }
}

Condition::Kind turned_round(Condition::Kind kind) {
  switch (kind) {
    case Condition::Kind::kLess:
      return Condition::Kind::kGreater;
    case Condition::Kind::kLessOrEqual:
      return Condition::Kind::kGreaterOrEqual;
    case Condition::Kind::kGreater:
      return Condition::Kind::kLess;
    case Condition::Kind::kGreaterOrEqual:
      return Condition::Kind::kLessOrEqual;
    default:
      return kind;
  }
}

Outcome one_key_condition(const Condition& condition, KeyCondition* key) {
  key->kind = condition.kind;
  bool named = false;
  for (std::size_t i = 0; i < condition.operands.size(); ++i) {
    const Operand& operand = condition.operands[i];
    if (operand.kind == Operand::Kind::kSize)
      return validation("KeyConditionExpressions cannot contain nested operations");
    if (operand.kind == Operand::Kind::kValue) {
      key->values.push_back(*operand.value);
      continue;
    }
    if (std::exchange(named, true))
      return validation(
          "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition");
    if (operand.path.size() > 1)
      return validation("KeyConditionExpressions cannot have conditions on nested attributes");
    key->attribute = operand.path.front().name;
    if (i == 0) continue;
    if (condition.kind == Condition::Kind::kBetween || condition.kind == Condition::Kind::kBeginsWith)
      return validation(
          fmt::format("Invalid condition in KeyConditionExpression: {} operator must have the key "
                      "attribute as its first operand",
                      condition.kind == Condition::Kind::kBetween ? "BETWEEN" : "begins_with"));
    key->kind = turned_round(condition.kind);
  }
  if (!named) return validation("Invalid condition in KeyConditionExpression: No key attribute specified");
  return std::nullopt;
}

}  // namespace

Outcome read_expected(const Json& request, bool any_suffices, std::optional<Condition>* condition) {
  return read_conditions(request, "Expected", any_suffices, condition, read_expectation);
}

Outcome read_filter(const Json& request, std::string_view parameter, bool any_suffices,
                    std::optional<Condition>* condition) {
  return read_conditions(request, parameter, any_suffices, condition,
                         [](const std::string&, const Json& structure, Comparison* comparison) -> Outcome {
                           LEASES_TRY(read_comparison(structure, "filter", comparison));
                           return check_comparison(*comparison);
                         });
}

Outcome read_attribute_updates(const Json& request, std::vector<AttributeUpdate>* updates) {
  const Json* map = request.find("AttributeUpdates");
  if (map == nullptr) return std::nullopt;
  if (map->kind != Json::Kind::kMap) return serialization("Unexpected field type");
  for (std::size_t i = 0; i < map->items.size(); ++i)
    LEASES_TRY(read_update(map->names[i], map->items[i], &updates->emplace_back()));
  return std::nullopt;
}

Outcome apply(const std::vector<AttributeUpdate>& updates, Attributes& item) {
  for (const AttributeUpdate& update : updates) {
    const auto there = item.find(update.name);
    if (!update.value.has_value()) {
      if (there != item.end()) item.erase(there);
      continue;
    }
    const bool deletes = update.action == AttributeUpdate::Action::kDelete;
    if (update.action == AttributeUpdate::Action::kPut || (there == item.end() && !deletes)) {
      item.insert_or_assign(update.name, *update.value);
      continue;
    }
    if (there == item.end()) continue;
    if (there->second.type != update.value->type) return validation("Type mismatch for attribute to update");
    if (!deletes) {
      LEASES_TRY(add(*update.value, &there->second));
      continue;
    }
    AttributeSet left;
    std::set_difference(there->second.set().begin(), there->second.set().end(), update.value->set().begin(),
                        update.value->set().end(), std::back_inserter(left));
    if (left.empty())
      item.erase(there);
    else
      there->second.set() = std::move(left);
  }
  return std::nullopt;
}

Outcome read_key_conditions(const Json& request, std::vector<KeyCondition>* conditions) {
  const Json* map = request.find("KeyConditions");
  if (map == nullptr) return std::nullopt;
  if (map->kind != Json::Kind::kMap) return serialization("Unexpected field type");
  for (std::size_t i = 0; i < map->items.size(); ++i) {
    Comparison comparison;
    LEASES_TRY(read_comparison(map->items[i], "keyConditions", &comparison));
    LEASES_TRY(check_comparison(comparison));
    if (comparison.rule->negated || !operator_name(comparison.rule->kind).empty())
      return validation("Attempted conditional constraint is not an indexable operation");
    conditions->push_back({map->names[i], comparison.rule->kind, std::move(comparison.values)});
  }
  if (conditions->empty() || conditions->size() > 2)
    return validation("Conditions can be of length 1 or 2 only");
  return std::nullopt;
}

Outcome key_conditions_of(const Condition& expression, std::vector<KeyCondition>* conditions) {
  if (const auto name = operator_name(expression.kind); !name.empty()) return invalid_operator(name);
  if (expression.kind == Condition::Kind::kAnd) {
    for (const Condition& part : expression.parts) LEASES_TRY(key_conditions_of(part, conditions));
  } else {
    KeyCondition key;
    LEASES_TRY(one_key_condition(expression, &key));
    for (const KeyCondition& other : *conditions)
      if (other.attribute == key.attribute)
        return validation("KeyConditionExpressions must only contain one condition per key");
    conditions->push_back(std::move(key));
  }
  if (conditions->size() > 2) return validation("Conditions can be of length 1 or 2 only");
  return std::nullopt;
}

}  // namespace millrace::leases::dynamodb
