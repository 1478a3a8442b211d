#include "leases/dynamodb/attribute.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "base/assert.h"
#include "base/base64.h"
#include "leases/dynamodb/number.h"

namespace millrace::leases::dynamodb {
namespace {

constexpr std::array<std::string_view, kAttributeTypes> kTypeNames = {"S", "N", "B",  "BOOL", "NULL",
                                                                      "M", "L", "SS", "NS",   "BS"};

// A byte for each two digits, one for the exponent, one for a sign.
std::size_t number_bytes(std::string_view text) {
  std::size_t digits = 0;
  for (const char c : text) digits += c >= '0' && c <= '9' ? 1 : 0;
  return 1 + (digits + 1) / 2 + (text.starts_with('-') ? 1 : 0);
}

Number number_of(const std::string& text) {
  auto number = parse_number(text);
  MR_ASSERT(number.ok());  // it was one when it came in
  return std::move(*number);
}

}  // namespace

std::string_view type_name(AttributeType type) { return kTypeNames[static_cast<std::size_t>(type)]; }

AttributeValue AttributeValue::of_text(AttributeType type, std::string text) {
  AttributeValue value;
  value.type = type;
  value.held = std::move(text);
  return value;
}

std::size_t value_bytes(const AttributeValue& value) {
  constexpr std::size_t kStructureBytes = 3;
  std::size_t bytes = 0;
  switch (value.type) {
    case AttributeType::kString:
    case AttributeType::kBinary:
      return value.text().size();
    case AttributeType::kNumber:
      return number_bytes(value.text());
    case AttributeType::kBoolean:
    case AttributeType::kNull:
      return 1;
    case AttributeType::kMap:
      return kStructureBytes + value.map().size() + item_bytes(value.map());
    case AttributeType::kList:
      for (const AttributeValue& element : value.list()) bytes += 1 + value_bytes(element);
      return kStructureBytes + bytes;
    case AttributeType::kNumberSet:
      for (const std::string& element : value.set()) bytes += number_bytes(element);
      return bytes;
    case AttributeType::kStringSet:
    case AttributeType::kBinarySet:
      for (const std::string& element : value.set()) bytes += element.size();
      return bytes;
  }
  return 0;
}

std::size_t item_bytes(const Attributes& item) {
  std::size_t bytes = 0;
  for (const auto& [name, value] : item) bytes += name.size() + value_bytes(value);
  return bytes;
}

namespace {

std::size_t memory_bytes(const AttributeValue& value) {
  std::size_t bytes = sizeof(AttributeValue);
  if (const auto* text = std::get_if<std::string>(&value.held)) bytes += text->capacity();
  if (const auto* list = std::get_if<AttributeList>(&value.held))
    for (const AttributeValue& element : *list) bytes += memory_bytes(element);
  if (const auto* map = std::get_if<Attributes>(&value.held)) bytes += dynamodb::memory_bytes(*map);
  if (const auto* set = std::get_if<AttributeSet>(&value.held))
    for (const std::string& element : *set) bytes += sizeof(std::string) + element.capacity();
  return bytes;
}

}  // namespace

std::size_t memory_bytes(const Attributes& item) {
  constexpr std::size_t kNodeBytes = 64;  // of a map's entry, besides name and value
  std::size_t bytes = sizeof(Attributes);
  for (const auto& [name, value] : item) bytes += kNodeBytes + name.capacity() + memory_bytes(value);
  return bytes;
}

bool comparable(const AttributeValue& a, const AttributeValue& b) {
  return a.type == b.type &&
         (a.is(AttributeType::kString) || a.is(AttributeType::kNumber) || a.is(AttributeType::kBinary));
}

int compare(const AttributeValue& a, const AttributeValue& b) {
  MR_ASSERT(comparable(a, b));
  if (a.is(AttributeType::kNumber)) return compare(number_of(a.text()), number_of(b.text()));
  return a.text().compare(b.text());
}

std::string sort_key(const AttributeValue& value) {
  return value.is(AttributeType::kNumber) ? number_of(value.text()).sort_key() : value.text();
}

std::string shown(const AttributeValue& value) {
  std::string inside;
  switch (value.type) {
    case AttributeType::kString:
    case AttributeType::kNumber:
      inside = value.text();
      break;
    case AttributeType::kBinary:
      inside = fmt::format("{} bytes", value.text().size());
      break;
    case AttributeType::kBoolean:
      inside = value.boolean() ? "true" : "false";
      break;
    case AttributeType::kNull:
      inside = "true";
      break;
    case AttributeType::kMap:
      inside = fmt::format("{} attributes", value.map().size());
      break;
    case AttributeType::kList:
      inside = fmt::format("{} elements", value.list().size());
      break;
    case AttributeType::kStringSet:
    case AttributeType::kNumberSet:
    case AttributeType::kBinarySet:
      inside = fmt::format("{} elements", value.set().size());
      break;
  }
  constexpr std::size_t kShownMax = 256;
  return fmt::format("{{{}:{}}}", type_name(value.type), inside.substr(0, kShownMax));
}

}  // namespace millrace::leases::dynamodb
