// What conditions say of an item.
#include <algorithm>
#include <iterator>

#include "base/assert.h"
#include "leases/dynamodb/expression.h"

namespace millrace::leases::dynamodb {
namespace {

// Characters as the service counts them: of UTF-16.
std::size_t character_count(std::string_view utf8) {
  std::size_t count = 0;
  for (const char c : utf8) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xc0) != 0x80) count += byte >= 0xf0 ? 2 : 1;
  }
  return count;
}

std::optional<std::size_t> size_of(const AttributeValue& value) {
  switch (value.type) {
    case AttributeType::kString:
      return character_count(value.text());
    case AttributeType::kBinary:
      return value.text().size();
    case AttributeType::kMap:
      return value.map().size();
    case AttributeType::kList:
      return value.list().size();
    case AttributeType::kStringSet:
    case AttributeType::kNumberSet:
    case AttributeType::kBinarySet:
      return value.set().size();
    case AttributeType::kNumber:
    case AttributeType::kBoolean:
    case AttributeType::kNull:
      break;
  }
  return std::nullopt;
}

// An operand's value for one item. Stays where it is: `value` may point into it.
struct Resolved {
  Resolved(const Operand& operand, const Attributes& item) {
    switch (operand.kind) {
      case Operand::Kind::kValue:
        value = operand.value.get();
        break;
      case Operand::Kind::kPath:
        value = find(operand.path, item);
        break;
      case Operand::Kind::kSize: {
        const Resolved inner(operand.operands[0], item);
        const auto size = inner.value == nullptr ? std::nullopt : size_of(*inner.value);
        if (!size.has_value()) break;
        computed = AttributeValue::number(std::to_string(*size));
        value = &computed;
        break;
      }
      case Operand::Kind::kIfNotExists:
      case Operand::Kind::kListAppend:
      case Operand::Kind::kPlus:
      case Operand::Kind::kMinus:
        assertion_failed("an operand of a condition", __FILE__, __LINE__);
    }
  }
  Resolved(const Resolved&) = delete;
  Resolved& operator=(const Resolved&) = delete;

  const AttributeValue* value = nullptr;
  AttributeValue computed;
};

bool ordered(Condition::Kind kind, const AttributeValue& a, const AttributeValue& b) {
  if (!comparable(a, b)) return false;
  const int order = compare(a, b);
  switch (kind) {
    case Condition::Kind::kLess:
      return order < 0;
    case Condition::Kind::kLessOrEqual:
      return order <= 0;
    case Condition::Kind::kGreater:
      return order > 0;
    default:
      return order >= 0;
  }
}

bool begins_with(const AttributeValue& value, const AttributeValue& prefix) {
  if (value.type != prefix.type) return false;
  if (!value.is(AttributeType::kString) && !value.is(AttributeType::kBinary)) return false;
  return value.text().starts_with(prefix.text());
}

bool contains(const AttributeValue& value, const AttributeValue& part) {
  const auto in_set = [&](AttributeType element) {
    return part.is(element) && std::binary_search(value.set().begin(), value.set().end(), part.text());
  };
  switch (value.type) {
    case AttributeType::kString:
    case AttributeType::kBinary:
      return value.type == part.type && value.text().find(part.text()) != std::string::npos;
    case AttributeType::kStringSet:
      return in_set(AttributeType::kString);
    case AttributeType::kNumberSet:
      return in_set(AttributeType::kNumber);
    case AttributeType::kBinarySet:
      return in_set(AttributeType::kBinary);
    case AttributeType::kList:
      return std::find(value.list().begin(), value.list().end(), part) != value.list().end();
    case AttributeType::kNumber:
    case AttributeType::kBoolean:
    case AttributeType::kNull:
    case AttributeType::kMap:
      break;
  }
  return false;
}

bool compares(const Condition& condition, const Attributes& item) {
  const Resolved first(condition.operands[0], item);
  if (condition.kind == Condition::Kind::kAttributeExists) return first.value != nullptr;
  if (condition.kind == Condition::Kind::kAttributeNotExists) return first.value == nullptr;
  const auto equals = [&](const Operand& operand) {
    const Resolved other(operand, item);
    return first.value != nullptr && other.value != nullptr && *first.value == *other.value;
  };
  if (condition.kind == Condition::Kind::kIn)
    return std::any_of(std::next(condition.operands.begin()), condition.operands.end(), equals);
  if (condition.kind == Condition::Kind::kNotEqual) return !equals(condition.operands[1]);

  const Resolved second(condition.operands[1], item);
  if (first.value == nullptr || second.value == nullptr) return false;
  switch (condition.kind) {
    case Condition::Kind::kEqual:
      return *first.value == *second.value;
    case Condition::Kind::kBetween: {
      const Resolved third(condition.operands[2], item);
      return third.value != nullptr &&
             ordered(Condition::Kind::kGreaterOrEqual, *first.value, *second.value) &&
             ordered(Condition::Kind::kLessOrEqual, *first.value, *third.value);
    }
    case Condition::Kind::kAttributeType:
      return type_name(first.value->type) == second.value->text();
    case Condition::Kind::kBeginsWith:
      return begins_with(*first.value, *second.value);
    case Condition::Kind::kContains:
      return contains(*first.value, *second.value);
    default:
      return ordered(condition.kind, *first.value, *second.value);
  }
}

}  // namespace

bool holds(const Condition& condition, const Attributes& item) {
  const auto part_holds = [&item](const Condition& part) { return holds(part, item); };
  switch (condition.kind) {
    case Condition::Kind::kAnd:
      return std::all_of(condition.parts.begin(), condition.parts.end(), part_holds);
    case Condition::Kind::kOr:
      return std::any_of(condition.parts.begin(), condition.parts.end(), part_holds);
    case Condition::Kind::kNot:
      return !part_holds(condition.parts[0]);
    default:
      return compares(condition, item);
  }
}

const AttributeValue* find(const Path& path, const Attributes& item) {
  const Attributes* map = &item;
  const AttributeValue* at = nullptr;
  for (const PathStep& step : path) {
    if (at != nullptr) map = at->is(AttributeType::kMap) ? &at->map() : nullptr;
    if (step.index.has_value()) {
      if (at == nullptr || !at->is(AttributeType::kList) || *step.index >= at->list().size()) return nullptr;
      at = &at->list()[*step.index];
      continue;
    }
    if (map == nullptr) return nullptr;
    const auto found = map->find(step.name);
    if (found == map->end()) return nullptr;
    at = &found->second;
  }
  return at;
}

}  // namespace millrace::leases::dynamodb
