// Attributes and expressions out of text, for tests.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "api/writer.h"
#include "leases/dynamodb/attribute_json.h"
#include "leases/dynamodb/expression.h"
#include "leases/json.h"

namespace millrace::leases::dynamodb {

inline Json json_of(std::string_view text) {
  JsonDocument document = parse_json(as_bytes(text));
  EXPECT_EQ(document.fault, JsonFault::kNone) << text;
  return std::move(document.root);
}

// {"a":{"S":"x"}}
inline Attributes attributes_of(std::string_view text) {
  Attributes attributes;
  const auto wrong = read_attributes(json_of(text), &attributes);
  EXPECT_FALSE(wrong.has_value()) << text << ": " << wrong->message;
  return attributes;
}

inline std::string text_of(const Attributes& attributes) {
  api::Writer writer(api::Encoding::kJson);
  write_attributes(attributes, writer);
  return std::string(writer.bytes().text());
}

// Values by ":name", as in a request; names by "#name".
inline Placeholders placeholders_of(std::string_view values, std::string_view names = "{}") {
  Placeholders placeholders;
  for (auto& [name, value] : attributes_of(values))
    placeholders.values.emplace(name, std::make_shared<const AttributeValue>(value));
  const Json map = json_of(names);
  for (std::size_t i = 0; i < map.names.size(); ++i) placeholders.names[map.names[i]] = map.items[i].text;
  return placeholders;
}

}  // namespace millrace::leases::dynamodb
