#include "store/object_name.h"

#include <string>

namespace millrace::store {
namespace {

constexpr bool is_allowed(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
         c == '-';
}

// What is wrong with a part; empty when nothing is.
std::string_view fault_of(std::string_view part) {
  if (part.empty()) return "has an empty part";
  if (part.size() > kObjectNamePartBytesMax) return "has a part of more than 200 bytes";
  if (part == "." || part == "..") return "has a part '.' or '..'";
  if (part.find(kUnfinishedMark) != std::string_view::npos) return "holds '.tmp-'";
  for (const char c : part)
    if (!is_allowed(c)) return "holds other characters than A-Z a-z 0-9 . _ - /";
  return {};
}

}  // namespace

Result<void> check_object_name(std::string_view name) {
  std::string_view fault;
  if (name.size() > kObjectNameBytesMax) fault = "is longer than 512 bytes";
  for (std::string_view rest = name; fault.empty();) {
    const std::size_t slash = rest.find('/');
    fault = fault_of(rest.substr(0, slash));
    if (slash == std::string_view::npos) break;
    rest.remove_prefix(slash + 1);
  }
  if (fault.empty()) return {};
  return Error{ErrorKind::kInvalid, "object name '" + std::string(name.substr(0, kObjectNameBytesMax)) +
                                        "' " + std::string(fault)};
}

}  // namespace millrace::store
