#include "identity/principal.h"

#include <atomic>

namespace millrace::identity {

std::uint64_t next_serial() {
  static std::atomic<std::uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

}  // namespace millrace::identity
