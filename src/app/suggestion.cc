#include "app/suggestion.h"

#include <algorithm>
#include <cstddef>

namespace millrace::app {
namespace {

// Optimal string alignment: as Levenshtein's, where two neighbours that are swapped count once.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> current(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    current[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      current[j] = std::min({last[j] + 1, current[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        current[j] = std::min(current[j], before_last[j - 2] + 1);
    }
    before_last = last;
    last = current;
  }
  return last[b.size()];
}

}  // namespace

std::string nearest(std::string_view word, const std::vector<std::string>& known) {
  constexpr std::size_t kWordMax = 100;  // longer ones are no typing errors
  std::string found;
  std::size_t best = std::max<std::size_t>(1, word.size() / 3) + 1;
  if (word.size() > kWordMax) return found;
  for (const std::string& candidate : known) {
    if (const std::size_t changes = distance(word, candidate); changes < best) {
      best = changes;
      found = candidate;
    }
  }
  return found;
}

}  // namespace millrace::app
