// Tables as the lines of a snapshot, for tests.
#pragma once

#include <string>

#include "leases/dynamodb/picture.h"

namespace millrace::leases::dynamodb {

inline std::string lines_of(const Tables& tables) {
  std::string lines;
  Picture picture(tables);
  while (auto part = picture.next()) lines += part();
  return lines;
}

}  // namespace millrace::leases::dynamodb
