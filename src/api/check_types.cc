// Type errors in the words of the service, recorded from it by third parties (kinesalite's tests).

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "api/decode.h"
#include "base/base64.h"

namespace millrace::api {
namespace {

using Kind = Value::Kind;

constexpr std::string_view kNumberClass = "class com.amazon.coral.value.json.numbers.TruncatingBigNumber";
constexpr std::string_view kListFound = "Start of list found where not expected";
constexpr std::string_view kMapFound = "Start of structure or map found where not expected.";

Outcome not_convertible(std::string_view what, std::string_view target) {
  return serialization(fmt::format("{} can not be converted to {}", what, target));
}

// A scalar's error where it is neither of `right` kind nor convertible; `target` as the message names it.
Outcome check_scalar(const Value& value, Kind right, std::string_view target) {
  if (value.kind == right) return std::nullopt;
  switch (value.kind) {
    case Kind::kBoolean:
      return not_convertible("class java.lang.Boolean", target);
    case Kind::kNumber:
      return not_convertible(kNumberClass, target);
    case Kind::kString:
      return not_convertible("class java.lang.String", target);
    case Kind::kBytes:
      return not_convertible("class java.nio.HeapByteBuffer", target);
    case Kind::kList:
      return serialization(std::string(kListFound));
    case Kind::kMap:
      return serialization(std::string(kMapFound));
    case Kind::kNull:
      break;
  }
  return std::nullopt;
}

Outcome check_boolean(const Value& value) {
  if (value.kind == Kind::kString) {
    std::string upper = value.text;
    std::transform(upper.begin(), upper.end(), upper.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
    return not_convertible("'" + upper + "'", "an Boolean");
  }
  return check_scalar(value, Kind::kBoolean, "an Boolean");
}

// CBOR has a NaN, of which no number can be made.
Outcome check_number(const Value& value, std::string_view target) {
  if (value.kind == Kind::kNumber && std::isnan(value.number)) return not_convertible(kNumberClass, target);
  return check_scalar(value, Kind::kNumber, target);
}

Outcome check_integer(Value& value) {
  if (Outcome error = check_number(value, "an Integer"); error.has_value()) return error;
  value.integer = std::clamp<std::int64_t>(value.integer, std::numeric_limits<std::int32_t>::min(),
                                           std::numeric_limits<std::int32_t>::max());
  return std::nullopt;
}

bool is_base64_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
}

// The first character that cannot stand where it does; npos when each can.
std::size_t wrong_base64_character(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_base64_character(text[i])) continue;
    if (text[i] != '=' || (i + 1 < text.size() && text[i + 1] != '=')) return i;
  }
  return std::string_view::npos;
}

Outcome check_blob(Value& value) {
  if (value.kind == Kind::kBytes) return std::nullopt;
  if (value.kind != Kind::kString) return check_scalar(value, Kind::kBytes, "a Blob");
  Bytes text(value.text);  // with slack behind it for the decoder
  const auto error = [&](const std::string& reason) {
    return serialization(fmt::format("'{}' can not be converted to a Blob: {}", text.text(), reason));
  };
  if (const std::size_t units = utf16_length(text.text()); units % 4 != 0)
    return error(fmt::format("Base64 encoded length is expected a multiple of 4 bytes but found: {}", units));
  const std::size_t wrong = wrong_base64_character(text.text());
  if (wrong != std::string_view::npos) {
    // A character of several bytes is shown whole.
    std::size_t end = wrong + 1;
    while (end < text.size() && (text[end] & 0xc0) == 0x80) ++end;
    return error(fmt::format("Invalid Base64 character: '{}'", text.text().substr(wrong, end - wrong)));
  }
  const auto size = base64_decoded_size(text.text());
  MR_ASSERT(size.has_value());                      // each of its characters is one byte
  Bytes decoded = Bytes::with_capacity(*size + 1);  // never without memory, for the decoder's slack
  decoded.resize(*size);
  if (!text.empty() && !base64_decode(text.text(), decoded.data()))
    return error("Invalid last non-pad Base64 character dectected");
  value.text.assign(decoded.text());
  value.kind = Kind::kBytes;
  return std::nullopt;
}

Outcome check_timestamp(const Value& value) { return check_number(value, "milliseconds since epoch"); }

Outcome check_container(const Value& value, Kind right, std::string_view expected) {
  if (value.kind == right) return std::nullopt;
  if (value.kind == Kind::kList) return serialization(std::string(kListFound));
  if (value.kind == Kind::kMap) return serialization(std::string(kMapFound));
  return serialization(std::string(expected));
}

Outcome check_strings(const Value& container) {
  for (const Value& item : container.items)
    if (Outcome error = check_scalar(item, Kind::kString, "an String"); error.has_value()) return error;
  return std::nullopt;
}

Outcome check_field(const Field& field, Value& value) {
  switch (field.type) {
    case FieldType::kString:
      return check_scalar(value, Kind::kString, "an String");
    case FieldType::kInteger:
      return check_integer(value);
    case FieldType::kBoolean:
      return check_boolean(value);
    case FieldType::kBlob:
      return check_blob(value);
    case FieldType::kTimestamp:
      return check_timestamp(value);
    case FieldType::kStringList:
      if (Outcome error = check_container(value, Kind::kList, "Expected list or null"); error.has_value())
        return error;
      return check_strings(value);
    case FieldType::kStringMap:
      if (Outcome error = check_container(value, Kind::kMap, "Expected map or null"); error.has_value())
        return error;
      return check_strings(value);
    case FieldType::kStructure:
      if (Outcome error = check_container(value, Kind::kMap, "Expected null"); error.has_value())
        return error;
      return check_types(field.children(), value);
    case FieldType::kStructureList:
      if (Outcome error = check_container(value, Kind::kList, "Expected list or null"); error.has_value())
        return error;
      for (Value& item : value.items) {
        if (item.absent())
          item = Value{.kind = Kind::kMap, .items = std::vector<Value>(field.children().size())};
        if (Outcome error = check_container(item, Kind::kMap, "Expected null"); error.has_value())
          return error;
        if (Outcome error = check_types(field.children(), item); error.has_value()) return error;
      }
      return std::nullopt;
  }
  MR_ASSERT(false);
  __builtin_unreachable();
}

}  // namespace

Outcome check_types(std::span<const Field> fields, Value& structure) {
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (structure.items[i].absent()) continue;
    if (Outcome error = check_field(fields[i], structure.items[i]); error.has_value()) return error;
  }
  return std::nullopt;
}

}  // namespace millrace::api
