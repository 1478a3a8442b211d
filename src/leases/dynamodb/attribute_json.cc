#include "leases/dynamodb/attribute_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/base64.h"
#include "leases/dynamodb/number.h"
#include "leases/dynamodb/parameters.h"

namespace millrace::leases::dynamodb {
namespace {

std::optional<AttributeType> type_of(std::string_view name) {
  for (std::size_t i = 0; i < kAttributeTypes; ++i)
    if (type_name(static_cast<AttributeType>(i)) == name) return static_cast<AttributeType>(i);
  return std::nullopt;
}

Outcome read_text(const Json& json, std::string* text) {
  if (json.kind != Json::Kind::kText) return serialization(type_complaint(json, "String"));
  *text = json.text;
  return std::nullopt;
}

Outcome read_blob(const Json& json, std::string* bytes) {
  if (json.kind == Json::Kind::kList)
    return serialization("Unrecognized collection type class java.nio.ByteBuffer");
  if (json.kind == Json::Kind::kMap)
    return serialization("Start of structure or map found where not expected");
  if (json.kind != Json::Kind::kText)
    return serialization("only base-64-encoded strings are convertible to bytes");
  const auto size = base64_decoded_size(json.text);
  if (!size.has_value())
    return serialization(fmt::format("Base64 encoded length is expected a multiple of 4 bytes but found: {}",
                                     json.text.size()));
  const Bytes padded(json.text);  // the kernels read and write beyond
  constexpr std::size_t kSlack = 64;
  bytes->resize(*size + kSlack);
  if (!base64_decode(padded.text(), reinterpret_cast<std::uint8_t*>(bytes->data())))
    return serialization("Invalid last non-pad Base64 character dectected");  // the service's spelling
  bytes->resize(*size);
  bytes->shrink_to_fit();
  return std::nullopt;
}

Outcome read_number(const Json& json, std::string* canonical) {
  std::string text;
  LEASES_TRY(read_text(json, &text));
  const auto number = parse_number(text);
  if (!number.ok()) return validation(number.error().text);
  *canonical = number->text();
  return std::nullopt;
}

Outcome read_set(AttributeType type, const Json& json, AttributeSet* set) {
  if (json.kind == Json::Kind::kMap)
    return serialization("Start of structure or map found where not expected");
  if (json.kind != Json::Kind::kList) return serialization("Unexpected field type");
  for (const Json& item : json.items) {
    std::string& element = set->emplace_back();
    LEASES_TRY(type == AttributeType::kStringSet   ? read_text(item, &element)
               : type == AttributeType::kNumberSet ? read_number(item, &element)
                                                   : read_blob(item, &element));
  }
  if (set->empty())
    return validation(
        type == AttributeType::kBinarySet
            ? "One or more parameter values were invalid: Binary sets should not be empty"
            : fmt::format("One or more parameter values were invalid: An {} set  may not be empty",
                          type == AttributeType::kStringSet ? "string" : "number"));
  const AttributeSet as_sent = *set;
  std::sort(set->begin(), set->end());
  if (std::adjacent_find(set->begin(), set->end()) == set->end()) return std::nullopt;
  switch (type) {
    case AttributeType::kNumberSet:
      return validation("Input collection contains duplicates");
    case AttributeType::kBinarySet:
      return validation(
          "One or more parameter values were invalid: Input collection of type BS contains duplicates.");
    default: {
      constexpr std::size_t kShownMax = 1'024;
      return validation(
          fmt::format("One or more parameter values were invalid: Input collection [{}] contains duplicates.",
                      fmt::format("{}", fmt::join(as_sent, ", ")).substr(0, kShownMax)));
    }
  }
}

Outcome read_nested(const Json& json, AttributeValue* value, std::size_t depth);

Outcome read_nested_map(const Json& json, Attributes* attributes, std::size_t depth) {
  if (json.kind == Json::Kind::kList)
    return serialization(
        "Unrecognized collection type java.util.Map<java.lang.String, "
        "com.amazonaws.dynamodb.v20120810.AttributeValue>");
  if (json.kind != Json::Kind::kMap) return serialization("Unexpected field type");
  for (std::size_t i = 0; i < json.items.size(); ++i) {
    AttributeValue value;
    LEASES_TRY(read_nested(json.items[i], &value, depth));
    attributes->insert_or_assign(json.names[i], std::move(value));
  }
  return std::nullopt;
}

Outcome read_nested_list(const Json& json, AttributeList* list, std::size_t depth) {
  if (json.kind == Json::Kind::kMap)
    return serialization("Start of structure or map found where not expected");
  if (json.kind != Json::Kind::kList) return serialization("Unexpected field type");
  list->resize(json.items.size());
  for (std::size_t i = 0; i < json.items.size(); ++i)
    LEASES_TRY(read_nested(json.items[i], &(*list)[i], depth));
  return std::nullopt;
}

Outcome read_boolean(const Json& json, bool* value) {
  if (json.kind != Json::Kind::kBoolean)
    return serialization(json.kind == Json::Kind::kText ? "Unexpected token received from parser"
                                                        : type_complaint(json, "Boolean"));
  *value = json.boolean;
  return std::nullopt;
}

Outcome read_of_type(AttributeType type, const Json& json, AttributeValue* value, std::size_t depth) {
  value->type = type;
  bool boolean = false;
  switch (type) {
    case AttributeType::kString:
      return read_text(json, &value->held.emplace<std::string>());
    case AttributeType::kNumber:
      return read_number(json, &value->held.emplace<std::string>());
    case AttributeType::kBinary:
      return read_blob(json, &value->held.emplace<std::string>());
    case AttributeType::kBoolean:
      LEASES_TRY(read_boolean(json, &boolean));
      value->held = boolean;
      return std::nullopt;
    case AttributeType::kNull:
      LEASES_TRY(read_boolean(json, &boolean));
      value->held = true;
      if (!boolean)
        return validation(
            "One or more parameter values were invalid: Null attribute value types must have the value of "
            "true");
      return std::nullopt;
    case AttributeType::kMap:
      return read_nested_map(json, &value->held.emplace<Attributes>(), depth + 1);
    case AttributeType::kList:
      return read_nested_list(json, &value->held.emplace<AttributeList>(), depth + 1);
    case AttributeType::kStringSet:
    case AttributeType::kNumberSet:
    case AttributeType::kBinarySet:
      return read_set(type, json, &value->held.emplace<AttributeSet>());
  }
  return std::nullopt;
}

Outcome read_nested(const Json& json, AttributeValue* value, std::size_t depth) {
  if (depth > kAttributeDepthMax)
    return validation(
        "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond "
        "supported limit");
  if (json.kind == Json::Kind::kList)
    return serialization(
        "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.AttributeValue");
  if (json.kind != Json::Kind::kMap) return serialization("Unexpected value type in payload");
  std::optional<AttributeType> found;
  const Json* held = nullptr;
  for (std::size_t i = 0; i < json.items.size(); ++i) {
    const auto type = type_of(json.names[i]);
    if (!type.has_value() || json.items[i].kind == Json::Kind::kNull) continue;
    if (found.has_value() && found != type)
      return validation(
          "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the "
          "supported "
          "datatypes");
    found = type;
    held = &json.items[i];
  }
  if (!found.has_value())
    return validation(
        "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes");
  return read_of_type(*found, *held, value, depth);
}

void write_text(AttributeType type, const std::string& text, api::Writer& writer) {
  if (type == AttributeType::kBinary || type == AttributeType::kBinarySet)
    writer.blob(as_bytes(text));
  else
    writer.text(text);
}

}  // namespace

Outcome read_value(const Json& json, AttributeValue* value) { return read_nested(json, value, 1); }

Outcome read_attributes(const Json& json, Attributes* attributes) {
  return read_nested_map(json, attributes, 1);
}

void write_value(const AttributeValue& value, api::Writer& writer) {
  writer.begin_object();
  writer.key(type_name(value.type));
  switch (value.type) {
    case AttributeType::kString:
    case AttributeType::kNumber:
    case AttributeType::kBinary:
      write_text(value.type, value.text(), writer);
      break;
    case AttributeType::kBoolean:
      writer.boolean(value.boolean());
      break;
    case AttributeType::kNull:
      writer.boolean(true);
      break;
    case AttributeType::kMap:
      write_attributes(value.map(), writer);
      break;
    case AttributeType::kList:
      writer.begin_list();
      for (const AttributeValue& element : value.list()) write_value(element, writer);
      writer.end_list();
      break;
    case AttributeType::kStringSet:
    case AttributeType::kNumberSet:
    case AttributeType::kBinarySet:
      writer.begin_list();
      for (const std::string& element : value.set()) write_text(value.type, element, writer);
      writer.end_list();
      break;
  }
  writer.end_object();
}

void write_attributes(const Attributes& attributes, api::Writer& writer) {
  writer.begin_object();
  for (const auto& [name, value] : attributes) {
    writer.key(name);
    write_value(value, writer);
  }
  writer.end_object();
}

void write_member(std::string_view name, const Attributes& attributes, api::Writer& writer) {
  writer.key(name);
  write_attributes(attributes, writer);
}

}  // namespace millrace::leases::dynamodb
