#include "leases/dynamodb/number.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace millrace::leases::dynamodb {
namespace {

std::string canonical(std::string_view text) {
  const auto number = parse_number(text);
  return number.ok() ? number->text() : "error: " + number.error().text;
}

const std::string kDigits38(38, '9');

TEST(Number, IsShownWithoutExponentAndWithoutZerosAround) {
  const std::pair<std::string, std::string> kCases[] = {
      {"0", "0"},
      {"-0.00", "0"},
      {"007", "7"},
      {"1.50", "1.5"},
      {"-12.0e2", "-1200"},
      {".5", "0.5"},
      {"5.", "5"},
      {"+3", "3"},
      {"1E-3", "0.001"},
      {"12345e-2", "123.45"},
      {"1e5", "100000"},
      {kDigits38, kDigits38},
      {"1e-130", "0." + std::string(129, '0') + "1"},
      {"1e125", "1" + std::string(125, '0')},
      {"10e-131", "0." + std::string(129, '0') + "1"},
  };
  for (const auto& [given, shown] : kCases) EXPECT_EQ(canonical(given), shown) << given;
}

TEST(Number, WhatIsNoNumberOrOutOfRangeIsRefusedInTheServicesWords) {
  constexpr std::string_view kNone = "error: The parameter cannot be converted to a numeric value";
  EXPECT_EQ(canonical(""), kNone);
  for (const std::string_view text :
       {"abc", "1a", "--1", "1.2.3", "e5", "1e", "1e+", ".", "-", " 1", "0x10", "NaN"})
    EXPECT_EQ(canonical(text), std::string(kNone) + ": " + std::string(text)) << text;
  EXPECT_EQ(
      canonical("1e126"),
      "error: Number overflow. Attempting to store a number with magnitude larger than supported range");
  EXPECT_EQ(
      canonical("-1e999999999999"),
      "error: Number overflow. Attempting to store a number with magnitude larger than supported range");
  EXPECT_EQ(
      canonical("1e-131"),
      "error: Number underflow. Attempting to store a number with magnitude smaller than supported range");
  EXPECT_EQ(canonical(kDigits38 + "1"),
            "error: Attempting to store more than 38 significant digits in a Number");
  EXPECT_EQ(canonical(kDigits38 + "0"), kDigits38 + "0") << "zeros behind are not significant";
}

TEST(Number, ALongTextThatIsNoNumberIsShownInWholeCharacters) {
  std::string text = "x";
  while (text.size() < 300) text += "\u00e9";
  const auto parsed = parse_number(text);
  ASSERT_FALSE(parsed.ok());
  EXPECT_TRUE(parsed.error().text.ends_with("\u00e9"));
}

TEST(Number, SumsAreExact) {
  const auto sum = [](std::string_view a, std::string_view b) {
    const auto total = add(*parse_number(a), *parse_number(b));
    return total.ok() ? total->text() : "error: " + total.error().text;
  };
  EXPECT_EQ(sum("0.1", "0.2"), "0.3");
  EXPECT_EQ(sum("99", "1"), "100");
  EXPECT_EQ(sum("-5", "5"), "0");
  EXPECT_EQ(sum("5", "-7.25"), "-2.25");
  EXPECT_EQ(sum("-7.25", "5"), "-2.25");
  EXPECT_EQ(sum("1000", "-0.001"), "999.999");
  EXPECT_EQ(sum("0", "3"), "3");
  EXPECT_EQ(sum(kDigits38, "-" + kDigits38), "0");
  EXPECT_EQ(sum("1e125", "-1"), "error: Attempting to store more than 38 significant digits in a Number");
  EXPECT_EQ(
      sum("9e125", "1e125"),
      "error: Number overflow. Attempting to store a number with magnitude larger than supported range");
}

TEST(Number, KeysSortAsNumbersDo) {
  const std::vector<std::string> kInOrder = {"-1e125", "-1000",   "-12.5", "-12",    "-2",   "-1.5", "-1",
                                             "-0.5",   "-1e-130", "0",     "1e-130", "0.5",  "1",    "1.5",
                                             "2",      "12",      "12.5",  "1000",   "1e125"};
  for (std::size_t i = 0; i < kInOrder.size(); ++i) {
    for (std::size_t j = 0; j < kInOrder.size(); ++j) {
      const Number a = *parse_number(kInOrder[i]);
      const Number b = *parse_number(kInOrder[j]);
      EXPECT_EQ(compare(a, b) < 0, i < j) << kInOrder[i] << " and " << kInOrder[j];
      EXPECT_EQ(compare(a, b) == 0, i == j) << kInOrder[i] << " and " << kInOrder[j];
      EXPECT_EQ(a.sort_key() < b.sort_key(), i < j) << kInOrder[i] << " and " << kInOrder[j];
    }
  }
}

}  // namespace
}  // namespace millrace::leases::dynamodb
