// base/http_header.h: one header field, as net gives it and identity signs it.
#pragma once

#include <string_view>

namespace millrace {

// Borrowed from the message it stands in. `name` as sent (compare without case); `value` without surrounding
// blanks.
struct HttpHeader {
  std::string_view name;
  std::string_view value;
};

}  // namespace millrace
