#include "identity/glob.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace millrace::identity {
namespace {

constexpr std::uint16_t kOne = 0x100;  // one character, with all that UTF-8 has behind its first byte
constexpr std::size_t kNowhere = std::string_view::npos;
constexpr std::size_t kBits = 64;  // of a word; shorter pieces are tried place by place
// Of a pattern whose variables are replaced: what is asked about is never that long.
constexpr std::size_t kReplacedBytesMax = 64 * 1'024;

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

bool is_character(std::string_view inside) { return inside == "*" || inside == "?" || inside == "$"; }

std::string_view name_of(std::string_view inside) {
  std::string_view name = inside.substr(0, inside.find(','));
  while (name.ends_with(' ')) name.remove_suffix(1);
  return name;
}

std::optional<std::string> value_of(std::string_view inside, const Glob::Variables& variables) {
  if (is_character(inside)) return std::string(inside);
  const std::size_t comma = inside.find(',');
  const std::string_view name = name_of(inside);
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

std::vector<std::string_view> Glob::variable_names(std::string_view pattern) {
  std::vector<std::string_view> names;
  for (Split split = split_at_variable(pattern); split.found; split = split_at_variable(split.behind))
    if (!is_character(split.inside)) names.push_back(name_of(split.inside));
  return names;
}

void Glob::add_sign(std::uint16_t sign) {
  Piece& piece = pieces_.back();
  ++bytes_min_;
  if (piece.signs.empty() && sign != kOne) return piece.plain.push_back(static_cast<char>(sign));
  for (const char byte : std::exchange(piece.plain, {}))
    piece.signs.push_back(static_cast<std::uint8_t>(byte));
  piece.signs.push_back(sign);
}

void Glob::add(std::string_view pattern) {
  for (const char byte : pattern) {
    if (byte == '*') {
      pieces_.emplace_back();
    } else if (byte == '?') {
      add_sign(kOne);
    } else {
      add_sign(static_cast<std::uint8_t>(letters_ == Case::kFolded ? fold(byte) : byte));
    }
  }
}

void Glob::add_text(std::string_view text) {
  for (const char byte : text)
    add_sign(static_cast<std::uint8_t>(letters_ == Case::kFolded ? fold(byte) : byte));
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
    if (!value.has_value() || glob.bytes_min_ + value->size() > kReplacedBytesMax) return std::nullopt;
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
    if (!value.has_value() || out.size() + value->size() > kReplacedBytesMax) return std::nullopt;
    out.append(*value);
    text = split.behind;
  }
}

// Where `piece` ends in `text` when it begins at `at`; kNowhere: it does not match there.
std::size_t Glob::end_of(const Piece& piece, std::string_view text, std::size_t at) const {
  if (piece.signs.empty())
    return text.substr(at).starts_with(piece.plain) ? at + piece.plain.size() : kNowhere;
  for (const std::uint16_t sign : piece.signs) {
    if (at == text.size()) return kNowhere;
    if (sign == kOne) {
      if (is_continuation(text[at])) return kNowhere;
      do ++at;
      while (at < text.size() && is_continuation(text[at]));
    } else if (static_cast<std::uint8_t>(text[at++]) != sign) {
      return kNowhere;
    }
  }
  return at;
}

// Where `piece` begins in `text` when it ends with it.
std::size_t Glob::begin_of_last(const Piece& piece, std::string_view text) const {
  if (piece.signs.empty()) return text.ends_with(piece.plain) ? text.size() - piece.plain.size() : kNowhere;
  std::size_t at = text.size();
  for (auto sign = piece.signs.rbegin(); sign != piece.signs.rend(); ++sign) {
    if (at == 0) return kNowhere;
    --at;
    if (*sign == kOne) {
      while (at > 0 && is_continuation(text[at])) --at;
      if (is_continuation(text[at])) return kNowhere;
    } else if (static_cast<std::uint8_t>(text[at]) != *sign) {
      return kNowhere;
    }
  }
  return at;
}

// As find(), of all places at once: a bit for each sign says whether those up to it match what ends here.
// What begins first ends first, so the first end is that of the first place.
std::size_t Glob::find_long(const std::vector<std::uint16_t>& signs, std::string_view text, std::size_t at) {
  const std::size_t words = (signs.size() + kBits - 1) / kBits;
  const auto bit = [](std::size_t i) { return std::uint64_t{1} << (i % kBits); };
  // Where each byte stands in the pattern: rows of `words`, the first of them for bytes that do not.
  std::array<std::uint16_t, 256> row_of{};
  std::vector<std::uint64_t> rows(words), ones(words), state(words);
  for (std::size_t i = 0; i < signs.size(); ++i) {
    if (signs[i] == kOne) {
      ones[i / kBits] |= bit(i);
      continue;
    }
    std::uint16_t& row = row_of[signs[i]];
    if (row == 0) {
      row = static_cast<std::uint16_t>(rows.size() / words);
      rows.resize(rows.size() + words);
    }
    rows[row * words + i / kBits] |= bit(i);
  }
  for (; at < text.size(); ++at) {
    const bool more = is_continuation(text[at]);
    const std::uint64_t* const here = &rows[row_of[static_cast<std::uint8_t>(text[at])] * words];
    std::uint64_t carry = 1;  // the pattern may begin here
    for (std::size_t w = 0; w < words; ++w) {
      // A question mark takes all that its character has, and nothing else takes a part of that.
      const std::uint64_t stays = more ? state[w] & ones[w] : 0;
      const std::uint64_t moves = state[w] & ~stays;
      state[w] = ((moves << 1 | carry) & (more ? here[w] : here[w] | ones[w])) | stays;
      carry = moves >> (kBits - 1);
    }
    if ((state.back() & bit(signs.size() - 1)) == 0) continue;
    do ++at;
    while (signs.back() == kOne && at < text.size() && is_continuation(text[at]));
    return at;
  }
  return kNowhere;
}

// Where `piece` ends at its first place in `text` from `at` on.
std::size_t Glob::find(const Piece& piece, std::string_view text, std::size_t at) const {
  if (piece.signs.empty()) {
    // Unlike string_view's own, in time of the sum of both.
    const void* const found =
        memmem(text.data() + at, text.size() - at, piece.plain.data(), piece.plain.size());
    if (found == nullptr) return kNowhere;
    return static_cast<std::size_t>(static_cast<const char*>(found) - text.data()) + piece.plain.size();
  }
  if (piece.signs.size() > kBits) return find_long(piece.signs, text, at);
  for (; at + piece.signs.size() <= text.size(); ++at)
    if (const std::size_t end = end_of(piece, text, at); end != kNowhere) return end;
  return kNowhere;
}

// Between stars, each piece is taken where it comes first: a later place would leave less for the rest. So
// nothing is tried twice, and what a byte of the text costs is bounded by the longest piece alone: find().
std::size_t Glob::memory_bytes() const {
  std::size_t bytes = pieces_.capacity() * sizeof(Piece);
  for (const Piece& piece : pieces_)
    bytes += piece.plain.capacity() + piece.signs.capacity() * sizeof(std::uint16_t);
  return bytes;
}

bool Glob::matches(std::string_view text) const {
  std::string lowered;
  if (letters_ == Case::kFolded) {
    lowered = folded(text);
    text = lowered;
  }
  if (text.size() < bytes_min_) return false;
  const Piece& first = pieces_.front();
  std::size_t at = end_of(first, text, 0);
  if (pieces_.size() == 1) return at == text.size();
  if (at == kNowhere) return false;
  const std::size_t last = begin_of_last(pieces_.back(), text);
  if (last == kNowhere || last < at) return false;
  const std::string_view before_last = text.substr(0, last);
  for (std::size_t i = 1; i + 1 < pieces_.size(); ++i) {
    at = find(pieces_[i], before_last, at);
    if (at == kNowhere) return false;
  }
  return true;
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
