// identity/glob.h: patterns of policies: '*' stands for any characters, '?' for one.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::identity {

class Glob {
 public:
  // What ${name} stands for; nullopt: there is nothing of that name.
  using Variables = std::function<std::optional<std::string>(std::string_view name)>;

  enum class Case : std::uint8_t { kAsIs, kFolded };  // folded: ASCII letters are equal in either case

  // Whether `pattern` has a variable, "${", in it.
  static bool has_variables(std::string_view pattern);
  // The names of its variables: "aws:username". Not of "${*}", "${?}" and "${$}".
  static std::vector<std::string_view> variable_names(std::string_view pattern);

  // A pattern in which "${" is text like any other.
  static Glob plain(std::string_view pattern, Case letters = Case::kAsIs);
  // One whose variables are replaced; their values are text: a '*' in one is a star. "${*}", "${?}" and
  // "${$}" are those characters themselves; "${name, 'x'}" is x where there is nothing of that name. nullopt:
  // there is none, and nothing is said for that; or they make it longer than 64 KiB.
  static std::optional<Glob> with_variables(std::string_view pattern, const Variables& variables);

  // In time of at most 64 steps a byte of the text, or a 64th of the pattern's bytes where they are more.
  bool matches(std::string_view text) const;

  // That it holds beside itself.
  std::size_t memory_bytes() const;

  // Text without wildcards that matches only itself.
  static Glob literal(std::string_view text);

 private:
  // What stands between two stars, or before the first, or behind the last.
  struct Piece {
    std::string plain;                 // without question marks; else
    std::vector<std::uint16_t> signs;  // a byte as it is, or kOne of glob.cc
  };

  void add(std::string_view pattern);
  void add_text(std::string_view text);
  void add_sign(std::uint16_t sign);
  std::size_t end_of(const Piece& piece, std::string_view text, std::size_t at) const;
  std::size_t begin_of_last(const Piece& piece, std::string_view text) const;
  std::size_t find(const Piece& piece, std::string_view text, std::size_t at) const;
  static std::size_t find_long(const std::vector<std::uint16_t>& signs, std::string_view text,
                               std::size_t at);

  std::vector<Piece> pieces_ = std::vector<Piece>(1);
  std::size_t bytes_min_ = 0;  // of a text that matches
  Case letters_ = Case::kAsIs;
};

// ${…} replaced, without wildcards: for operators that compare whole texts. nullopt as above.
std::optional<std::string> replace_variables(std::string_view text, const Glob::Variables& variables);

// An ARN against a pattern of one: each of the six parts between colons by itself, so that no '*' reaches
// from one into the next; "*" alone matches anything. For conditions: ArnLike, ArnEquals. variables nullptr:
// "${" is text like any other.  A variable that stands for nothing: no match, and
//             `unresolved` is set
bool arn_matches(std::string_view pattern, const Glob::Variables* variables, std::string_view arn,
                 bool& unresolved);

std::string folded(std::string_view text);

}  // namespace millrace::identity
