// base/probe.h: counts that a rare branch was taken, so that a test of crashes and faults can show that it
// came there. Nothing in release (NDEBUG).
#pragma once

#ifdef NDEBUG

#define REACHED(name) static_cast<void>(0)

#else

#include <atomic>
#include <cstdint>
#include <string_view>

namespace millrace {

// One a place in the code, made when it is first reached. Any thread.
class Probe {
 public:
  explicit Probe(const char* name) : name_(name), next_(newest_.load()) {
    while (!newest_.compare_exchange_weak(next_, this)) {
    }
  }
  void hit() { hits_.fetch_add(1, std::memory_order_relaxed); }

  // How often the places of this name were reached in this process.
  static std::uint64_t hits(std::string_view name) {
    std::uint64_t sum = 0;
    for (const Probe* probe = newest_.load(); probe != nullptr; probe = probe->next_)
      if (probe->name_ == name) sum += probe->hits_.load(std::memory_order_relaxed);
    return sum;
  }

 private:
  inline static std::atomic<Probe*> newest_{nullptr};
  const std::string_view name_;
  std::atomic<std::uint64_t> hits_{0};
  Probe* next_;
};

}  // namespace millrace

// As a statement: REACHED("the last frame was torn");
#define REACHED(name)                        \
  do {                                       \
    static ::millrace::Probe mr_probe{name}; \
    mr_probe.hit();                          \
  } while (false)

#endif
