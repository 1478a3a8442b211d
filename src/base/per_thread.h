// base/per_thread.h: a value for each thread that asks, of an object that many threads share: caches without
// locks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace millrace {

namespace per_thread_internal {

struct Slot {
  std::size_t index;
  std::uint64_t use;  // no other owner of this index has the same
};
struct Entry {
  std::uint64_t use = 0;
  std::shared_ptr<void> value;
};
Slot take_slot();
void give_back(Slot slot);
// This thread's entry of that index.
Entry& entry_at(std::size_t index);

}  // namespace per_thread_internal

// T is made when a thread first asks, and goes with the thread, or soon after the owner. It must not point
// into the owner: it may outlive it.
template <typename T>
class PerThread {
 public:
  PerThread() : slot_(per_thread_internal::take_slot()) {}
  ~PerThread() { per_thread_internal::give_back(slot_); }
  PerThread(const PerThread&) = delete;
  PerThread& operator=(const PerThread&) = delete;

  // This thread's value; nobody else's. Any thread.
  // args   what it is made of when the thread first asks
  template <typename... Args>
  T& here(const Args&... args) const {
    per_thread_internal::Entry& entry = per_thread_internal::entry_at(slot_.index);
    if (entry.use != slot_.use) {
      entry.value = std::make_shared<T>(args...);
      entry.use = slot_.use;
    }
    return *static_cast<T*>(entry.value.get());
  }

 private:
  per_thread_internal::Slot slot_;
};

}  // namespace millrace
