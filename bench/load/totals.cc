#include "load/totals.h"

#include <fmt/format.h>

#include "load/api.h"

namespace millrace::load {

void Totals::count_error(int status, std::string_view body) {
  std::string_view type = string_field(body, "__type");
  type = type.substr(type.find('#') + 1);
  ++errors[status == 0 ? "connection lost" : fmt::format("{} {}", status, type)];
}

}  // namespace millrace::load
