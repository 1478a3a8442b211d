// identity/tag_characters.h: what tags may be made of.
#pragma once

#include <string_view>

namespace millrace::identity {

// Whether `utf8` has letters and digits of any script, and of the rest of ASCII only what is in `more`.
// Letters are told by the ranges of their code points, as the services were seen to.
bool has_tag_characters_only(std::string_view utf8, std::string_view more);

}  // namespace millrace::identity
