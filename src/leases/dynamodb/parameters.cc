#include "leases/dynamodb/parameters.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/partition.h"

namespace millrace::leases::dynamodb {
namespace {

constexpr std::size_t kConstraintsMax = 10;
constexpr std::size_t kShownBytesMax = 512;
constexpr std::size_t kNameMin = 3;
constexpr std::size_t kNameMax = 255;

bool is_name(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
  });
}

// Whether it begins as an ARN of DynamoDB does. Which region and account it names is not looked at.
bool is_table_arn(std::string_view text) {
  text.remove_prefix(std::string_view("arn:").size());
  const std::string_view partition = text.substr(0, text.find(':'));
  return is_partition(partition) && text.substr(partition.size()).starts_with(":dynamodb:");
}

std::string quoted(std::string_view text) { return fmt::format("'{}'", text.substr(0, kShownBytesMax)); }

}  // namespace

void Complaints::type(std::string message) {
  if (!type_.has_value()) type_ = std::move(message);
}

void Complaints::constraint(std::string_view shown, std::string_view where, std::string_view rule) {
  if (constraints_.size() < kConstraintsMax)
    constraints_.push_back(
        fmt::format("Value {} at '{}' failed to satisfy constraint: {}", shown, where, rule));
}

Outcome Complaints::refusal() const {
  if (type_.has_value()) return serialization(*type_);
  if (constraints_.empty()) return std::nullopt;
  return validation(fmt::format("{} validation error{} detected: {}", constraints_.size(),
                                constraints_.size() > 1 ? "s" : "", fmt::join(constraints_, "; ")));
}

std::string type_complaint(const Json& value, std::string_view wanted) {
  std::string_view is;
  switch (value.kind) {
    case Json::Kind::kNull:
      is = "NULL_VALUE";
      break;
    case Json::Kind::kBoolean:
      is = value.boolean ? "TRUE_VALUE" : "FALSE_VALUE";
      break;
    case Json::Kind::kInteger:
      is = "NUMBER_VALUE";
      break;
    case Json::Kind::kDecimal:
      is = "DECIMAL_VALUE";
      break;
    case Json::Kind::kText:
      is = "STRING_VALUE";
      break;
    case Json::Kind::kList:
      return fmt::format("Unrecognized collection type class java.lang.{}", wanted);
    case Json::Kind::kMap:
      return "Start of structure or map found where not expected";
  }
  return fmt::format("{} cannot be converted to {}", is, wanted);
}

std::string Parameters::where(std::string_view name) const {
  std::string where = path_.empty() ? std::string(name) : path_ + '.' + std::string(name);
  char& first = where[where.size() - name.size()];
  if (first >= 'A' && first <= 'Z') first = static_cast<char>(first - 'A' + 'a');
  return where;
}

void Parameters::require(std::string_view name) {
  if (!has(name)) complain(name, "null", "Member must not be null");
}

std::optional<std::string> Parameters::text(std::string_view name) {
  const Json* value = map_.find(name);
  if (value == nullptr) return std::nullopt;
  if (value->kind == Json::Kind::kText) return value->text;
  complaints_.type(type_complaint(*value, "String"));
  return std::nullopt;
}

std::optional<std::string> Parameters::text_of(std::string_view name,
                                               std::initializer_list<std::string_view> allowed) {
  auto value = text(name);
  if (value.has_value() && std::find(allowed.begin(), allowed.end(), *value) == allowed.end()) {
    complain(name, quoted(*value),
             fmt::format("Member must satisfy enum value set: [{}]", fmt::join(allowed, ", ")));
    return std::nullopt;
  }
  return value;
}

std::optional<bool> Parameters::boolean(std::string_view name) {
  const Json* value = map_.find(name);
  if (value == nullptr) return std::nullopt;
  if (value->kind == Json::Kind::kBoolean) return value->boolean;
  complaints_.type(value->kind == Json::Kind::kText ? "Unexpected token received from parser"
                                                    : type_complaint(*value, "Boolean"));
  return std::nullopt;
}

std::optional<std::int64_t> Parameters::integer(std::string_view name, std::int64_t min, std::int64_t max) {
  const Json* value = map_.find(name);
  if (value == nullptr) return std::nullopt;
  if (value->kind != Json::Kind::kInteger && value->kind != Json::Kind::kDecimal) {
    complaints_.type(type_complaint(*value, "Integer"));
    return std::nullopt;
  }
  constexpr double kExactMax = 9e15;
  const double number = std::clamp(value->number, -kExactMax, kExactMax);
  const auto whole = static_cast<std::int64_t>(number);
  if (number < static_cast<double>(min))
    complain(name, number < 0 ? fmt::format("'{}'", number) : fmt::format("'{}'", whole),
             fmt::format("Member must have value greater than or equal to {}", min));
  if (whole > max)
    complain(name, fmt::format("'{}'", whole),
             fmt::format("Member must have value less than or equal to {}", max));
  return whole;
}

const Json* Parameters::list(std::string_view name) {
  const Json* value = map_.find(name);
  if (value == nullptr || value->kind == Json::Kind::kList) return value;
  complaints_.type(value->kind == Json::Kind::kMap ? "Start of structure or map found where not expected"
                                                   : "Unexpected field type");
  return nullptr;
}

const Json* Parameters::map(std::string_view name) {
  const Json* value = map_.find(name);
  if (value == nullptr || value->kind == Json::Kind::kMap) return value;
  complaints_.type(value->kind == Json::Kind::kList ? "Unrecognized collection type class java.util.Map"
                                                    : "Unexpected field type");
  return nullptr;
}

std::vector<std::string> Parameters::texts(std::string_view name) {
  std::vector<std::string> texts;
  const Json* found = list(name);
  if (found == nullptr) return texts;
  for (const Json& item : found->items) {
    if (item.kind != Json::Kind::kText) {
      complaints_.type(type_complaint(item, "String"));
      break;
    }
    texts.push_back(item.text);
  }
  return texts;
}

std::optional<std::string> Parameters::name(std::string_view name) {
  auto value = text(name);
  if (!value.has_value()) return std::nullopt;
  if (!is_name(*value) || value->empty())
    complain(name, quoted(*value), "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+");
  if (value->size() < kNameMin)
    complain(name, quoted(*value), "Member must have length greater than or equal to 3");
  if (value->size() > kNameMax)
    complain(name, quoted(*value), "Member must have length less than or equal to 255");
  return value;
}

std::string Parameters::table_name(std::string_view name) {
  constexpr std::string_view kArn = "arn:";
  constexpr std::string_view kTable = ":table/";
  require(name);
  if (const Json* value = map_.find(name); value != nullptr && value->kind == Json::Kind::kText &&
                                           std::string_view(value->text).starts_with(kArn)) {
    const std::size_t at = value->text.find(kTable);
    if (at != std::string::npos && is_table_arn(value->text) &&
        is_name(std::string_view(value->text).substr(at + kTable.size())))
      return value->text.substr(at + kTable.size());
  }
  return this->name(name).value_or("");
}

}  // namespace millrace::leases::dynamodb
