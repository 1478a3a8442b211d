// Update expressions, and projections, which are lists of paths.
#include <fmt/format.h>

#include <array>
#include <utility>

#include "leases/dynamodb/expression_parser.h"

namespace millrace::leases::dynamodb {
namespace {

// The service tells the first of these that it finds.
enum Rank : int {
  kReserved,
  kUnknownFunction,
  kSection,
  kUndefinedName,
  kUndefinedValue,
  kOverlap,
  kConflict,
  kOperandType,
  kFunctionType,
};

struct SectionRule {
  std::string_view keyword;
  UpdateAction::Kind kind;
};
constexpr std::array<SectionRule, 4> kSections = {{
    {"SET", UpdateAction::Kind::kSet},
    {"REMOVE", UpdateAction::Kind::kRemove},
    {"ADD", UpdateAction::Kind::kAdd},
    {"DELETE", UpdateAction::Kind::kDelete},
}};

std::string_view long_type_name(AttributeType type) {
  switch (type) {
    case AttributeType::kString:
      return "STRING";
    case AttributeType::kNumber:
      return "NUMBER";
    case AttributeType::kBinary:
      return "BINARY";
    case AttributeType::kBoolean:
      return "BOOLEAN";
    case AttributeType::kNull:
      return "NULL";
    case AttributeType::kMap:
      return "MAP";
    case AttributeType::kList:
      return "LIST";
    case AttributeType::kStringSet:
      return "STRING_SET";
    case AttributeType::kNumberSet:
      return "NUMBER_SET";
    case AttributeType::kBinarySet:
      return "BINARY_SET";
  }
  return "";
}

class UpdateParser : public ExpressionParser {
 public:
  using ExpressionParser::ExpressionParser;

  Update parse_update() {
    do parse_section();
    while (!at_end());
    return std::move(update_);
  }

  std::vector<Path> parse_projection() {
    std::vector<Path> paths;
    do {
      paths.push_back(parse_path(kRanks));
      check_overlap(paths.back());
      seen_.push_back(paths.back());
    } while (accept_symbol(","));
    if (!at_end()) fail_here();
    return paths;
  }

 private:
  static constexpr NameRanks kRanks = {kReserved, kUndefinedName, kUndefinedValue};

  void parse_section() {
    for (const SectionRule& rule : kSections) {
      if (!accept_keyword(rule.keyword)) continue;
      bool& used = sections_[static_cast<std::size_t>(rule.kind)];
      if (std::exchange(used, true))
        complain(kSection, fmt::format("The \"{}\" section can only be used once in an update expression;",
                                       rule.keyword));
      do parse_action(rule);
      while (accept_symbol(","));
      return;
    }
    fail_here();
  }

  void parse_action(const SectionRule& rule) {
    UpdateAction action{.kind = rule.kind, .path = parse_path(kRanks)};
    if (failed()) return;
    check_overlap(action.path);
    seen_.push_back(action.path);
    switch (rule.kind) {
      case UpdateAction::Kind::kSet:
        expect_symbol("=");
        action.value = parse_set_value();
        break;
      case UpdateAction::Kind::kRemove:
        break;
      case UpdateAction::Kind::kAdd:
      case UpdateAction::Kind::kDelete:
        action.value = parse_value(kRanks);
        check_set_operand(rule, action.value);
        break;
    }
    update_.push_back(std::move(action));
  }

  // ADD takes numbers and sets, DELETE sets.
  void check_set_operand(const SectionRule& rule, const Operand& operand) {
    const auto type = given_type(operand);
    if (!type.has_value() || operand.value->is_set()) return;
    if (rule.kind == UpdateAction::Kind::kAdd && type == AttributeType::kNumber) return;
    complain(kOperandType,
             fmt::format("Incorrect operand type for operator or function; operator: {}, operand type: {}",
                         rule.keyword, long_type_name(*type)));
  }

  Operand parse_set_value() {
    const Deeper deeper(*this);
    if (failed()) return {};
    if (at_symbol("(")) {
      take();
      Operand inner = parse_set_value();
      expect_symbol(")");
      return parse_sum(std::move(inner));
    }
    return parse_sum(parse_operand());
  }

  Operand parse_sum(Operand left) {
    const bool plus = at_symbol("+");
    if (!plus && !at_symbol("-")) return left;
    const std::string_view symbol = take();
    Operand sum{.kind = plus ? Operand::Kind::kPlus : Operand::Kind::kMinus};
    sum.operands.push_back(std::move(left));
    sum.operands.push_back(parse_operand());
    check_function(symbol, AttributeType::kNumber, sum.operands);
    return sum;
  }

  Operand parse_operand() {
    const Deeper deeper(*this);
    if (failed()) return {};
    if (accept_symbol("(")) {
      Operand inner = parse_operand();
      expect_symbol(")");
      return inner;
    }
    if (peek().kind == Token::Kind::kValue) return parse_value(kRanks);
    if (peek().kind == Token::Kind::kWord && peek(1).kind == Token::Kind::kSymbol && peek(1).text == "(")
      return parse_function();
    return {.kind = Operand::Kind::kPath, .path = parse_path(kRanks)};
  }

  Operand parse_function() {
    const std::string_view name = take();
    take();
    std::vector<Operand> operands;
    do operands.push_back(parse_operand());
    while (accept_symbol(","));
    expect_symbol(")");
    if (failed()) return {};
    if (name != "if_not_exists" && name != "list_append") {
      complain(kUnknownFunction, fmt::format("Invalid function name; function: {}", name));
      return {};
    }
    if (operands.size() != 2) {
      complain(kFunctionType,
               fmt::format("Incorrect number of operands for operator or function; operator or "
                           "function: {}, number of operands: {}",
                           name, operands.size()));
      return {};
    }
    if (name == "list_append") {
      check_function(name, AttributeType::kList, operands);
      return {.kind = Operand::Kind::kListAppend, .operands = std::move(operands)};
    }
    if (operands[0].kind != Operand::Kind::kPath)
      complain(kFunctionType,
               fmt::format("Operator or function requires a document path; operator or function: {}", name));
    Operand otherwise{.kind = Operand::Kind::kIfNotExists, .path = std::move(operands[0].path)};
    otherwise.operands.push_back(std::move(operands[1]));
    return otherwise;
  }

  void check_function(std::string_view name, AttributeType wanted, const std::vector<Operand>& operands) {
    for (const Operand& operand : operands) {
      const auto type = given_type(operand);
      if (!type.has_value() || type == wanted) continue;
      complain(kFunctionType,
               fmt::format("Incorrect operand type for operator or function; operator or function: "
                           "{}, operand type: {}",
                           name, type_name(*type)));
    }
  }

  void check_overlap(const Path& path) {
    for (const Path& other : seen_) {
      std::size_t same = 0;
      while (same < path.size() && same < other.size() && path[same] == other[same]) ++same;
      const bool both_go_on = same < path.size() && same < other.size();
      if (both_go_on && path[same].index.has_value() == other[same].index.has_value()) continue;
      complain(both_go_on ? kConflict : kOverlap,
               fmt::format(
                   "Two document paths {} with each other; must remove or rewrite one of these paths; path "
                   "one: {}, path two: {}",
                   both_go_on ? "conflict" : "overlap", shown(other), shown(path)));
    }
  }

  Update update_;
  std::vector<Path> seen_;
  std::array<bool, kSections.size()> sections_{};
};

}  // namespace

Outcome parse_update(std::string_view text, Placeholders& placeholders, Update* update) {
  UpdateParser parser(text, "UpdateExpression", placeholders);
  *update = parser.parse_update();
  return parser.outcome();
}

Outcome parse_projection(std::string_view text, Placeholders& placeholders, std::vector<Path>* paths) {
  UpdateParser parser(text, "ProjectionExpression", placeholders);
  *paths = parser.parse_projection();
  return parser.outcome();
}

}  // namespace millrace::leases::dynamodb
