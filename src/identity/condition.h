// identity/condition.h: one line of a statement's Condition: an operator, a key, and values.
// source: IAM User Guide, "IAM JSON policy elements: Condition operators"
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "identity/request_context.h"

namespace millrace::identity {

class Condition {
 public:
  // op       "StringLike", "ForAnyValue:StringEqualsIfExists"
  // errors   kInvalid: no such operator, or a value that it does not take; the text names both
  // variables   whether "${…}" in values is one (Version 2012-10-17)
  static Result<Condition> make(std::string_view op, std::string key, std::vector<std::string> values,
                                bool variables);

  // for_deny   of a Deny statement: where a variable stands for nothing, the doubt goes to the deny
  // Where a key has several values and the operator is for one, an Allow needs all of them to fit, a Deny
  // one.
  bool holds(const RequestContext& context, bool for_deny) const;

  // Whether it may hold for one request of a principal and not for another like it.
  bool varies() const { return varies_; }

  // That it holds beside itself.
  std::size_t memory_bytes() const;

  // Its key and the variables in its values, as far as this server does not know them: "foo:bar",
  // "${foo:bar}". Such a condition holds in a Deny and in no Allow, whatever its operator.
  const std::vector<std::string>& unknown_keys() const { return unknown_keys_; }

 private:
  enum class Kind : std::uint8_t {
    kString,
    kFoldedString,
    kLike,
    kNumeric,
    kDate,
    kBool,
    kBinary,
    kIp,
    kArn,
    kNull
  };
  enum class Relation : std::uint8_t { kEqual, kLess, kLessOrEqual, kGreater, kGreaterOrEqual };
  enum class Each : std::uint8_t { kOne, kForAll, kForAny };

  static Result<Condition> of_operator(std::string_view op);
  Result<void> check_values() const;
  // Whether `have` fits one of the values, the operator's "Not" left aside.
  bool fits(const RequestContext& context, const std::string& have, bool& unresolved) const;
  bool fits_value(const RequestContext& context, const std::string& want, const std::string& have,
                  bool& unresolved) const;

  Kind kind_ = Kind::kString;
  Relation relation_ = Relation::kEqual;
  Each each_ = Each::kOne;
  bool negated_ = false;
  bool if_exists_ = false;
  bool variables_ = false;
  bool varies_ = false;
  std::vector<std::string> unknown_keys_;
  std::string key_;
  std::vector<std::string> values_;
};

}  // namespace millrace::identity
