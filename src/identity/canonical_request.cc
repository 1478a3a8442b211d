#include "identity/canonical_request.h"

#include <algorithm>
#include <array>
#include <utility>

namespace millrace::identity {
namespace {

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

// As std::less, without case.
int compare(std::string_view a, std::string_view b) {
  const std::size_t common = std::min(a.size(), b.size());
  for (std::size_t i = 0; i < common; ++i) {
    const char x = lower(a[i]);
    const char y = lower(b[i]);
    if (x != y) return static_cast<unsigned char>(x) < static_cast<unsigned char>(y) ? -1 : 1;
  }
  return a.size() == b.size() ? 0 : a.size() < b.size() ? -1 : 1;
}

constexpr bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

constexpr std::array<bool, 256> kUnreserved = [] {
  std::array<bool, 256> unreserved{};
  for (const char c :
       std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")) {
    unreserved[static_cast<unsigned char>(c)] = true;
  }
  return unreserved;
}();

void append_encoded(std::string_view text, std::string* out) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (kUnreserved[byte]) {
      out->push_back(c);
    } else {
      out->append({'%', kDigits[byte >> 4], kDigits[byte & 15]});
    }
  }
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Path and query of an absolute target ("http://host:80/path?query"), or `target` itself.
std::string_view without_authority(std::string_view target) {
  if (target.starts_with('/')) return target;
  const std::size_t scheme = target.find("://");
  if (scheme == std::string_view::npos || target.find_first_of("/?") < scheme) return target;
  const std::size_t path = target.find_first_of("/?", scheme + 3);
  return path == std::string_view::npos ? std::string_view() : target.substr(path);
}

}  // namespace

std::string canonical_path(std::string_view target) {
  const std::string_view relative = without_authority(target);
  const std::string_view path = relative.substr(0, relative.find('?'));
  std::vector<std::string_view> segments;
  for (std::size_t at = 0; at <= path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    const std::string_view segment = path.substr(at, end - at);
    if (segment == "..") {
      if (!segments.empty()) segments.pop_back();
    } else if (!segment.empty() && segment != ".") {
      segments.push_back(segment);
    }
    at = end + 1;
  }
  std::string out;
  for (const std::string_view segment : segments) {
    out.push_back('/');
    append_encoded(segment, &out);
  }
  if (out.empty() || path.ends_with('/')) out.push_back('/');
  return out;
}

std::string_view query_of(std::string_view target) {
  const std::size_t mark = target.find('?');
  return mark == std::string_view::npos ? std::string_view() : target.substr(mark + 1);
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0) {
      out.push_back(static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2])));
      i += 2;
    } else {
      out.push_back(text[i] == '+' ? ' ' : text[i]);
    }
  }
  return out;
}

std::string canonical_query(std::string_view query, std::string_view without) {
  std::vector<std::pair<std::string, std::string>> parameters;
  bool left_out = without.empty();
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const std::string name = percent_decoded(pair.substr(0, equals));
    if (!left_out && name == without) {
      left_out = true;
      continue;
    }
    auto& parameter = parameters.emplace_back();
    append_encoded(name, &parameter.first);
    append_encoded(percent_decoded(pair.substr(std::min(equals + 1, pair.size()))), &parameter.second);
  }
  std::sort(parameters.begin(), parameters.end());
  std::string out;
  for (const auto& [name, value] : parameters) {
    if (!out.empty()) out.push_back('&');
    out.append(name).append("=").append(value);
  }
  return out;
}

HeaderIndex::HeaderIndex(std::span<const HttpHeader> headers) {
  sorted_.reserve(headers.size());
  for (const HttpHeader& header : headers) sorted_.push_back(&header);
  std::stable_sort(sorted_.begin(), sorted_.end(),
                   [](const HttpHeader* a, const HttpHeader* b) { return compare(a->name, b->name) < 0; });
}

std::span<const HttpHeader* const> HeaderIndex::find_exactly(std::string_view name) const {
  const auto first = std::lower_bound(
      sorted_.begin(), sorted_.end(), name,
      [](const HttpHeader* header, std::string_view wanted) { return compare(header->name, wanted) < 0; });
  auto last = first;
  while (last != sorted_.end() && compare((*last)->name, name) == 0) ++last;
  return {first, last};
}

std::span<const HttpHeader* const> HeaderIndex::find(std::string_view name) const {
  const auto found = find_exactly(name);
  if (!found.empty()) return found;
  if (name == "host") return find_exactly(":authority");
  if (name == ":authority") return find_exactly("host");
  return found;
}

std::string HeaderIndex::joined(std::string_view name) const {
  std::string out;
  const auto found = find(name);
  for (std::size_t i = 0; i < found.size(); ++i) out.append(i == 0 ? "" : ",").append(found[i]->value);
  return out;
}

void append_canonical_headers(const HeaderIndex& headers, std::span<const std::string_view> names,
                              std::string* out) {
  for (const std::string_view name : names) {
    const auto found = headers.find(name);
    if (found.empty()) continue;
    out->append(name).push_back(':');
    for (std::size_t i = 0; i < found.size(); ++i) {
      if (i > 0) out->push_back(',');
      const std::size_t start = out->size();
      bool pending_blank = false;
      for (const char c : found[i]->value) {
        if (is_blank(c)) {
          pending_blank = true;
          continue;
        }
        if (pending_blank && out->size() > start) out->push_back(' ');
        pending_blank = false;
        out->push_back(c);
      }
    }
    out->push_back('\n');
  }
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), lower);
  return out;
}

}  // namespace millrace::identity
