#include "sts/query.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <utility>

#include "identity/canonical_request.h"

namespace millrace::sts {
namespace {

constexpr std::string_view kNamespace = "https://sts.amazonaws.com/doc/2011-06-15/";
constexpr std::size_t kParametersMax = 200;

net::Response xml(int status, std::string text, std::string_view request_id) {
  net::Response response;
  response.status = status;
  response.headers.emplace_back("x-amzn-RequestId", std::string(request_id));
  response.headers.emplace_back("Content-Type", "text/xml");
  response.body = Bytes(text);
  return response;
}

// "Tags.member.12.Key": the list is "Tags.member.", the number 12, and the pattern "Tags.member.N.Key".
struct Numbered {
  std::string list;
  std::uint32_t number = 0;  // 0: it is of no list
  std::string pattern;
};
Numbered numbered(const std::string& name) {
  constexpr std::string_view kMember = ".member.";
  const std::size_t begin = name.find(kMember);
  if (begin == std::string::npos) return {.pattern = name};
  const std::size_t digits = begin + kMember.size();
  Numbered item{.list = name.substr(0, digits), .pattern = name};
  const auto [end, error] = std::from_chars(name.data() + digits, name.data() + name.size(), item.number);
  const std::size_t size = static_cast<std::size_t>(end - name.data()) - digits;
  if (error != std::errc() || name[digits] == '0' || (digits + size < name.size() && *end != '.'))
    return {.pattern = name};
  item.pattern.replace(digits, size, "N");
  return item;
}

}  // namespace

Parameters::Parameters(const net::Request& request) {
  read(identity::query_of(request.target));
  if (request.header("content-type").starts_with("application/x-www-form-urlencoded"))
    read(request.body.text());
}

void Parameters::read(std::string_view form) {
  while (!form.empty() && values_.size() < kParametersMax) {
    const std::string_view pair = form.substr(0, form.find('&'));
    form.remove_prefix(std::min(form.size(), pair.size() + 1));
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const std::string_view value = pair.substr(std::min(equals + 1, pair.size()));
    if (pair.empty()) continue;
    const auto [at, is_new] = values_.try_emplace(identity::percent_decoded(pair.substr(0, equals)),
                                                  identity::percent_decoded(value));
    if (!is_new && twice_.empty()) twice_ = at->first;
  }
  too_many_ = too_many_ || !form.empty();
}

std::string Parameters::check(std::span<const std::string_view> known) const {
  if (too_many_) return fmt::format("There are more than {} parameters", kParametersMax);
  if (!twice_.empty()) return fmt::format("The parameter {} is given twice", twice_);
  for (const auto& [name, value] : values_) {
    const Numbered item = numbered(name);
    if (!name.starts_with("X-Amz-") && std::find(known.begin(), known.end(), item.pattern) == known.end())
      return fmt::format("The parameter {} is not known", name);
    if (item.number <= 1) continue;
    const std::string before = fmt::format("{}{}", item.list, item.number - 1);
    const auto found = values_.lower_bound(before);
    if (found == values_.end() || (found->first != before && !found->first.starts_with(before + ".")))
      return fmt::format("The parameter {} has none before it: lists begin at 1 and have no gaps", name);
  }
  return {};
}

const std::string* Parameters::find(std::string_view name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? nullptr : &found->second;
}

std::vector<std::string> Parameters::list(std::string_view name, std::string_view suffix) const {
  std::vector<std::string> items;
  for (std::size_t i = 1; i <= kParametersMax; ++i) {
    const std::string* item = find(fmt::format("{}.member.{}{}", name, i, suffix));
    if (item == nullptr) break;
    items.push_back(*item);
  }
  return items;
}

std::string xml_escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') {
      out += '?';  // XML has no way to say it
    } else {
      out += c;
    }
  }
  return out;
}

std::string xml_element(std::string_view name, std::string_view text) {
  return fmt::format("<{0}>{1}</{0}>", name, xml_escaped(text));
}

net::Response xml_answer(std::string_view action, std::string_view result, std::string_view request_id) {
  return xml(
      200,
      fmt::format("<{0}Response xmlns=\"{1}\"><{0}Result>{2}</{0}Result><ResponseMetadata><RequestId>{3}"
                  "</RequestId></ResponseMetadata></{0}Response>\n",
                  action, kNamespace, result, request_id),
      request_id);
}

net::Response xml_answer(const QueryError& error, std::string_view request_id) {
  return xml(
      error.http_status,
      fmt::format("<ErrorResponse xmlns=\"{}\"><Error><Type>{}</Type>{}{}</Error><RequestId>{}</RequestId>"
                  "</ErrorResponse>\n",
                  kNamespace, error.http_status >= 500 ? "Receiver" : "Sender",
                  xml_element("Code", error.code), xml_element("Message", error.message), request_id),
      request_id);
}

}  // namespace millrace::sts
