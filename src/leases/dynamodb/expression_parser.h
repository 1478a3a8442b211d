// leases/dynamodb/expression_parser.h: tokens, paths and placeholders: what the parsers of all expressions
// share.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "leases/dynamodb/expression.h"

namespace millrace::leases::dynamodb {

struct Token {
  // "(", "<=" are symbols; a value is ":v", a name "#n"; the last token is kEnd.
  enum class Kind : std::uint8_t { kWord, kName, kValue, kNumber, kSymbol, kEnd };
  Kind kind = Kind::kEnd;
  std::string_view text = {};
};

// After a syntax error nothing is read any more: every further step does nothing.
class ExpressionParser {
 public:
  // All borrowed. parameter   "UpdateExpression"
  ExpressionParser(std::string_view text, std::string_view parameter, Placeholders& placeholders);

  // The syntax error, or else the worst complaint.
  Outcome outcome() const;

 protected:
  const Token& peek(std::size_t ahead = 0) const;
  bool at_symbol(std::string_view symbol) const { return at(Token::Kind::kSymbol, symbol); }
  bool at_keyword(std::string_view upper) const;  // a word, in any case
  bool at_end() const { return failed() || peek().kind == Token::Kind::kEnd; }
  std::string_view take();
  bool accept_symbol(std::string_view symbol);
  bool accept_keyword(std::string_view upper);
  void expect_symbol(std::string_view symbol);

  void fail_here();  // a syntax error at the token that comes
  bool failed() const { return syntax_error_.has_value(); }
  // What is wrong beside syntax: of all complaints the one of the lowest rank is told.
  void complain(int rank, std::string text);

  // Ranks for complaints on names; a parser has its own order.
  struct NameRanks {
    int reserved;
    int undefined_name;
    int undefined_value;
  };
  Path parse_path(const NameRanks& ranks);
  Operand parse_value(const NameRanks& ranks);

  // While one lives, the parser is one level deeper; too deep is a syntax error.
  class Deeper {
   public:
    explicit Deeper(ExpressionParser& parser);
    ~Deeper() { --parser_.depth_; }
    Deeper(const Deeper&) = delete;
    Deeper& operator=(const Deeper&) = delete;

   private:
    ExpressionParser& parser_;
  };

 private:
  bool at(Token::Kind kind, std::string_view text) const {
    return !failed() && peek().kind == kind && peek().text == text;
  }
  void tokenize();
  std::string parse_attribute_name(const NameRanks& ranks);

  std::string_view text_;
  std::string_view parameter_;
  Placeholders& placeholders_;
  std::vector<Token> tokens_;
  std::size_t next_ = 0;
  std::size_t depth_ = 0;
  std::optional<std::string> syntax_error_;
  std::optional<std::pair<int, std::string>> complaint_;
};

// The type of a value given in the request; none for a path.
std::optional<AttributeType> given_type(const Operand& operand);

}  // namespace millrace::leases::dynamodb
