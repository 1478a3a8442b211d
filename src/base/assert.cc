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

void out_of_memory(std::size_t bytes) noexcept {
  std::fprintf(stderr,
               R"({"level":"critical","msg":"out of memory","bytes":%zu})"
               "\n",
               bytes);
  std::abort();
}

}  // namespace millrace
