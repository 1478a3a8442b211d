#include "identity/glob.h"

#include <algorithm>
#include <array>
#include <utility>

namespace millrace::identity {
namespace {

constexpr std::uint16_t kAny = 0x100;        // any characters
constexpr std::uint16_t kOne = 0x101;        // the first byte of one character …
constexpr std::uint16_t kRestOfOne = 0x102;  // … and what UTF-8 has behind it

bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) == 0x80; }
char fold(char byte) { return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a') : byte; }

// What stands before, inside and behind the first "${…}".
struct Split {
  std::string_view before, inside, behind;
  bool found = false;
};
Split split_at_variable(std::string_view text) {
  const std::size_t begin = text.find("${");
  if (begin == std::string_view::npos) return {text, {}, {}};
  const std::size_t end = text.find('}', begin);
  if (end == std::string_view::npos) return {text, {}, {}};
  return {text.substr(0, begin), text.substr(begin + 2, end - begin - 2), text.substr(end + 1), true};
}

std::optional<std::string> value_of(std::string_view inside, const Glob::Variables& variables) {
  if (inside == "*" || inside == "?" || inside == "$") return std::string(inside);
  const std::size_t comma = inside.find(',');
  std::string_view name = inside.substr(0, comma);
  while (name.ends_with(' ')) name.remove_suffix(1);
  if (auto value = variables(name); value.has_value()) return value;
  if (comma == std::string_view::npos) return std::nullopt;
  std::string_view otherwise = inside.substr(comma + 1);
  while (otherwise.starts_with(' ')) otherwise.remove_prefix(1);
  while (otherwise.ends_with(' ')) otherwise.remove_suffix(1);
  if (otherwise.size() < 2 || otherwise.front() != '\'' || otherwise.back() != '\'') return std::nullopt;
  return std::string(otherwise.substr(1, otherwise.size() - 2));
}

}  // namespace

std::string folded(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), fold);
  return out;
}

bool Glob::has_variables(std::string_view pattern) { return split_at_variable(pattern).found; }

void Glob::add(std::string_view pattern) {
  for (const char byte : pattern) {
    if (byte == '*') {
      if (signs_.empty() || signs_.back() != kAny) signs_.push_back(kAny);
      has_wildcards_ = true;
    } else if (byte == '?') {
      signs_.insert(signs_.end(), {kOne, kRestOfOne});
      has_wildcards_ = true;
    } else {
      signs_.push_back(static_cast<std::uint8_t>(letters_ == Case::kFolded ? fold(byte) : byte));
    }
  }
}

void Glob::add_text(std::string_view text) {
  for (const char byte : text)
    signs_.push_back(static_cast<std::uint8_t>(letters_ == Case::kFolded ? fold(byte) : byte));
}

Glob Glob::plain(std::string_view pattern, Case letters) {
  Glob glob;
  glob.letters_ = letters;
  glob.add(pattern);
  return glob;
}

Glob Glob::literal(std::string_view text) {
  Glob glob;
  glob.add_text(text);
  return glob;
}

std::optional<Glob> Glob::with_variables(std::string_view pattern, const Variables& variables) {
  Glob glob;
  while (true) {
    const Split split = split_at_variable(pattern);
    glob.add(split.before);
    if (!split.found) return glob;
    const auto value = value_of(split.inside, variables);
    if (!value.has_value()) return std::nullopt;
    glob.add_text(*value);
    pattern = split.behind;
  }
}

std::optional<std::string> replace_variables(std::string_view text, const Glob::Variables& variables) {
  std::string out;
  while (true) {
    const Split split = split_at_variable(text);
    out.append(split.before);
    if (!split.found) return out;
    const auto value = value_of(split.inside, variables);
    if (!value.has_value()) return std::nullopt;
    out.append(*value);
    text = split.behind;
  }
}

// Keeps, for every beginning of the pattern, whether it matches what was read of the text: no way back, so
// that no pattern takes longer than the product of the lengths.
bool Glob::matches(std::string_view text) const {
  if (!has_wildcards_) {
    return text.size() == signs_.size() &&
           std::equal(text.begin(), text.end(), signs_.begin(), [this](char byte, std::uint16_t sign) {
             return static_cast<std::uint8_t>(letters_ == Case::kFolded ? fold(byte) : byte) == sign;
           });
  }
  if (signs_.size() == 1) return true;  // "*"
  std::vector<char> matched(signs_.size() + 1, 0);
  const auto skip_empty = [&](std::size_t at) {  // kAny and kRestOfOne may stand for nothing
    while (at < signs_.size() && (signs_[at] == kAny || signs_[at] == kRestOfOne) && matched[at + 1] == 0)
      matched[++at] = 1;
  };
  matched[0] = 1;
  skip_empty(0);
  for (const char byte : text) {
    const char letter = letters_ == Case::kFolded ? fold(byte) : byte;
    bool any = false;
    for (std::size_t at = signs_.size(); at-- > 0;) {
      const bool before = matched[at] != 0;
      bool now = false;
      switch (signs_[at]) {
        case kAny:
          now = before || matched[at + 1] != 0;
          break;
        case kOne:
          now = before && !is_continuation(byte);
          break;
        case kRestOfOne:
          now = (before || matched[at + 1] != 0) && is_continuation(byte);
          break;
        default:
          now = before && static_cast<std::uint8_t>(letter) == signs_[at];
      }
      matched[at + 1] = now ? 1 : 0;
      any = any || now;
    }
    matched[0] = 0;
    for (std::size_t at = 0; at < signs_.size(); ++at)
      if (matched[at] != 0) skip_empty(at);
    if (!any) return false;
  }
  return matched[signs_.size()] != 0;
}

namespace {

// The first colon that is not inside of a variable.
std::size_t end_of_part(std::string_view pattern, bool has_variables) {
  for (std::size_t at = 0; at < pattern.size(); ++at) {
    if (pattern[at] == ':') return at;
    if (!has_variables || !pattern.substr(at).starts_with("${")) continue;
    const std::size_t end = pattern.find('}', at);
    if (end == std::string_view::npos) continue;
    at = end;
  }
  return std::string_view::npos;
}

}  // namespace

bool arn_matches(std::string_view pattern, const Glob::Variables* variables, std::string_view arn,
                 bool& unresolved) {
  if (pattern == "*") return true;
  constexpr int kParts = 6;
  for (int part = 1; part <= kParts; ++part) {
    // The last part is all the rest, colons and all.
    const bool last = part == kParts;
    const std::size_t pattern_end =
        last ? std::string_view::npos : end_of_part(pattern, variables != nullptr);
    const std::size_t arn_end = last ? std::string_view::npos : arn.find(':');
    const std::string_view here = pattern.substr(0, pattern_end);
    const auto glob = variables == nullptr ? Glob::plain(here) : Glob::with_variables(here, *variables);
    if (!glob.has_value()) {
      unresolved = true;
      return false;
    }
    if (!glob->matches(arn.substr(0, arn_end))) return false;
    if (last) break;
    if (pattern_end == std::string_view::npos || arn_end == std::string_view::npos) return false;
    pattern.remove_prefix(pattern_end + 1);
    arn.remove_prefix(arn_end + 1);
  }
  return true;
}

}  // namespace millrace::identity
