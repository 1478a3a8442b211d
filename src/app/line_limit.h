// app/line_limit.h: keeps a log from being filled by one thing that happens again and again.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace millrace::app {

// Any thread.
class LineLimit {
 public:
  // apart_ns   between two lines of one kind
  explicit LineLimit(std::int64_t apart_ns) : apart_ns_(apart_ns) {}

  // Whether a line of this kind may be written now: how many were not since the last one; nullopt: not now.
  std::optional<std::int64_t> may_write(std::string_view kind, std::int64_t now_ns) {
    const std::lock_guard lock(mutex_);
    auto found = kinds_.find(kind);
    if (found == kinds_.end()) {
      if (kinds_.size() == kKindsMax) kinds_.clear();
      kinds_.emplace(kind, Kind{now_ns, 0});
      return 0;
    }
    Kind& known = found->second;
    if (now_ns - known.written_ns < apart_ns_) {
      ++known.suppressed;
      return std::nullopt;
    }
    known.written_ns = now_ns;
    return std::exchange(known.suppressed, 0);
  }

 private:
  static constexpr std::size_t kKindsMax = 256;
  struct Kind {
    std::int64_t written_ns;
    std::int64_t suppressed;
  };

  const std::int64_t apart_ns_;
  std::mutex mutex_;
  std::map<std::string, Kind, std::less<>> kinds_;  // guarded
};

}  // namespace millrace::app
