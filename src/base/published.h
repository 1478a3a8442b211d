// base/published.h: a value that is replaced as a whole now and then, and read all the time without a lock.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <utility>

#include "base/per_thread.h"

namespace millrace {

template <typename T>
class Published {
 public:
  explicit Published(std::shared_ptr<const T> first) : current_(std::move(first)) {}

  // From when it returns on, whoever asks gets `next`. Any thread.
  void publish(std::shared_ptr<const T> next) {
    const std::scoped_lock lock(mutex_);
    current_ = std::move(next);
    version_.fetch_add(1, std::memory_order_release);
  }

  // The value now. The reference holds until this thread asks again: who waits in between copies it.
  // Any thread; takes a lock only the first time after a change.
  const std::shared_ptr<const T>& here() const {
    Seen& seen = seen_.here();
    if (seen.version != version_.load(std::memory_order_acquire)) [[unlikely]] {
      const std::scoped_lock lock(mutex_);
      seen.value = current_;
      seen.version = version_.load(std::memory_order_relaxed);
    }
    return seen.value;
  }

 private:
  struct Seen {
    std::uint64_t version = 0;
    std::shared_ptr<const T> value;
  };

  mutable std::mutex mutex_;
  std::shared_ptr<const T> current_;
  std::atomic<std::uint64_t> version_{1};
  PerThread<Seen> seen_;
};

}  // namespace millrace
