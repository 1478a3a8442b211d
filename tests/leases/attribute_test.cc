#include <gtest/gtest.h>

#include "leases/attribute_text.h"
#include "leases/dynamodb/attribute.h"

namespace millrace::leases::dynamodb {
namespace {

std::string read_back(std::string_view value) {
  Attributes attributes;
  const std::string text = "{\"v\":" + std::string(value) + "}";
  const JsonDocument document = parse_json(as_bytes(text));
  if (document.fault != JsonFault::kNone) return "no document";
  if (const auto wrong = read_attributes(document.root, &attributes)) {
    const std::string type = wrong->type.substr(wrong->type.find('#') + 1);
    return type + ": " + wrong->message;
  }
  const std::string written = text_of(attributes);
  return written.substr(5, written.size() - 6);
}

TEST(Attribute, EveryTypeIsReadAndWritten) {
  for (const std::string_view value :
       {R"({"S":""})", R"({"S":"gr\u00fc\u00df \ud83d\ude00"})", R"({"N":"-1.5"})", R"({"B":"AAEC"})",
        R"({"B":""})", R"({"BOOL":false})", R"({"NULL":true})", R"({"L":[]})",
        R"({"L":[{"S":"a"},{"N":"1"}]})", R"({"M":{}})", R"({"M":{"a":{"M":{"b":{"BOOL":true}}}}})",
        R"({"SS":["a","b"]})", R"({"NS":["1","2"]})", R"({"BS":["AA==","AQ=="]})"}) {
    const std::string once = read_back(value);
    EXPECT_EQ(read_back(once), once) << value;
    EXPECT_EQ(once.find("Exception"), std::string::npos) << once;
  }
  EXPECT_EQ(read_back(R"({"NS":["2","1.0"]})"), R"({"NS":["1","2"]})");
}

TEST(Attribute, WhatIsWrongIsSaidInTheServicesWords) {
  const std::pair<std::string_view, std::string_view> kCases[] = {
      {"{}",
       "ValidationException: Supplied AttributeValue is empty, must contain exactly one of the supported "
       "datatypes"},
      {R"({"S":"a","N":"1"})",
       "ValidationException: Supplied AttributeValue has more than one datatypes set, must contain exactly "
       "one of the "
       "supported datatypes"},
      {R"({"S":1})", "SerializationException: NUMBER_VALUE cannot be converted to String"},
      {R"({"S":true})", "SerializationException: TRUE_VALUE cannot be converted to String"},
      {R"({"N":"x"})", "ValidationException: The parameter cannot be converted to a numeric value: x"},
      {R"({"B":"abc"})",
       "SerializationException: Base64 encoded length is expected a multiple of 4 bytes but found: 3"},
      {R"({"NULL":false})",
       "ValidationException: One or more parameter values were invalid: Null attribute value types must have "
       "the value "
       "of true"},
      {R"({"SS":[]})",
       "ValidationException: One or more parameter values were invalid: An string set  may not be empty"},
      {R"({"SS":["a","a"]})",
       "ValidationException: One or more parameter values were invalid: Input collection [a, a] contains "
       "duplicates."},
      {R"({"NS":["1","1.0"]})", "ValidationException: Input collection contains duplicates"},
      {R"({"L":"a"})", "SerializationException: Unexpected field type"},
      {"\"a\"", "SerializationException: Unexpected value type in payload"},
  };
  for (const auto& [value, verdict] : kCases) EXPECT_EQ(read_back(value), verdict) << value;
}

TEST(Attribute, NestsThirtyTwoLevelsAndNoMore) {
  std::string value = R"({"S":"x"})";
  for (int level = 1; level < 32; ++level) value = R"({"L":[)" + value + "]}";
  EXPECT_EQ(read_back(value), value);
  value = R"({"M":{"a":)" + value + "}}";
  EXPECT_NE(read_back(value).find("Nesting Levels have exceeded supported limits"), std::string::npos);
  EXPECT_EQ(read_back(std::string(100'000, '[')), "no document");
}

TEST(Attribute, SizesAreTheServices) {
  EXPECT_EQ(item_bytes(attributes_of(R"({"ab":{"S":"xyz"}})")), 5u);
  EXPECT_EQ(item_bytes(attributes_of(R"({"a":{"S":"\u00fc"}})")), 3u);
  EXPECT_EQ(item_bytes(attributes_of(R"({"a":{"N":"123"}})")), 1u + 3u);
  EXPECT_EQ(item_bytes(attributes_of(R"({"a":{"BOOL":true},"b":{"NULL":true}})")), 4u);
  EXPECT_EQ(item_bytes(attributes_of(R"({"a":{"L":[{"S":"x"}]}})")), 1u + 3u + 2u);
  EXPECT_EQ(item_bytes(attributes_of(R"({"a":{"B":"AQID"}})")), 4u);
}

TEST(JsonTree, KeepsItsBounds) {
  std::string many = "[";
  for (int i = 0; i < 100; ++i) many += "0,";
  many += "0]";
  EXPECT_EQ(parse_json(as_bytes(many), 50).fault, JsonFault::kTooManyValues);
  EXPECT_EQ(parse_json(as_bytes(many), 102).fault, JsonFault::kNone);
  const std::string deep = std::string(81, '[') + std::string(81, ']');
  EXPECT_EQ(parse_json(as_bytes(deep)).fault, JsonFault::kTooDeep);
  for (const std::string_view text : {"", "{", "{\"a\":}", "nul", "\"\xff\"", "{} {}"})
    EXPECT_EQ(parse_json(as_bytes(text)).fault, JsonFault::kNotJson) << text;
  const JsonDocument twice = parse_json(as_bytes(std::string_view(R"({"a":1,"a":"b"})")));
  EXPECT_EQ(twice.root.find("a")->text, "b");
}

}  // namespace
}  // namespace millrace::leases::dynamodb
