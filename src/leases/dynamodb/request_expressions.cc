#include "leases/dynamodb/request_expressions.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "leases/dynamodb/attribute_json.h"
#include "leases/dynamodb/parameters.h"

namespace millrace::leases::dynamodb {
namespace {

constexpr std::string_view kNames = "ExpressionAttributeNames";
constexpr std::string_view kValues = "ExpressionAttributeValues";
constexpr std::string_view kProjection = "ProjectionExpression";

bool is_placeholder(std::string_view text, char first) {
  return text.size() > 1 && text.front() == first && std::all_of(text.begin() + 1, text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
         });
}

Refusal invalid_key(std::string_view parameter, std::string_view key) {
  constexpr std::size_t kShownMax = 256;
  return validation(
      fmt::format("{} contains invalid key: Syntax error; key: \"{}\"", parameter, key.substr(0, kShownMax)));
}

}  // namespace

Outcome RequestExpressions::begin(std::initializer_list<std::string_view> expressions,
                                  std::initializer_list<std::string_view> legacy) {
  const auto given = [this](std::initializer_list<std::string_view> parameters) {
    std::vector<std::string_view> present;
    for (const std::string_view parameter : parameters)
      if (request_.find(parameter) != nullptr) present.push_back(parameter);
    return present;
  };
  const auto used = given(expressions);
  const auto old = given(legacy);
  if (!used.empty() && !old.empty())
    return validation(
        fmt::format("Can not use both expression and non-expression parameters in the same request: "
                    "Non-expression parameters: {{{}}} Expression parameters: {{{}}}",
                    fmt::join(old, ", "), fmt::join(used, ", ")));
  if (used.empty() && request_.find(kNames) != nullptr)
    return validation("ExpressionAttributeNames can only be specified when using expressions");
  std::vector<std::string_view> with_values(expressions);
  std::erase(with_values, kProjection);
  const bool none = std::none_of(with_values.begin(), with_values.end(),
                                 [this](auto parameter) { return request_.find(parameter) != nullptr; });
  if (!with_values.empty() && none && request_.find(kValues) != nullptr)
    return validation(
        fmt::format("ExpressionAttributeValues can only be specified when using expressions: {} {} null",
                    fmt::join(with_values, " and "), with_values.size() > 1 ? "are" : "is"));
  LEASES_TRY(read_names());
  return read_values();
}

Outcome RequestExpressions::read_names() {
  const Json* names = request_.find(kNames);
  if (names == nullptr) return std::nullopt;
  if (names->kind != Json::Kind::kMap) return serialization("Unexpected field type");
  if (names->items.empty()) return validation("ExpressionAttributeNames must not be empty");
  for (std::size_t i = 0; i < names->items.size(); ++i) {
    if (names->items[i].kind != Json::Kind::kText)
      return serialization(type_complaint(names->items[i], "String"));
    if (!is_placeholder(names->names[i], '#')) return invalid_key(kNames, names->names[i]);
    placeholders_.names.insert_or_assign(names->names[i], names->items[i].text);
  }
  return std::nullopt;
}

Outcome RequestExpressions::read_values() {
  const Json* values = request_.find(kValues);
  if (values == nullptr) return std::nullopt;
  if (values->kind != Json::Kind::kMap) return serialization("Unexpected field type");
  if (values->items.empty()) return validation("ExpressionAttributeValues must not be empty");
  for (std::size_t i = 0; i < values->items.size(); ++i) {
    if (!is_placeholder(values->names[i], ':')) return invalid_key(kValues, values->names[i]);
    auto value = std::make_shared<AttributeValue>();
    if (auto wrong = read_value(values->items[i], value.get()); wrong.has_value()) {
      if (wrong->message_key == "message")
        wrong->message = fmt::format("ExpressionAttributeValues contains invalid value: {} for key {}",
                                     wrong->message, values->names[i]);
      return wrong;
    }
    placeholders_.values.insert_or_assign(values->names[i], std::move(value));
  }
  return std::nullopt;
}

Outcome RequestExpressions::text_of(std::string_view parameter, const std::string** text) const {
  const Json* found = request_.find(parameter);
  if (found == nullptr) return std::nullopt;
  if (found->kind != Json::Kind::kText) return serialization(type_complaint(*found, "String"));
  *text = &found->text;
  return std::nullopt;
}

Outcome RequestExpressions::condition(std::string_view parameter, std::optional<Condition>* condition) {
  const std::string* text = nullptr;
  LEASES_TRY(text_of(parameter, &text));
  if (text == nullptr) return std::nullopt;
  return parse_condition(*text, parameter, placeholders_, &condition->emplace());
}

Outcome RequestExpressions::update(std::optional<Update>* update) {
  const std::string* text = nullptr;
  LEASES_TRY(text_of("UpdateExpression", &text));
  if (text == nullptr) return std::nullopt;
  return parse_update(*text, placeholders_, &update->emplace());
}

Outcome RequestExpressions::projection(std::vector<Path>* paths) {
  const std::string* text = nullptr;
  LEASES_TRY(text_of(kProjection, &text));
  if (text == nullptr) return std::nullopt;
  return parse_projection(*text, placeholders_, paths);
}

Outcome read_attributes_to_get(const Json& request, std::vector<Path>* paths) {
  Complaints complaints;
  Parameters parameters(request, complaints);
  const auto names = parameters.texts("AttributesToGet");
  LEASES_TRY(complaints.refusal());
  std::set<std::string_view> seen;
  for (const std::string& name : names) {
    if (!seen.insert(name).second)
      return validation(fmt::format(
          "One or more parameter values were invalid: Duplicate value in attribute name: {}", name));
    paths->push_back({PathStep{.name = name}});
  }
  return std::nullopt;
}

}  // namespace millrace::leases::dynamodb
