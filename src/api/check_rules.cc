// Constraints, and the texts for those not met, in the order and the words of the service as third parties
// recorded them (kinesalite's tests).

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "api/decode.h"

namespace millrace::api {
namespace {

using Kind = Value::Kind;

constexpr std::size_t kShownMax = 10;

std::string lower_first(std::string_view name) {
  std::string lower(name);
  if (!lower.empty() && lower[0] >= 'A' && lower[0] <= 'Z')
    lower[0] = static_cast<char>(lower[0] - 'A' + 'a');
  return lower;
}

// Held to a bound as it is: without its fraction, -1.5 would be a -1 that a field may have a meaning for.
bool is_negative_fraction(const Value& value) {
  return value.number < 0 && value.number != std::trunc(value.number);
}

std::string shown(const Field& field, const Value& value) {
  switch (value.kind) {
    case Kind::kNull:
      return "null";
    case Kind::kBoolean:
      return value.boolean ? "'true'" : "'false'";
    case Kind::kNumber:
      if (is_negative_fraction(value)) return fmt::format("'{}'", value.number);
      return fmt::format("'{}'", value.integer);
    case Kind::kString:
      return "'" + value.text + "'";
    case Kind::kBytes:
      return fmt::format("'java.nio.HeapByteBuffer[pos=0 lim={0} cap={0}]'", value.text.size());
    case Kind::kList:
    case Kind::kMap:
      break;
  }
  std::string text = value.kind == Kind::kList ? "'[" : "'{";
  for (std::size_t i = 0; i < value.items.size(); ++i) {
    if (i > 0) text += ", ";
    if (i < value.names.size()) text += value.names[i] + "=";
    if (field.rules.shown_as.empty()) {
      text += value.items[i].absent() ? "null" : value.items[i].text;
    } else {
      text += field.rules.shown_as;
    }
  }
  return text + (value.kind == Kind::kList ? "]'" : "}'");
}

class Checker {
 public:
  explicit Checker(std::int64_t blob_bytes_max) : blob_bytes_max_(blob_bytes_max) {}

  void structure(std::span<const Field> fields, const Value& value, const std::string& parent) {
    for (std::size_t i = 0; i < fields.size(); ++i) field(fields, fields[i], value, value.items[i], parent);
  }

  Outcome outcome() const {
    if (found_.empty()) return std::nullopt;
    std::string message =
        fmt::format("{} validation error{} detected: ", found_.size(), found_.size() > 1 ? "s" : "");
    for (std::size_t i = 0; i < found_.size(); ++i) message += (i > 0 ? "; " : "") + found_[i];
    return validation(std::move(message));
  }

 private:
  void report(const Field& field, const Value& value, const std::string& parent,
              std::string_view constraint) {
    if (found_.size() == kShownMax) return;
    found_.push_back(fmt::format("Value {} at '{}{}' failed to satisfy constraint: {}", shown(field, value),
                                 parent, lower_first(field.name), constraint));
  }

  static bool present(std::span<const Field> siblings, const Value& structure, std::string_view name) {
    for (std::size_t i = 0; i < siblings.size(); ++i)
      if (siblings[i].name == name) return !structure.items[i].absent();
    return false;
  }

  void field(std::span<const Field> siblings, const Field& field, const Value& structure, const Value& value,
             const std::string& parent) {
    if (found_.size() == kShownMax) return;
    const Rules& rules = field.rules;
    if (value.absent()) {
      const bool required = field.required || !rules.unless.empty();
      if (required && !present(siblings, structure, rules.unless))
        report(field, value, parent, "Member must not be null");
      return;
    }
    if (rules.allowed != nullptr) allowed(field, value, parent);
    if (rules.pattern != nullptr && !rules.pattern->matches(value.text)) {
      report(field, value, parent,
             fmt::format("Member must satisfy regular expression pattern: {}", rules.pattern->text));
    }
    bounds(field, value, parent);
    if (rules.keys.has_value()) keys(field, value, parent);
    if (rules.members.has_value()) members(field, value, parent);
    if (field.type == FieldType::kStructure)
      this->structure(field.children(), value, parent + lower_first(field.name) + ".");
    if (field.type == FieldType::kStructureList) {
      for (std::size_t i = 0; i < value.items.size() && found_.size() < kShownMax; ++i) {
        this->structure(field.children(), value.items[i],
                        fmt::format("{}{}.{}.member.", parent, lower_first(field.name), i + 1));
      }
    }
  }

  void allowed(const Field& field, const Value& value, const std::string& parent) {
    const std::span<const std::string_view> set(field.rules.allowed, field.rules.allowed_count);
    const auto is_one = [&set](const Value& text) {
      return std::find(set.begin(), set.end(), text.text) != set.end();
    };
    const bool is_list = value.kind == Kind::kList;
    if (is_list ? std::all_of(value.items.begin(), value.items.end(), is_one) : is_one(value)) return;
    std::string names;
    for (const std::string_view name : set) names.append(names.empty() ? "" : ", ").append(name);
    const std::string constraint = fmt::format("Member must satisfy enum value set: [{}]", names);
    report(field, value, parent,
           is_list ? fmt::format("Member must satisfy constraint: [{}]", constraint) : constraint);
  }

  void bounds(const Field& field, const Value& value, const std::string& parent) {
    const Rules& rules = field.rules;
    const bool is_integer = field.type == FieldType::kInteger;
    const std::string_view what = is_integer ? "value" : "length";
    const std::int64_t measure = is_integer ? value.integer : length(value);
    const std::int64_t max = rules.max == kMaxBlobBytes ? blob_bytes_max_ : rules.max;
    const bool below = is_integer && is_negative_fraction(value)
                           ? value.number < static_cast<double>(rules.min)
                           : measure < rules.min;
    if (rules.min != kUnbounded && below)
      report(field, value, parent,
             fmt::format("Member must have {} greater than or equal to {}", what, rules.min));
    if (max != kUnbounded && measure > max)
      report(field, value, parent, fmt::format("Member must have {} less than or equal to {}", what, max));
  }

  static std::int64_t length(const Value& value) {
    if (value.kind == Kind::kList || value.kind == Kind::kMap)
      return static_cast<std::int64_t>(value.items.size());
    if (value.kind == Kind::kString) return static_cast<std::int64_t>(utf16_length(value.text));
    return static_cast<std::int64_t>(value.text.size());
  }

  static bool within(std::string_view text, const LengthRange& range) {
    const auto units = static_cast<std::int64_t>(utf16_length(text));
    return range.min <= units && units <= range.max;
  }

  static std::string both(const LengthRange& range) {
    return fmt::format(
        "[Member must have length less than or equal to {}, Member must have length greater than or equal to "
        "{}]",
        range.max, range.min);
  }

  void keys(const Field& field, const Value& value, const std::string& parent) {
    for (const std::string& name : value.names)
      if (!within(name, *field.rules.keys))
        return report(field, value, parent, "Map keys must satisfy constraint: " + both(*field.rules.keys));
  }

  void members(const Field& field, const Value& value, const std::string& parent) {
    const bool is_map = field.type == FieldType::kStringMap;
    for (const Value& item : value.items) {
      if (within(item.text, *field.rules.members)) continue;
      return report(field, value, parent,
                    (is_map ? "Map value must satisfy constraint: " : "Member must satisfy constraint: ") +
                        both(*field.rules.members));
    }
  }

  std::int64_t blob_bytes_max_;
  std::vector<std::string> found_;
};

}  // namespace

Outcome check_rules(std::span<const Field> fields, const Value& structure, std::int64_t blob_bytes_max) {
  Checker checker(blob_bytes_max);
  checker.structure(fields, structure, "");
  return checker.outcome();
}

std::size_t utf16_length(std::string_view utf8) {
  std::size_t units = 0;
  for (const char c : utf8) {
    const auto byte = static_cast<std::uint8_t>(c);
    units += (byte & 0xc0) != 0x80;  // a character begins
    units += byte >= 0xf0;           // … and takes a surrogate pair
  }
  return units;
}

}  // namespace millrace::api
