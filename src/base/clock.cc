#include "base/clock.h"

#include <ctime>

namespace millrace {
namespace {

std::int64_t read_ns(clockid_t id) {
  timespec now{};
  clock_gettime(id, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

class SystemClock final : public Clock {
 public:
  std::int64_t wall_ms() const override { return read_ns(CLOCK_REALTIME) / 1'000'000; }
  std::int64_t monotonic_ns() const override { return read_ns(CLOCK_BOOTTIME); }
};

}  // namespace

Clock& system_clock() {
  static SystemClock clock;
  return clock;
}

}  // namespace millrace
