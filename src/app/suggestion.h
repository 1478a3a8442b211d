// app/suggestion.h: what somebody may have meant who mistyped a word.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace millrace::app {

// The one of `known` that is nearest to `word`, by letters that are changed, added, left out or swapped;
// empty where none is near: more than a third of the word would have to change.
std::string nearest(std::string_view word, const std::vector<std::string>& known);

}  // namespace millrace::app
