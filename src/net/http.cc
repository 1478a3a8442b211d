#include "net/http.h"

#include "net/names.h"

namespace millrace::net {

std::string_view Request::header(std::string_view name) const {
  for (const HttpHeader& header : headers) {
    if (same_name(header.name, name)) return header.value;
  }
  return {};
}

}  // namespace millrace::net
