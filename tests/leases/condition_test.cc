#include <gtest/gtest.h>

#include <fmt/format.h>

#include "leases/attribute_text.h"
#include "leases/dynamodb/expression.h"

namespace millrace::leases::dynamodb {
namespace {

constexpr std::string_view kItem =
    R"({"s":{"S":"hello"},"n":{"N":"5"},"b":{"B":"AQI="},"t":{"BOOL":true},"z":{"NULL":true},)"
    R"("l":{"L":[{"S":"x"},{"M":{"k":{"N":"1"}}}]},"m":{"M":{"a":{"S":"1"},"b":{"S":"2"}}},)"
    R"("ss":{"SS":["p","q"]},"ns":{"NS":["1","2.0"]},"twin":{"S":"hello"}})";
constexpr std::string_view kValues =
    R"({":hello":{"S":"hello"},":he":{"S":"he"},":4":{"N":"4"},":5":{"N":"5.0"},":6":{"N":"6"},":x":{"S":"x"},)"
    R"(":p":{"S":"p"},":two":{"N":"2"},":S":{"S":"S"},":one":{"B":"AQ=="},":true":{"BOOL":true},)"
    R"(":map":{"M":{"k":{"N":"1"}}},":sets":{"SS":["q","p"]}})";

std::string judged(std::string_view text) {
  Placeholders placeholders = placeholders_of(kValues, R"({"#s":"s","#dot":"m.a","#name":"name"})");
  Condition condition;
  if (const auto wrong = parse_condition(text, "ConditionExpression", placeholders, &condition))
    return wrong->message;
  return holds(condition, attributes_of(kItem)) ? "yes" : "no";
}

struct Case {
  std::string_view expression;
  std::string_view verdict;
};

TEST(Condition, ComparesAsTheServiceDoes) {
  constexpr Case kCases[] = {
      {"s = :hello", "yes"},
      {"#s = :hello", "yes"},
      {"s = :he", "no"},
      {"s <> :he", "yes"},
      {"s = :5", "no"},
      {"s <> :5", "yes"},
      {"n = :5", "yes"},
      {"n < :6", "yes"},
      {"n <= :5", "yes"},
      {"n > :4", "yes"},
      {"n >= :6", "no"},
      {"n < :hello", "no"},
      {"n > :hello", "no"},
      {"t = :true", "yes"},
      {"t < :true", "no"},
      {"l[1] = :map", "yes"},
      {"ss = :sets", "yes"},
      {"s = twin", "yes"},
      {"nothing = :hello", "no"},
      {"nothing <> :hello", "yes"},
      {"nothing < :5", "no"},
      {"NOT nothing = :hello", "yes"},
      {"n BETWEEN :4 AND :6", "yes"},
      {"n between :5 and :6", "yes"},
      {"n BETWEEN :6 AND :6", "no"},
      {":5 BETWEEN :4 AND n", "yes"},
      {"s IN (:he, :hello)", "yes"},
      {"s IN (:he)", "no"},
      {"nothing IN (:he)", "no"},
      {"l[0] = :x", "yes"},
      {"l[7] = :x", "no"},
      {"l[1].k < :5", "yes"},
      {"m.a.b = :x", "no"},
      {"#dot = :x", "no"},
  };
  for (const auto& [expression, verdict] : kCases) EXPECT_EQ(judged(expression), verdict) << expression;
}

TEST(Condition, FunctionsLookAtAttributes) {
  constexpr Case kCases[] = {
      {"attribute_exists(s)", "yes"},
      {"attribute_exists(m.a)", "yes"},
      {"attribute_exists(m.c)", "no"},
      {"attribute_not_exists(nothing)", "yes"},
      {"attribute_not_exists(z)", "no"},
      {"attribute_type(s, :S)", "yes"},
      {"attribute_type(n, :S)", "no"},
      {"begins_with(s, :he)", "yes"},
      {"begins_with(b, :one)", "yes"},
      {"begins_with(n, :he)", "no"},
      {"contains(s, :he)", "yes"},
      {"contains(ss, :p)", "yes"},
      {"contains(ns, :two)", "yes"},
      {"contains(ns, :p)", "no"},
      {"contains(l, :x)", "yes"},
      {"contains(l, :map)", "yes"},
      {"size(s) = :5", "yes"},
      {"size(l) = :two", "yes"},
      {"size(m) = :two", "yes"},
      {"size(ss) < :5", "yes"},
      {"size(n) < :5", "no"},
      {"size(nothing) < :5", "no"},
      {"n = size(s)", "yes"},
  };
  for (const auto& [expression, verdict] : kCases) EXPECT_EQ(judged(expression), verdict) << expression;
}

TEST(Condition, NotBindsTighterThanAndAndThatTighterThanOr) {
  constexpr Case kCases[] = {
      {"s = :hello OR s = :he AND s = :he", "yes"},
      {"(s = :hello OR s = :he) AND s = :he", "no"},
      {"NOT s = :he AND s = :hello", "yes"},
      {"NOT (s = :he OR n = :5)", "no"},
      {"not not s = :hello", "yes"},
      {"(s) = (:hello)", "yes"},
      {"(s = :hello) AND ((n = :5) OR (n = :6))", "yes"},
      {"s=:hello and n=:5", "yes"},
  };
  for (const auto& [expression, verdict] : kCases) EXPECT_EQ(judged(expression), verdict) << expression;
}

TEST(Condition, WhatIsWrongIsSaidInTheServicesWords) {
  constexpr Case kCases[] = {
      {"", "The expression can not be empty;"},
      {"s", "Syntax error; token: \"<EOF>\", near: \"s\""},
      {"s = ", "Syntax error; token: \"<EOF>\", near: \"= \""},
      {"s == :he", "Syntax error; token: \"=\", near: \"== :he\""},
      {"s = :he n", "Syntax error; token: \"n\", near: \":he n\""},
      {"s = :he AND", "Syntax error; token: \"<EOF>\", near: \"AND\""},
      {"AND = :he", "Syntax error; token: \"AND\", near: \"AND =\""},
      {"s % :he", "Syntax error; token: \"%\", near: \"s % :he\""},
      {"s[x] = :he", "Syntax error; token: \"x\", near: \"[x]\""},
      {"s[99999999999] = :he", "Syntax error; token: \"99999999999\", near: \"[99999999999]\""},
      {"((s = :he))", "The expression has redundant parentheses;"},
      {"what(s)", "Invalid function name; function: what"},
      {"begins_with(s, contains(s, :he))",
       "The function is not allowed to be used this way in an expression; function: contains"},
      {"size(s)", "The function is not allowed to be used this way in an expression; function: size"},
      {"attribute_exists(s) = :true",
       "The function is not allowed to be used this way in an expression; function: attribute_exists"},
      {"name = :he", "Attribute name is a reserved keyword; reserved keyword: name"},
      {"#what = :he",
       "An expression attribute name used in the document path is not defined; attribute name: #what"},
      {"s = :what",
       "An expression attribute value used in expression is not defined; attribute value: :what"},
      {"attribute_exists(s, n)",
       "Incorrect number of operands for operator or function; operator or function: attribute_exists, "
       "number of "
       "operands: 2"},
      {"attribute_exists(:he)",
       "Operator or function requires a document path; operator or function: attribute_exists"},
      {"s = s",
       "The first operand must be distinct from the remaining operands for this operator or function; "
       "operator: =, "
       "first operand: [s]"},
      {"begins_with(s, :5)",
       "Incorrect operand type for operator or function; operator or function: begins_with, operand type: N"},
      {"attribute_type(s, n)",
       "Incorrect operand type for operator or function; operator or function: attribute_type, operand type: "
       "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}"},
      {"attribute_type(s, :he)",
       "Invalid attribute type name found; type: he, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}"},
      {"n BETWEEN :6 AND :4",
       "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound "
       "operand: "
       "AttributeValue: {N:6}, upper bound operand: AttributeValue: {N:4}"},
      {"n BETWEEN :4 AND :he",
       "The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: "
       "AttributeValue: "
       "{N:4}, upper bound operand: AttributeValue: {S:he}"},
  };
  for (const auto& [expression, verdict] : kCases)
    EXPECT_EQ(judged(expression), "Invalid ConditionExpression: " + std::string(verdict)) << expression;
}

TEST(Condition, HasABoundOfLengthAndOfDepth) {
  EXPECT_EQ(judged("s = :hello" + std::string(5'000, ' ')),
            "Invalid ConditionExpression: Expression size has exceeded the maximum allowed size; expression "
            "size: 5010");
  std::string deep = "s = :hello";
  for (int i = 0; i < 100; ++i) deep = "(" + deep + " AND s = :hello)";
  EXPECT_EQ(judged(deep), "yes");
  for (int i = 0; i < 40; ++i) deep = "(" + deep + " AND s = :hello)";
  EXPECT_EQ(judged(deep), "Invalid ConditionExpression: The expression is nested deeper than 128 levels");
  std::string chain = "s = :hello";
  while (chain.size() < 4'000) chain += " AND s=:hello";
  EXPECT_EQ(judged(chain), "yes");
}

}  // namespace
}  // namespace millrace::leases::dynamodb
