// sts/query.h: the query protocol of AWS: parameters in a form or in the target, answers and errors in XML.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "net/http.h"

namespace millrace::sts {

class Parameters {
 public:
  // Of the target's query and, where it is a form, of the body.
  explicit Parameters(const net::Request& request);

  // Nothing is passed over in silence: what is not read might have been there to restrict something. Empty,
  // or what is wrong: a parameter that is none of `known` or is given twice, more than 200, a list with a
  // gap. known   "RoleArn", "PolicyArns.member.N.arn"; those of a signature are known always
  std::string check(std::span<const std::string_view> known) const;

  // nullopt: not sent. The pointer holds as long as this.
  const std::string* find(std::string_view name) const;
  // Those of NAME.member.1, NAME.member.2 and on, each with `suffix` behind it.
  std::vector<std::string> list(std::string_view name, std::string_view suffix = {}) const;

 private:
  void read(std::string_view form);

  std::map<std::string, std::string, std::less<>> values_;
  std::string twice_;  // the first name that is
  bool too_many_ = false;
};

struct QueryError {
  std::string code;  // "AccessDenied"
  std::string message;
  int http_status = 400;
};

// Text as an element's content.
std::string xml_escaped(std::string_view text);
// <NAME>text</NAME>
std::string xml_element(std::string_view name, std::string_view text);

// result   what stands inside of <ACTIONResult>
net::Response xml_answer(std::string_view action, std::string_view result, std::string_view request_id);
net::Response xml_answer(const QueryError& error, std::string_view request_id);

}  // namespace millrace::sts
