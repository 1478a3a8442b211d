#include "leases/cloudwatch/form.h"

#include <charconv>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "api/document_reader.h"

namespace millrace::leases::cloudwatch {
namespace {

constexpr std::size_t kFormValuesMax = 50'000;
constexpr std::size_t kLevelsMax = 12;
constexpr std::string_view kMember = "member";

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> unescaped(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      plain += ' ';
    } else if (text[i] != '%') {
      plain += text[i];
    } else {
      const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
      if (high < 0 || low < 0) return std::nullopt;
      plain += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  if (!api::is_utf8(plain)) return std::nullopt;
  return plain;
}

struct Node {
  std::string text;
  std::map<std::string, Node> members;
};

Json to_json(Node node) {
  if (node.members.empty()) return {.kind = Json::Kind::kText, .text = std::move(node.text)};
  if (node.members.size() == 1 && node.members.begin()->first == kMember) {
    std::map<std::uint64_t, Node> in_order;
    for (auto& [name, item] : node.members.begin()->second.members) {
      std::uint64_t position = 0;
      std::from_chars(name.data(), name.data() + name.size(), position);
      in_order.insert_or_assign(position, std::move(item));
    }
    Json list{.kind = Json::Kind::kList};
    for (auto& [position, item] : in_order) list.items.push_back(to_json(std::move(item)));
    return list;
  }
  Json map{.kind = Json::Kind::kMap};
  for (auto& [name, member] : node.members) {
    map.names.push_back(name);
    map.items.push_back(to_json(std::move(member)));
  }
  return map;
}

}  // namespace

std::optional<Json> parse_form(std::string_view form) {
  Node root;
  for (std::size_t count = 0; !form.empty(); ++count) {
    if (count == kFormValuesMax) return std::nullopt;
    const std::size_t end = form.find('&');
    const std::string_view pair = form.substr(0, end);
    form.remove_prefix(end == std::string_view::npos ? form.size() : end + 1);
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    const auto name = unescaped(pair.substr(0, equals));
    auto value = unescaped(equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1));
    if (!name.has_value() || !value.has_value()) return std::nullopt;
    Node* at = &root;
    std::string_view path = *name;
    for (std::size_t level = 0; !path.empty(); ++level) {
      if (level == kLevelsMax) return std::nullopt;
      const std::size_t dot = path.find('.');
      at = &at->members[std::string(path.substr(0, dot))];
      path.remove_prefix(dot == std::string_view::npos ? path.size() : dot + 1);
    }
    if (at != &root) at->text = std::move(*value);
  }
  Json tree = to_json(std::move(root));
  if (tree.kind == Json::Kind::kText) return Json{.kind = Json::Kind::kMap};
  return tree.kind == Json::Kind::kMap ? std::optional(std::move(tree)) : std::nullopt;
}

}  // namespace millrace::leases::cloudwatch
