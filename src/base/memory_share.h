// base/memory_share.h: how much memory one kind of cache or store may hold of what clients sent, and holds.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace millrace {

// Any thread. What holds memory keeps its share alive, and gives back what it took.
class MemoryShare {
 public:
  // name      of what holds it, for people: "tables"
  // threads   that each hold a part of their own
  MemoryShare(std::string name, std::uint64_t bytes_max, std::size_t threads = 1)
      : name_(std::move(name)), bytes_max_(bytes_max), threads_(std::max<std::size_t>(threads, 1)) {}

  const std::string& name() const { return name_; }
  std::uint64_t bytes_max() const { return bytes_max_; }
  // Of one thread's part.
  std::uint64_t thread_bytes_max() const { return bytes_max_ / threads_; }

  // False, and nothing taken, when others leave no room for so much. One alone always has its room.
  bool try_take(std::uint64_t bytes) {
    const std::uint64_t before = used_.fetch_add(bytes, std::memory_order_relaxed);
    if (before == 0 || before + bytes <= bytes_max_) return true;
    give_back(bytes);
    return false;
  }
  // Only counts: whoever takes keeps to the bound.
  void take(std::uint64_t bytes) { used_.fetch_add(bytes, std::memory_order_relaxed); }
  void give_back(std::uint64_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }
  // What was `before` is now `after`.
  void change(std::uint64_t before, std::uint64_t after) {
    used_.fetch_add(after - before, std::memory_order_relaxed);
  }
  std::uint64_t used() const { return used_.load(std::memory_order_relaxed); }

 private:
  const std::string name_;
  const std::uint64_t bytes_max_;
  const std::size_t threads_;
  std::atomic<std::uint64_t> used_{0};
};

// Bytes that were taken of a share, given back when it goes.
class HeldMemory {
 public:
  HeldMemory() = default;
  ~HeldMemory() {
    if (share_ != nullptr) share_->give_back(bytes_);
  }
  HeldMemory(const HeldMemory&) = delete;
  HeldMemory& operator=(const HeldMemory&) = delete;

  // As MemoryShare::try_take; once.
  bool try_take(const std::shared_ptr<MemoryShare>& share, std::uint64_t bytes) {
    if (!share->try_take(bytes)) return false;
    share_ = share;
    bytes_ = bytes;
    return true;
  }

 private:
  std::shared_ptr<MemoryShare> share_;
  std::uint64_t bytes_ = 0;
};

}  // namespace millrace
