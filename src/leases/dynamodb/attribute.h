// leases/dynamodb/attribute.h: the values that an item's attributes have.
// source: DynamoDB API reference, AttributeValue; developer guide, "DynamoDB item sizes and formats"
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace millrace::leases::dynamodb {

enum class AttributeType : std::uint8_t {
  kString,
  kNumber,
  kBinary,
  kBoolean,
  kNull,
  kMap,
  kList,
  kStringSet,
  kNumberSet,
  kBinarySet,
};
inline constexpr std::size_t kAttributeTypes = 10;
// "S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS"
std::string_view type_name(AttributeType type);

struct AttributeValue;
using Attributes = std::map<std::string, AttributeValue, std::less<>>;
using AttributeList = std::vector<AttributeValue>;
using AttributeSet = std::vector<std::string>;  // sorted, without doubles

// A number's text is Number::text(), so that equal numbers are equal texts; binary is bytes, not base64.
struct AttributeValue {
  AttributeType type = AttributeType::kNull;
  std::variant<std::string, bool, AttributeList, Attributes, AttributeSet> held;

  static AttributeValue of_text(AttributeType type, std::string text);
  static AttributeValue number(std::string text) { return of_text(AttributeType::kNumber, std::move(text)); }
  static AttributeValue string(std::string text) { return of_text(AttributeType::kString, std::move(text)); }

  // Each of a value of such a type only.
  const std::string& text() const { return std::get<std::string>(held); }
  bool boolean() const { return std::get<bool>(held); }
  const AttributeList& list() const { return std::get<AttributeList>(held); }
  AttributeList& list() { return std::get<AttributeList>(held); }
  const Attributes& map() const { return std::get<Attributes>(held); }
  Attributes& map() { return std::get<Attributes>(held); }
  const AttributeSet& set() const { return std::get<AttributeSet>(held); }
  AttributeSet& set() { return std::get<AttributeSet>(held); }

  bool is(AttributeType other) const { return type == other; }
  bool is_set() const { return std::holds_alternative<AttributeSet>(held); }
  friend bool operator==(const AttributeValue& a, const AttributeValue& b) = default;
};

// An item never changes: a new one takes its place.
using Item = std::shared_ptr<const Attributes>;

inline constexpr std::size_t kItemBytesMax = 400 * 1'024;
inline constexpr std::size_t kAttributeDepthMax = 32;

// As the service counts them: names and values in UTF-8, and one or three bytes more where there is
// structure.
std::size_t value_bytes(const AttributeValue& value);
std::size_t item_bytes(const Attributes& item);
// Memory that it takes, about.
std::size_t memory_bytes(const Attributes& item);

// Whether two values of one type S, N or B stand in an order; and then less than, equal to or more than 0.
bool comparable(const AttributeValue& a, const AttributeValue& b);
int compare(const AttributeValue& a, const AttributeValue& b);

// Bytes of a key attribute's value (S, N or B) that sort as the values do.
std::string sort_key(const AttributeValue& value);

// "{S: abc,}", as messages show a value.
std::string shown(const AttributeValue& value);

}  // namespace millrace::leases::dynamodb
