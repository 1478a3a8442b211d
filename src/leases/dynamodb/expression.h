// leases/dynamodb/expression.h: condition, update and projection expressions, parsed, and what they do to an
// item. source: DynamoDB developer guide, "Expressions"; error texts as recorded from the service by public
// suites
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "leases/dynamodb/attribute.h"
#include "leases/dynamodb/refusal.h"

namespace millrace::leases::dynamodb {

inline constexpr std::size_t kExpressionBytesMax = 4'096;
inline constexpr std::size_t kExpressionDepthMax = 128;  // of parentheses and functions

// One step into a document: a map's attribute or a list's element.
struct PathStep {
  std::string name = {};
  std::optional<std::uint32_t> index = std::nullopt;  // of a list; then without a name
  friend bool operator==(const PathStep& a, const PathStep& b) = default;
};
using Path = std::vector<PathStep>;   // the first one has a name
std::string shown(const Path& path);  // "[a, [1], b]"

struct Operand {
  enum class Kind : std::uint8_t { kPath, kValue, kSize, kIfNotExists, kListAppend, kPlus, kMinus };
  Kind kind = Kind::kValue;
  Path path = {};                                    // kPath, kIfNotExists
  std::shared_ptr<const AttributeValue> value = {};  // kValue
  std::vector<Operand> operands = {};                // of kSize 1, of kIfNotExists 1, of the others 2
};

struct Condition {
  enum class Kind : std::uint8_t {
    kAnd,
    kOr,
    kNot,
    kEqual,
    kNotEqual,
    kLess,
    kLessOrEqual,
    kGreater,
    kGreaterOrEqual,
    kBetween,
    kIn,
    kAttributeExists,
    kAttributeNotExists,
    kAttributeType,
    kBeginsWith,
    kContains,
  };
  Kind kind = Kind::kAnd;
  std::vector<Condition> parts = {};   // of kAnd, kOr, kNot
  std::vector<Operand> operands = {};  // of all others
};

struct UpdateAction {
  enum class Kind : std::uint8_t { kSet, kRemove, kAdd, kDelete };
  Kind kind = Kind::kSet;
  Path path = {};
  Operand value = {};  // kAdd and kDelete: a kValue; kRemove: none
};
using Update = std::vector<UpdateAction>;

// The names and values that a request puts in place of "#n" and ":v".
struct Placeholders {
  std::map<std::string, std::string, std::less<>> names;
  std::map<std::string, std::shared_ptr<const AttributeValue>, std::less<>> values;
  std::set<std::string, std::less<>> used_names;
  std::set<std::string, std::less<>> used_values;

  // A refusal when one was given that no expression used.
  Outcome all_used() const;
};

// parameter   "ConditionExpression", for messages
Outcome parse_condition(std::string_view text, std::string_view parameter, Placeholders& placeholders,
                        Condition* condition);
Outcome parse_update(std::string_view text, Placeholders& placeholders, Update* update);
Outcome parse_projection(std::string_view text, Placeholders& placeholders, std::vector<Path>* paths);

// An item that does not exist is one without attributes.
bool holds(const Condition& condition, const Attributes& item);
// nullptr: there is nothing.
const AttributeValue* find(const Path& path, const Attributes& item);
// All values are those before the update. A refusal leaves `item` in between: use a copy.
Outcome apply(const Update& update, Attributes& item);
// Of `item` what the paths lead to, in maps and lists as deep as they are.
Attributes project(const std::vector<Path>& paths, const Attributes& item);

// Calls visit(path) for each path that occurs.
template <typename Visit>
void for_each_path(const Operand& operand, const Visit& visit) {
  if (!operand.path.empty()) visit(operand.path);
  for (const Operand& inner : operand.operands) for_each_path(inner, visit);
}
template <typename Visit>
void for_each_path(const Condition& condition, const Visit& visit) {
  for (const Condition& part : condition.parts) for_each_path(part, visit);
  for (const Operand& operand : condition.operands) for_each_path(operand, visit);
}

}  // namespace millrace::leases::dynamodb
