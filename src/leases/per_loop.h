// leases/per_loop.h: something that each loop has of its own, made when the loop first asks.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>

#include "base/assert.h"
#include "base/loop.h"

namespace millrace::leases {

// `make()` returns a new one as std::unique_ptr. Any loop; each its own.
template <typename T>
class PerLoop {
 public:
  PerLoop() = default;
  ~PerLoop() {
    for (std::atomic<T*>& slot : slots_) delete slot.load(std::memory_order_acquire);
  }
  PerLoop(const PerLoop&) = delete;
  PerLoop& operator=(const PerLoop&) = delete;

  template <typename Make>
  T& of(const Loop& loop, const Make& make) {
    MR_ASSERT(loop.index() < kLoopsMax);
    std::atomic<T*>& slot = slots_[loop.index()];
    T* there = slot.load(std::memory_order_relaxed);  // only this loop writes it
    if (there == nullptr) {
      there = make().release();
      slot.store(there, std::memory_order_release);
    }
    return *there;
  }

 private:
  static constexpr std::size_t kLoopsMax = 256;
  std::array<std::atomic<T*>, kLoopsMax> slots_{};
};

}  // namespace millrace::leases
