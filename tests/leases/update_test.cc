#include <gtest/gtest.h>

#include "leases/attribute_text.h"
#include "leases/dynamodb/expression.h"

namespace millrace::leases::dynamodb {
namespace {

constexpr std::string_view kUpdatedItem =
    R"({"k":{"S":"id"},"n":{"N":"5"},"l":{"L":[{"S":"a"},{"S":"b"},{"S":"c"}]},"m":{"M":{"x":{"N":"1"}}},)"
    R"("ss":{"SS":["p","q"]}})";
constexpr std::string_view kUpdateValues =
    R"({":1":{"N":"1"},":s":{"S":"new"},":l":{"L":[{"S":"z"}]},":e":{"L":[]},":ss":{"SS":["q","r"]},)"
    R"(":pq":{"SS":["p","q"]},":m":{"M":{}}})";

std::string updated(std::string_view text, std::string_view before = kUpdatedItem) {
  Placeholders placeholders = placeholders_of(kUpdateValues, R"({"#n":"n"})");
  Update update;
  if (const auto wrong = parse_update(text, placeholders, &update)) return wrong->message;
  Attributes item = attributes_of(before);
  if (const auto wrong = dynamodb::apply(update, item)) return wrong->message;
  return text_of(item);
}

// The item as it is after an update that touches one attribute.
std::string with(std::string_view attribute, std::string_view json) {
  Attributes item = attributes_of(kUpdatedItem);
  if (json.empty())
    item.erase(std::string(attribute));
  else
    item.insert_or_assign(std::string(attribute),
                          attributes_of("{\"v\":" + std::string(json) + "}").find("v")->second);
  return text_of(item);
}

TEST(Update, SetsAddsRemovesAndDeletes) {
  EXPECT_EQ(updated("SET n = :1"), with("n", R"({"N":"1"})"));
  EXPECT_EQ(updated("set #n = #n + :1"), with("n", R"({"N":"6"})"));
  EXPECT_EQ(updated("SET n = n - :1"), with("n", R"({"N":"4"})"));
  EXPECT_EQ(updated("SET n = (n + :1)"), with("n", R"({"N":"6"})"));
  EXPECT_EQ(updated("SET fresh = if_not_exists(fresh, :1)"), with("fresh", R"({"N":"1"})"));
  EXPECT_EQ(updated("SET n = if_not_exists(n, :1)"), text_of(attributes_of(kUpdatedItem)));
  EXPECT_EQ(updated("SET n = if_not_exists(nothing, :1) + :1"), with("n", R"({"N":"2"})"));
  EXPECT_EQ(updated("SET l = list_append(l, :l)"),
            with("l", R"({"L":[{"S":"a"},{"S":"b"},{"S":"c"},{"S":"z"}]})"));
  EXPECT_EQ(updated("SET fresh = list_append(if_not_exists(fresh, :e), :l)"),
            with("fresh", R"({"L":[{"S":"z"}]})"));
  EXPECT_EQ(updated("SET m.y = :s"), with("m", R"({"M":{"x":{"N":"1"},"y":{"S":"new"}}})"));
  EXPECT_EQ(updated("SET l[1] = :s"), with("l", R"({"L":[{"S":"a"},{"S":"new"},{"S":"c"}]})"));
  EXPECT_EQ(updated("SET l[9] = :s, l[8] = :1"),
            with("l", R"({"L":[{"S":"a"},{"S":"b"},{"S":"c"},{"N":"1"},{"S":"new"}]})"));
  EXPECT_EQ(updated("REMOVE n"), with("n", ""));
  EXPECT_EQ(updated("REMOVE nothing"), text_of(attributes_of(kUpdatedItem)));
  EXPECT_EQ(updated("REMOVE l[0], l[1]"), with("l", R"({"L":[{"S":"c"}]})"));
  EXPECT_EQ(updated("ADD n :1"), with("n", R"({"N":"6"})"));
  EXPECT_EQ(updated("ADD fresh :1"), with("fresh", R"({"N":"1"})"));
  EXPECT_EQ(updated("ADD ss :ss"), with("ss", R"({"SS":["p","q","r"]})"));
  EXPECT_EQ(updated("DELETE ss :ss"), with("ss", R"({"SS":["p"]})"));
  EXPECT_EQ(updated("DELETE ss :pq"), with("ss", ""));
  EXPECT_EQ(updated("DELETE nothing :pq"), text_of(attributes_of(kUpdatedItem)));
}

TEST(Update, TakesAllValuesFromBeforeIt) {
  EXPECT_EQ(updated("SET a = n, n = :1, b = n", R"({"n":{"N":"5"}})"),
            R"({"a":{"N":"5"},"b":{"N":"5"},"n":{"N":"1"}})");
  EXPECT_EQ(updated("SET a = l[0] REMOVE l[0]", R"({"l":{"L":[{"S":"x"},{"S":"y"}]}})"),
            R"({"a":{"S":"x"},"l":{"L":[{"S":"y"}]}})");
  EXPECT_EQ(
      updated("REMOVE l[0], l[1].x[0]", R"({"l":{"L":[{"S":"a"},{"M":{"x":{"L":[{"S":"1"},{"S":"2"}]}}}]}})"),
      R"({"l":{"L":[{"M":{"x":{"L":[{"S":"2"}]}}}]}})");
}

TEST(Update, WhatCannotBeDoneIsRefusedInTheServicesWords) {
  EXPECT_EQ(updated("SET a = nothing"),
            "The provided expression refers to an attribute that does not exist in the item");
  EXPECT_EQ(updated("SET a = k + :1"), "An operand in the update expression has an incorrect data type");
  EXPECT_EQ(updated("SET a = list_append(k, :l)"),
            "An operand in the update expression has an incorrect data type");
  EXPECT_EQ(updated("ADD k :1"), "An operand in the update expression has an incorrect data type");
  EXPECT_EQ(updated("DELETE n :ss"), "An operand in the update expression has an incorrect data type");
  constexpr std::string_view kPath =
      "The document path provided in the update expression is invalid for update";
  EXPECT_EQ(updated("SET nothing.a = :1"), kPath);
  EXPECT_EQ(updated("SET l.a = :1"), kPath);
  EXPECT_EQ(updated("REMOVE m[0]"), kPath);
}

TEST(Update, WhatIsWrongIsSaidInTheServicesWords) {
  const std::pair<std::string_view, std::string_view> kCases[] = {
      {"", "The expression can not be empty;"},
      {"SET", "Syntax error; token: \"<EOF>\", near: \"SET\""},
      {"n = :1", "Syntax error; token: \"n\", near: \"n =\""},
      {"SET n = :1,", "Syntax error; token: \"<EOF>\", near: \",\""},
      {"SET n = :1 + :1 + :1", "Syntax error; token: \"+\", near: \":1 + :1\""},
      {"SET n = :1 SET k = :1", "The \"SET\" section can only be used once in an update expression;"},
      {"SET year = :1", "Attribute name is a reserved keyword; reserved keyword: year"},
      {"SET n = what(n)", "Invalid function name; function: what"},
      {"SET #x = :1",
       "An expression attribute name used in the document path is not defined; attribute name: #x"},
      {"SET n = :x", "An expression attribute value used in expression is not defined; attribute value: :x"},
      {"SET n = :1, n = :s",
       "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: "
       "[n], path two: "
       "[n]"},
      {"SET m = :m REMOVE m.x",
       "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: "
       "[m], path two: "
       "[m, x]"},
      {"SET m[0] = :m REMOVE m.x",
       "Two document paths conflict with each other; must remove or rewrite one of these paths; path one: "
       "[m, [0]], path "
       "two: [m, x]"},
      {"ADD n :s", "Incorrect operand type for operator or function; operator: ADD, operand type: STRING"},
      {"DELETE n :1",
       "Incorrect operand type for operator or function; operator: DELETE, operand type: NUMBER"},
      {"SET n = n + :s",
       "Incorrect operand type for operator or function; operator or function: +, operand type: S"},
      {"SET n = if_not_exists(:1, :1)",
       "Operator or function requires a document path; operator or function: if_not_exists"},
      {"SET n = list_append(n)",
       "Incorrect number of operands for operator or function; operator or function: list_append, number of "
       "operands: "
       "1"},
  };
  for (const auto& [expression, verdict] : kCases)
    EXPECT_EQ(updated(expression), "Invalid UpdateExpression: " + std::string(verdict)) << expression;
}

TEST(Update, NestsWithinABound) {
  std::string deep = ":1";
  for (int i = 0; i < 300; ++i) deep = "(" + deep + ")";
  EXPECT_EQ(updated("SET n = " + deep),
            "Invalid UpdateExpression: The expression is nested deeper than 128 levels");
}

std::string projected(std::string_view text) {
  Placeholders placeholders = placeholders_of("{}", R"({"#k":"k"})");
  std::vector<Path> paths;
  if (const auto wrong = parse_projection(text, placeholders, &paths)) return wrong->message;
  return text_of(project(
      paths, attributes_of(R"({"k":{"S":"id"},"m":{"M":{"x":{"N":"1"},"y":{"N":"2"}}},)"
                           R"("l":{"L":[{"M":{"a":{"S":"0"},"b":{"S":"1"}}},{"S":"one"},{"S":"two"}]}})")));
}

TEST(Projection, TakesWhatThePathsLeadTo) {
  EXPECT_EQ(projected("#k, nothing"), R"({"k":{"S":"id"}})");
  EXPECT_EQ(projected("m.x"), R"({"m":{"M":{"x":{"N":"1"}}}})");
  EXPECT_EQ(projected("l[2], l[1]"), R"({"l":{"L":[{"S":"one"},{"S":"two"}]}})");
  EXPECT_EQ(projected("l[0].a, l[0].b, l[2]"),
            R"({"l":{"L":[{"M":{"a":{"S":"0"},"b":{"S":"1"}}},{"S":"two"}]}})");
  EXPECT_EQ(projected("m.nothing, l[9], k.x"), "{}");
  EXPECT_EQ(projected("k, k"),
            "Invalid ProjectionExpression: Two document paths overlap with each other; must remove or "
            "rewrite one of "
            "these paths; path one: [k], path two: [k]");
}

}  // namespace
}  // namespace millrace::leases::dynamodb
