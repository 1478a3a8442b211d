// leases/dynamodb/number.h: DynamoDB's numbers: 38 significant decimal digits, exact.
// source: DynamoDB API reference, "Data types": Number
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace millrace::leases::dynamodb {

// The value d.ddd… × 10^exponent. Zero has no digits.
struct Number {
  bool negative = false;
  std::string digits;  // 1 to 38 of them, the first and the last not '0'
  int exponent = 0;    // -130 to 125

  // Without an exponent, as the service shows it: "0.001", "120000".
  std::string text() const;
  // Bytes that sort as the numbers do.
  std::string sort_key() const;
};

// errors   kInvalid: not a number, out of range, or too many digits, in the service's words
Result<Number> parse_number(std::string_view text);
Result<Number> add(const Number& a, const Number& b);
Number negated(Number number);
// Less than, equal to or greater than 0, as a is to b.
int compare(const Number& a, const Number& b);

}  // namespace millrace::leases::dynamodb
