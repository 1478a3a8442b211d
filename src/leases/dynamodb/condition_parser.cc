// Conditions and filters. The grammar lets a parenthesis hold a condition or an operand; which one shows only
// behind it, so both are read by the same steps and told apart afterwards.
#include <fmt/format.h>

#include <array>
#include <utility>

#include "leases/dynamodb/expression_parser.h"

namespace millrace::leases::dynamodb {
namespace {

// The service tells the first of these that it finds.
enum Rank : int { kParentheses, kUnknownFunction, kMisused, kReserved, kUndefined, kCount, kDistinct, kType };
constexpr int kReservedRank = kReserved;

struct FunctionRule {
  std::string_view name;
  Condition::Kind kind;
  std::size_t operands;
};
constexpr std::array<FunctionRule, 5> kFunctions = {{
    {"attribute_exists", Condition::Kind::kAttributeExists, 1},
    {"attribute_not_exists", Condition::Kind::kAttributeNotExists, 1},
    {"attribute_type", Condition::Kind::kAttributeType, 2},
    {"begins_with", Condition::Kind::kBeginsWith, 2},
    {"contains", Condition::Kind::kContains, 2},
}};
constexpr std::string_view kSize = "size";

struct ComparatorRule {
  std::string_view symbol;
  Condition::Kind kind;
};
constexpr std::array<ComparatorRule, 6> kComparators = {{
    {"=", Condition::Kind::kEqual},
    {"<>", Condition::Kind::kNotEqual},
    {"<", Condition::Kind::kLess},
    {"<=", Condition::Kind::kLessOrEqual},
    {">", Condition::Kind::kGreater},
    {">=", Condition::Kind::kGreaterOrEqual},
}};

// What a step read: a condition, or an operand that may yet become part of one.
struct Term {
  std::optional<Condition> condition = std::nullopt;
  Operand operand = {};
  std::string_view function = {};  // its name, when it is a call
  bool in_parentheses = false;
};

class ConditionParser : public ExpressionParser {
 public:
  using ExpressionParser::ExpressionParser;

  Condition parse() {
    Condition condition = as_condition(parse_or());
    if (!at_end()) fail_here();
    return condition;
  }

 private:
  static constexpr NameRanks kRanks = {kReservedRank, kUndefined, kUndefined};

  Condition as_condition(Term term) {
    if (term.condition.has_value()) return std::move(*term.condition);
    if (term.function == kSize)
      complain(kMisused, misused(kSize));
    else
      fail_here();
    return {};
  }
  Operand as_operand(Term term) {
    if (!term.condition.has_value()) return std::move(term.operand);
    if (!term.function.empty())
      complain(kMisused, misused(term.function));
    else
      fail_here();
    return {};
  }
  static std::string misused(std::string_view function) {
    return fmt::format("The function is not allowed to be used this way in an expression; function: {}",
                       function);
  }

  Term parse_or() { return parse_chain("OR", Condition::Kind::kOr); }

  Term parse_chain(std::string_view keyword, Condition::Kind kind) {
    const bool is_or = kind == Condition::Kind::kOr;
    Term first = is_or ? parse_chain("AND", Condition::Kind::kAnd) : parse_not();
    if (!at_keyword(keyword)) return first;
    Condition chain{.kind = kind};
    chain.parts.push_back(as_condition(std::move(first)));
    while (accept_keyword(keyword))
      chain.parts.push_back(as_condition(is_or ? parse_chain("AND", Condition::Kind::kAnd) : parse_not()));
    return {.condition = std::move(chain)};
  }

  Term parse_not() {
    if (!at_keyword("NOT")) return parse_predicate();
    take();
    const Deeper deeper(*this);
    if (failed()) return {};
    Condition negation{.kind = Condition::Kind::kNot};
    negation.parts.push_back(as_condition(parse_not()));
    return {.condition = std::move(negation)};
  }

  Term parse_predicate() {
    Term left = parse_term();
    if (failed()) return left;
    for (const ComparatorRule& rule : kComparators) {
      if (!accept_symbol(rule.symbol)) continue;
      Condition comparison{.kind = rule.kind};
      comparison.operands.push_back(as_operand(std::move(left)));
      comparison.operands.push_back(as_operand(parse_term()));
      check_distinct(rule.symbol, comparison.operands);
      return {.condition = std::move(comparison)};
    }
    if (accept_keyword("BETWEEN")) return parse_between(as_operand(std::move(left)));
    if (accept_keyword("IN")) return parse_in(as_operand(std::move(left)));
    return left;
  }

  Term parse_between(Operand operand) {
    Condition between{.kind = Condition::Kind::kBetween};
    between.operands.push_back(std::move(operand));
    between.operands.push_back(as_operand(parse_term()));
    if (!accept_keyword("AND")) fail_here();
    between.operands.push_back(as_operand(parse_term()));
    check_bounds(between.operands[1], between.operands[2]);
    return {.condition = std::move(between)};
  }

  Term parse_in(Operand operand) {
    constexpr std::size_t kInOperandsMax = 100;
    Condition in{.kind = Condition::Kind::kIn};
    in.operands.push_back(std::move(operand));
    expect_symbol("(");
    do in.operands.push_back(as_operand(parse_term()));
    while (accept_symbol(","));
    expect_symbol(")");
    if (in.operands.size() > kInOperandsMax + 1)
      complain(kCount,
               fmt::format("The IN operator is provided with too many operands; number of operands: {}",
                           in.operands.size() - 1));
    return {.condition = std::move(in)};
  }

  Term parse_term() {
    if (failed()) return {};
    if (at_symbol("(")) {
      const Deeper deeper(*this);
      take();
      if (failed()) return {};
      Term inner = parse_or();
      expect_symbol(")");
      if (inner.in_parentheses) complain(kParentheses, "The expression has redundant parentheses;");
      inner.in_parentheses = true;
      return inner;
    }
    if (peek().kind == Token::Kind::kValue) return {.operand = parse_value(kRanks)};
    if (is_keyword()) {
      fail_here();
      return {};
    }
    if (peek().kind == Token::Kind::kWord && peek(1).kind == Token::Kind::kSymbol && peek(1).text == "(")
      return parse_function();
    return {.operand = {.kind = Operand::Kind::kPath, .path = parse_path(kRanks)}};
  }

  bool is_keyword() const {
    return at_keyword("AND") || at_keyword("OR") || at_keyword("NOT") || at_keyword("BETWEEN") ||
           at_keyword("IN");
  }

  Term parse_function() {
    const Deeper deeper(*this);
    const std::string_view name = take();
    take();
    std::vector<Operand> operands;
    do operands.push_back(as_operand(parse_term()));
    while (accept_symbol(","));
    expect_symbol(")");
    if (failed()) return {};
    if (name == kSize) {
      check_count(name, 1, operands.size());
      check_size_operand(operands.front());
      operands.resize(1);
      return {.operand = {.kind = Operand::Kind::kSize, .operands = std::move(operands)}, .function = name};
    }
    for (const FunctionRule& rule : kFunctions) {
      if (rule.name != name) continue;
      check_count(name, rule.operands, operands.size());
      if (rule.operands == operands.size()) check_operands(rule, operands);
      operands.resize(rule.operands);
      return {.condition = Condition{.kind = rule.kind, .operands = std::move(operands)}, .function = name};
    }
    complain(kUnknownFunction, fmt::format("Invalid function name; function: {}", name));
    return {.condition = Condition{}, .function = name};
  }

  void check_count(std::string_view name, std::size_t wanted, std::size_t given) {
    if (wanted != given)
      complain(kCount,
               fmt::format("Incorrect number of operands for operator or function; operator or function: "
                           "{}, number of operands: {}",
                           name, given));
  }

  void check_distinct(std::string_view name, const std::vector<Operand>& operands) {
    const Operand& first = operands[0];
    if (first.kind == Operand::Kind::kPath && operands[1].kind == Operand::Kind::kPath &&
        first.path == operands[1].path)
      complain(kDistinct,
               fmt::format("The first operand must be distinct from the remaining operands for this "
                           "operator or function; operator: {}, first operand: {}",
                           name, shown(first.path)));
  }

  void check_bounds(const Operand& low, const Operand& high) {
    if (!given_type(low).has_value() || !given_type(high).has_value()) return;
    std::string_view rule;
    if (low.value->type != high.value->type)
      rule = "requires same data type for lower and upper bounds";
    else if (comparable(*low.value, *high.value) && compare(*low.value, *high.value) > 0)
      rule = "requires upper bound to be greater than or equal to lower bound";
    else
      return;
    complain(kType,
             fmt::format("The BETWEEN operator {}; lower bound operand: AttributeValue: {}, upper bound "
                         "operand: AttributeValue: {}",
                         rule, dynamodb::shown(*low.value), dynamodb::shown(*high.value)));
  }

  void complain_of_type(std::string_view function, std::string_view type) {
    complain(kType, fmt::format("Incorrect operand type for operator or function; operator or function: {}, "
                                "operand type: {}",
                                function, type));
  }

  void check_size_operand(const Operand& operand) {
    const auto type = given_type(operand);
    if (type == AttributeType::kNumber || type == AttributeType::kBoolean || type == AttributeType::kNull)
      complain_of_type(kSize, type_name(*type));
  }

  void check_operands(const FunctionRule& rule, const std::vector<Operand>& operands) {
    if (operands.size() == 2) check_distinct(rule.name, operands);
    switch (rule.kind) {
      case Condition::Kind::kAttributeExists:
      case Condition::Kind::kAttributeNotExists:
        if (operands[0].kind != Operand::Kind::kPath)
          complain(kType,
                   fmt::format("Operator or function requires a document path; operator or function: {}",
                               rule.name));
        break;
      case Condition::Kind::kAttributeType:
        check_type_name(operands[1]);
        break;
      case Condition::Kind::kBeginsWith:
        for (const Operand& operand : operands) {
          const auto type = given_type(operand);
          if (type.has_value() && type != AttributeType::kString && type != AttributeType::kBinary)
            complain_of_type(rule.name, type_name(*type));
        }
        break;
      default:
        break;
    }
  }

  void check_type_name(const Operand& operand) {
    const auto given = given_type(operand);
    if (given != AttributeType::kString) {
      complain_of_type("attribute_type",
                       given.has_value() ? type_name(*given) : "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}");
      return;
    }
    for (std::size_t i = 0; i < kAttributeTypes; ++i)
      if (type_name(static_cast<AttributeType>(i)) == operand.value->text()) return;
    complain(kType, fmt::format("Invalid attribute type name found; type: {}, valid types: "
                                "{{B,NULL,SS,BOOL,L,BS,N,NS,S,M}}",
                                operand.value->text()));
  }
};

}  // namespace

Outcome parse_condition(std::string_view text, std::string_view parameter, Placeholders& placeholders,
                        Condition* condition) {
  ConditionParser parser(text, parameter, placeholders);
  *condition = parser.parse();
  return parser.outcome();
}

}  // namespace millrace::leases::dynamodb
