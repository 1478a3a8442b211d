#include "identity/condition.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "identity/condition_keys.h"
#include "identity/condition_value.h"
#include "identity/glob.h"

namespace millrace::identity {

Result<Condition> Condition::of_operator(std::string_view op) {
  struct Row {
    std::string_view name;
    Kind kind;
    Relation relation;
    bool negated;
  };
  using enum Relation;
  static constexpr std::array kRows = {
      Row{"StringEquals", Kind::kString, kEqual, false},
      Row{"StringNotEquals", Kind::kString, kEqual, true},
      Row{"StringEqualsIgnoreCase", Kind::kFoldedString, kEqual, false},
      Row{"StringNotEqualsIgnoreCase", Kind::kFoldedString, kEqual, true},
      Row{"StringLike", Kind::kLike, kEqual, false},
      Row{"StringNotLike", Kind::kLike, kEqual, true},
      Row{"NumericEquals", Kind::kNumeric, kEqual, false},
      Row{"NumericNotEquals", Kind::kNumeric, kEqual, true},
      Row{"NumericLessThan", Kind::kNumeric, kLess, false},
      Row{"NumericLessThanEquals", Kind::kNumeric, kLessOrEqual, false},
      Row{"NumericGreaterThan", Kind::kNumeric, kGreater, false},
      Row{"NumericGreaterThanEquals", Kind::kNumeric, kGreaterOrEqual, false},
      Row{"DateEquals", Kind::kDate, kEqual, false},
      Row{"DateNotEquals", Kind::kDate, kEqual, true},
      Row{"DateLessThan", Kind::kDate, kLess, false},
      Row{"DateLessThanEquals", Kind::kDate, kLessOrEqual, false},
      Row{"DateGreaterThan", Kind::kDate, kGreater, false},
      Row{"DateGreaterThanEquals", Kind::kDate, kGreaterOrEqual, false},
      Row{"Bool", Kind::kBool, kEqual, false},
      Row{"BinaryEquals", Kind::kBinary, kEqual, false},
      Row{"IpAddress", Kind::kIp, kEqual, false},
      Row{"NotIpAddress", Kind::kIp, kEqual, true},
      Row{"ArnEquals", Kind::kArn, kEqual, false},
      Row{"ArnLike", Kind::kArn, kEqual, false},
      Row{"ArnNotEquals", Kind::kArn, kEqual, true},
      Row{"ArnNotLike", Kind::kArn, kEqual, true},
      Row{"Null", Kind::kNull, kEqual, false},
  };
  Condition condition;
  std::string_view name = op;
  for (const auto& [prefix, each] : {std::pair<std::string_view, Each>{"ForAllValues:", Each::kForAll},
                                     std::pair<std::string_view, Each>{"ForAnyValue:", Each::kForAny}}) {
    if (!name.starts_with(prefix)) continue;
    condition.each_ = each;
    name.remove_prefix(prefix.size());
    break;
  }
  constexpr std::string_view kIfExists = "IfExists";
  if (name.ends_with(kIfExists) && name != "NullIfExists") {
    condition.if_exists_ = true;
    name.remove_suffix(kIfExists.size());
  }
  const auto* row =
      std::find_if(kRows.begin(), kRows.end(), [&](const Row& each) { return each.name == name; });
  if (row == kRows.end() || (row->kind == Kind::kNull && condition.each_ != Each::kOne))
    return Error{ErrorKind::kInvalid, fmt::format("\"{}\" is no condition operator", op)};
  condition.kind_ = row->kind;
  condition.relation_ = row->relation;
  condition.negated_ = row->negated;
  return condition;
}

Result<Condition> Condition::make(std::string_view op, std::string key, std::vector<std::string> values,
                                  bool variables) {
  MR_ASSIGN(Condition condition, of_operator(op));
  if (key.empty() || key.find(':') == std::string::npos)
    return Error{ErrorKind::kInvalid, fmt::format("\"{}\" is no condition key: it has no \"service:\"", key)};
  const bool takes_variables = condition.kind_ == Kind::kString || condition.kind_ == Kind::kFoldedString ||
                               condition.kind_ == Kind::kLike || condition.kind_ == Kind::kArn;
  condition.variables_ = variables && takes_variables &&
                         std::any_of(values.begin(), values.end(),
                                     [](const std::string& value) { return Glob::has_variables(value); });
  // A variable may name a key that varies: such are rare, and not worth a look at each.
  condition.varies_ = condition.variables_ || RequestContext::varies(key);
  if (!is_known_condition_key(key)) condition.unknown_keys_.push_back(key);
  if (condition.variables_)
    for (const std::string& value : values)
      for (const std::string_view name : Glob::variable_names(value))
        if (!is_known_condition_key(name)) condition.unknown_keys_.push_back(fmt::format("${{{}}}", name));
  condition.key_ = std::move(key);
  condition.values_ = std::move(values);
  if (auto checked = condition.check_values(); !checked.ok())
    return Error{ErrorKind::kInvalid, fmt::format("{} of {}: {}", op, condition.key_, checked.error().text)};
  return condition;
}

Result<void> Condition::check_values() const {
  const auto all = [&](const char* must_be, auto&& fits_form) -> Result<void> {
    for (const std::string& value : values_)
      if (!fits_form(value))
        return Error{ErrorKind::kInvalid, fmt::format("\"{}\" must be {}", value, must_be)};
    return {};
  };
  switch (kind_) {
    case Kind::kString:
    case Kind::kFoldedString:
    case Kind::kLike:
    case Kind::kBinary:
      return {};
    case Kind::kNumeric:
      return all("a number", [](const std::string& value) { return parse_decimal(value).has_value(); });
    case Kind::kDate:
      return all("a date, such as 2026-01-31T23:59:59Z, or seconds since 1970",
                 [](const std::string& value) { return parse_moment(value).has_value(); });
    case Kind::kBool:
    case Kind::kNull:
      return all("true or false", [](const std::string& value) { return parse_truth(value).has_value(); });
    case Kind::kIp:
      return all("an IP address, or a range such as 203.0.113.0/24",
                 [](const std::string& value) { return parse_ip_range(value).has_value(); });
    case Kind::kArn:
      return all("an ARN", [](const std::string& value) {
        return value == "*" || std::count(value.begin(), value.end(), ':') >= 5;
      });
  }
  MR_ASSERT(false);
  __builtin_unreachable();
}

namespace {

template <typename T>
bool in_relation(const T& have, const T& want, bool less, bool equal, bool greater) {
  return have < want ? less : want < have ? greater : equal;
}

}  // namespace

bool Condition::fits_value(const RequestContext& context, const std::string& want, const std::string& have,
                           bool& unresolved) const {
  const Glob::Variables variables = [&](std::string_view name) { return context.value(name); };
  const bool less = relation_ == Relation::kLess || relation_ == Relation::kLessOrEqual;
  const bool greater = relation_ == Relation::kGreater || relation_ == Relation::kGreaterOrEqual;
  const bool equal = relation_ != Relation::kLess && relation_ != Relation::kGreater;
  switch (kind_) {
    case Kind::kString:
    case Kind::kFoldedString: {
      const auto text = variables_ ? replace_variables(want, variables) : std::optional(want);
      if (!text.has_value()) unresolved = true;
      if (!text.has_value()) return false;
      return kind_ == Kind::kString ? *text == have : folded(*text) == folded(have);
    }
    case Kind::kLike: {
      const auto glob = variables_ ? Glob::with_variables(want, variables) : Glob::plain(want);
      if (!glob.has_value()) unresolved = true;
      return glob.has_value() && glob->matches(have);
    }
    case Kind::kArn:
      return arn_matches(want, variables_ ? &variables : nullptr, have, unresolved);
    case Kind::kNumeric: {
      const auto number = parse_decimal(have);
      return number.has_value() && in_relation(*number, *parse_decimal(want), less, equal, greater);
    }
    case Kind::kDate: {
      const auto moment = parse_moment(have);
      return moment.has_value() && in_relation(*moment, *parse_moment(want), less, equal, greater);
    }
    case Kind::kBool:
      return parse_truth(have) == parse_truth(want);
    case Kind::kBinary:
      return have == want;
    case Kind::kIp:
      return is_within(have, *parse_ip_range(want));
    case Kind::kNull:
      break;
  }
  MR_ASSERT(false);
  __builtin_unreachable();
}

bool Condition::fits(const RequestContext& context, const std::string& have, bool& unresolved) const {
  bool found = false;
  for (const std::string& want : values_) found = fits_value(context, want, have, unresolved) || found;
  return found;
}

std::size_t Condition::memory_bytes() const {
  std::size_t bytes = key_.capacity() + (values_.capacity() + unknown_keys_.capacity()) * sizeof(std::string);
  for (const std::string& value : values_) bytes += value.capacity();
  for (const std::string& key : unknown_keys_) bytes += key.capacity();
  return bytes;
}

bool Condition::holds(const RequestContext& context, bool for_deny) const {
  if (!unknown_keys_.empty()) return for_deny;
  const auto have = context.values(key_);
  if (kind_ == Kind::kNull) {
    return std::any_of(values_.begin(), values_.end(),
                       [&](const std::string& value) { return *parse_truth(value) != have.has_value(); });
  }
  if (!have.has_value() || have->empty()) {
    if (if_exists_ || each_ == Each::kForAll) return true;
    return each_ == Each::kOne && negated_;
  }
  bool unresolved = false;
  const auto satisfied = [&](const std::string& value) {
    return fits(context, value, unresolved) != negated_;
  };
  bool holds = false;
  if (each_ == Each::kForAll || (each_ == Each::kOne && !for_deny)) {
    holds = std::all_of(have->begin(), have->end(), satisfied);
  } else {
    holds = std::any_of(have->begin(), have->end(), satisfied);
  }
  // What a variable without a value leaves open must neither allow nor spare from a deny.
  if (unresolved && negated_) return for_deny;
  return holds;
}

}  // namespace millrace::identity
