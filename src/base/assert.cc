#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace millrace {

void assertion_failed(const char* condition, const char* file, int line) noexcept {
  std::fprintf(stderr,
               R"({"level":"critical","msg":"assertion failed","condition":"%s","file":"%s","line":%d})"
               "\n",
               condition, file, line);
  std::abort();
}

}  // namespace millrace
