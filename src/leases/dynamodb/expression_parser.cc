#include "leases/dynamodb/expression_parser.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>

#include "leases/dynamodb/reserved_words.h"

namespace millrace::leases::dynamodb {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_word(char c) { return is_word_start(c) || is_digit(c); }
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

template <typename Belongs>
std::size_t run_length(std::string_view text, std::size_t from, Belongs belongs) {
  std::size_t end = from;
  while (end < text.size() && belongs(text[end])) ++end;
  return end;
}

// The end of a UTF-8 character, so that a message never holds half of one.
std::size_t character_end(std::string_view text, std::size_t from) {
  std::size_t end = from + 1;
  while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) ++end;
  return end;
}

Token::Kind kind_of(char first) {
  if (is_word_start(first)) return Token::Kind::kWord;
  if (is_digit(first)) return Token::Kind::kNumber;
  if (first == '#') return Token::Kind::kName;
  if (first == ':') return Token::Kind::kValue;
  return Token::Kind::kSymbol;
}

std::size_t token_end(std::string_view text, std::size_t from) {
  switch (kind_of(text[from])) {
    case Token::Kind::kWord:
    case Token::Kind::kName:
    case Token::Kind::kValue:
      return run_length(text, from + 1, is_word);
    case Token::Kind::kNumber:
      return run_length(text, from, is_digit);
    default:
      break;
  }
  const std::string_view two = text.substr(from, 2);
  if (two == "<=" || two == ">=" || two == "<>") return from + 2;
  return character_end(text, from);
}

}  // namespace

std::string shown(const Path& path) {
  std::string text = "[";
  for (const PathStep& step : path) {
    if (text.size() > 1) text += ", ";
    text += step.index.has_value() ? fmt::format("[{}]", *step.index) : step.name;
  }
  return text + "]";
}

Outcome Placeholders::all_used() const {
  const auto unused = [](const auto& given, const auto& used) {
    std::vector<std::string_view> left;
    for (const auto& [name, value] : given)
      if (!used.contains(name)) left.push_back(name);
    return left;
  };
  constexpr std::string_view kText =
      "Value provided in ExpressionAttribute{} unused in expressions: keys: {{{}}}";
  if (const auto left = unused(names, used_names); !left.empty())
    return validation(fmt::format(fmt::runtime(kText), "Names", fmt::join(left, ", ")));
  if (const auto left = unused(values, used_values); !left.empty())
    return validation(fmt::format(fmt::runtime(kText), "Values", fmt::join(left, ", ")));
  return std::nullopt;
}

std::optional<AttributeType> given_type(const Operand& operand) {
  if (operand.kind != Operand::Kind::kValue || operand.value == nullptr) return std::nullopt;
  return operand.value->type;
}

ExpressionParser::ExpressionParser(std::string_view text, std::string_view parameter,
                                   Placeholders& placeholders)
    : text_(text), parameter_(parameter), placeholders_(placeholders) {
  if (text_.size() > kExpressionBytesMax) {
    syntax_error_ = fmt::format("Expression size has exceeded the maximum allowed size; expression size: {}",
                                text_.size());
    text_ = {};
  }
  tokenize();
  if (!failed() && peek().kind == Token::Kind::kEnd) syntax_error_ = "The expression can not be empty;";
}

void ExpressionParser::tokenize() {
  std::size_t at = 0;
  while ((at = run_length(text_, at, is_blank)) < text_.size()) {
    const std::size_t end = token_end(text_, at);
    tokens_.push_back({kind_of(text_[at]), text_.substr(at, end - at)});
    at = end;
  }
  tokens_.push_back({Token::Kind::kEnd, text_.substr(text_.size())});
}

Outcome ExpressionParser::outcome() const {
  if (!failed() && !complaint_.has_value()) return std::nullopt;
  return validation(
      fmt::format("Invalid {}: {}", parameter_, failed() ? *syntax_error_ : complaint_->second));
}

const Token& ExpressionParser::peek(std::size_t ahead) const {
  return tokens_[std::min(next_ + ahead, tokens_.size() - 1)];
}

bool ExpressionParser::at_keyword(std::string_view upper) const {
  if (failed() || peek().kind != Token::Kind::kWord || peek().text.size() != upper.size()) return false;
  for (std::size_t i = 0; i < upper.size(); ++i)
    if ((peek().text[i] & ~0x20) != upper[i]) return false;
  return true;
}

std::string_view ExpressionParser::take() {
  const std::string_view text = peek().text;
  if (!at_end()) ++next_;
  return text;
}

bool ExpressionParser::accept_symbol(std::string_view symbol) {
  const bool there = at_symbol(symbol);
  if (there) take();
  return there;
}

bool ExpressionParser::accept_keyword(std::string_view upper) {
  const bool there = at_keyword(upper);
  if (there) take();
  return there;
}

void ExpressionParser::expect_symbol(std::string_view symbol) {
  if (!accept_symbol(symbol)) fail_here();
}

void ExpressionParser::fail_here() {
  if (failed()) return;
  const Token& token = peek();
  const char* begin = (next_ > 0 ? tokens_[next_ - 1] : token).text.data();
  const std::string_view after = peek(1).text;
  const std::string_view near(begin, static_cast<std::size_t>(after.data() + after.size() - begin));
  syntax_error_ = fmt::format("Syntax error; token: \"{}\", near: \"{}\"",
                              token.kind == Token::Kind::kEnd ? "<EOF>" : token.text, near);
}

void ExpressionParser::complain(int rank, std::string text) {
  if (!complaint_.has_value() || rank < complaint_->first) complaint_ = {rank, std::move(text)};
}

std::string ExpressionParser::parse_attribute_name(const NameRanks& ranks) {
  if (failed()) return {};
  if (peek().kind == Token::Kind::kWord) {
    std::string name(take());
    if (is_reserved_word(name))
      complain(ranks.reserved,
               fmt::format("Attribute name is a reserved keyword; reserved keyword: {}", name));
    return name;
  }
  if (peek().kind != Token::Kind::kName || peek().text.size() == 1) {
    fail_here();
    return {};
  }
  const std::string_view mark = take();
  const auto found = placeholders_.names.find(mark);
  if (found == placeholders_.names.end()) {
    complain(ranks.undefined_name,
             fmt::format("An expression attribute name used in the document path is not defined; attribute "
                         "name: {}",
                         mark));
    return std::string(mark);
  }
  placeholders_.used_names.insert(found->first);
  return found->second;
}

Path ExpressionParser::parse_path(const NameRanks& ranks) {
  Path path;
  path.push_back({.name = parse_attribute_name(ranks)});
  while (!failed()) {
    if (accept_symbol(".")) {
      path.push_back({.name = parse_attribute_name(ranks)});
    } else if (accept_symbol("[")) {
      std::uint32_t index = 0;
      const std::string_view digits = peek().text;
      const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
      if (peek().kind != Token::Kind::kNumber || error != std::errc{} ||
          end != digits.data() + digits.size()) {
        fail_here();
        break;
      }
      take();
      path.push_back({.index = index});
      expect_symbol("]");
    } else {
      break;
    }
  }
  if (path.size() > kAttributeDepthMax)
    complain(0,
             fmt::format("The document path has too many nesting elements; nesting levels: {}", path.size()));
  return path;
}

Operand ExpressionParser::parse_value(const NameRanks& ranks) {
  Operand operand;
  if (failed()) return operand;
  if (peek().kind != Token::Kind::kValue || peek().text.size() == 1) {
    fail_here();
    return operand;
  }
  const std::string_view mark = take();
  const auto found = placeholders_.values.find(mark);
  if (found == placeholders_.values.end()) {
    complain(
        ranks.undefined_value,
        fmt::format("An expression attribute value used in expression is not defined; attribute value: {}",
                    mark));
    return operand;
  }
  placeholders_.used_values.insert(found->first);
  operand.value = found->second;
  return operand;
}

ExpressionParser::Deeper::Deeper(ExpressionParser& parser) : parser_(parser) {
  if (++parser_.depth_ > kExpressionDepthMax && !parser_.failed())
    parser_.syntax_error_ =
        fmt::format("The expression is nested deeper than {} levels", kExpressionDepthMax);
}

}  // namespace millrace::leases::dynamodb
