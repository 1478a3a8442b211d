// Bodies of CloudWatch's older protocols: forms and CBOR.
#include "leases/cloudwatch/form.h"

#include <gtest/gtest.h>

#include <string_view>

#include "leases/json.h"

namespace millrace::leases::cloudwatch {
namespace {

TEST(Form, StandsForATree) {
  const auto tree = parse_form("Action=PutMetricData&MetricData.member.1.Value=5&Namespace=caf%C3%A9+%25");
  ASSERT_TRUE(tree.has_value());
  EXPECT_EQ(tree->find("Action")->text, "PutMetricData");
  EXPECT_EQ(tree->find("Namespace")->text, "caf\u00e9 %");
  ASSERT_EQ(tree->find("MetricData")->items.size(), 1u);
  EXPECT_EQ(tree->find("MetricData")->items[0].find("Value")->text, "5");
}

// A metric's name comes back in everybody's answers: there it would break their parsers.
TEST(Form, WhatIsNotUtf8IsNotWellFormed) {
  EXPECT_FALSE(parse_form("Action=a&Namespace=%FF").has_value());
  EXPECT_FALSE(parse_form("Action=a&%C3=b").has_value());
  EXPECT_FALSE(parse_form("Action=a&Namespace=%C3").has_value());
  using namespace std::string_view_literals;
  EXPECT_EQ(parse_cbor(as_bytes("\xa1\x61s\x61x"sv), 10).fault, JsonFault::kNone);
  EXPECT_NE(parse_cbor(as_bytes("\xa1\x61s\x61\xff"sv), 10).fault, JsonFault::kNone);
  EXPECT_NE(parse_cbor(as_bytes("\xa1\x61\xff\x61x"sv), 10).fault, JsonFault::kNone);
}

}  // namespace
}  // namespace millrace::leases::cloudwatch
