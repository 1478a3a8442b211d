#include "app/fault_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <vector>

#include "app/json_log.h"
#include "base/clock.h"
#include "base/random.h"

namespace millrace::app {
namespace {

constexpr std::int64_t kSameNs = 60'000'000'000;
constexpr std::size_t kKnownMax = 64;  // then the oldest is forgotten

struct KnownFault {
  std::string text;
  std::string id;
  std::int64_t logged_ns;
};

struct KnownFaults {
  std::mutex mutex;
  std::vector<KnownFault> faults;  // guarded; in order of logged_ns
};

KnownFaults& known_faults() {
  static KnownFaults known;
  return known;
}

}  // namespace

std::string log_fault(const Error& fault) {
  const std::int64_t now_ns = system_clock().monotonic_ns();
  std::string id;
  {
    KnownFaults& known = known_faults();
    const std::lock_guard lock(known.mutex);
    std::erase_if(known.faults, [&](const KnownFault& each) { return now_ns - each.logged_ns > kSameNs; });
    const auto same = std::find_if(known.faults.begin(), known.faults.end(),
                                   [&](const KnownFault& each) { return each.text == fault.text; });
    if (same != known.faults.end()) return same->id;
    if (known.faults.size() == kKnownMax) known.faults.erase(known.faults.begin());
    id = fmt::format("{:016x}", system_random().next_u64());
    known.faults.push_back({fault.text, id, now_ns});
  }
  log_line(LogLevel::kError, "a request failed", {{"id", id}, {"error", fault.text}});
  return id;
}

}  // namespace millrace::app
