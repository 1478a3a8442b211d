// net/budget.h: how many bytes all connections of a server hold together.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

namespace millrace::net {

// Bytes of memory that a body of which `arrived` bytes are here may have by now: it follows what has arrived,
// so that a length that is only claimed costs little.
inline std::size_t body_room(std::size_t arrived) {
  constexpr std::size_t kAheadBytes = 1024 * 1024;
  return arrived + std::max(kAheadBytes, arrived / 2);
}

// Any thread.
class Budget {
 public:
  // whole   what this one is a part of: all that is taken here is taken there, too. Null: it is the whole.
  explicit Budget(std::size_t bytes_max, std::shared_ptr<Budget> whole = nullptr)
      : bytes_max_(bytes_max), whole_(std::move(whole)) {}

  // False, and nothing taken, when it would exceed the bound.
  bool try_take(std::size_t bytes) {
    return try_take_below(bytes, bytes_max_, [&] { return whole_->try_take(bytes); });
  }
  // As try_take, for a large answer: leaves a quarter of it all for requests and small answers, so that
  // clients who ask for much and take nothing do not keep the others out.
  bool try_take_answer(std::size_t bytes) {
    return try_take_below(bytes, bytes_max_ / 4 * 3, [&] { return whole_->try_take_answer(bytes); });
  }
  // For what exists already and cannot be refused.
  void take(std::size_t bytes) {
    used_.fetch_add(bytes, std::memory_order_relaxed);
    if (whole_) whole_->take(bytes);
  }
  void give_back(std::size_t bytes) {
    used_.fetch_sub(bytes, std::memory_order_relaxed);
    if (whole_) whole_->give_back(bytes);
  }
  std::size_t used() const { return used_.load(std::memory_order_relaxed); }
  // What is left of this one alone, whatever is left of the whole.
  std::size_t room() const { return bytes_max_ - std::min(bytes_max_, used()); }
  std::size_t bytes_max() const { return bytes_max_; }
  bool is_part() const { return whole_ != nullptr; }

 private:
  template <typename FromWhole>
  bool try_take_below(std::size_t bytes, std::size_t bound, FromWhole from_whole) {
    const bool fits = used_.fetch_add(bytes, std::memory_order_relaxed) + bytes <= bound;
    if (fits && (!whole_ || from_whole())) return true;
    used_.fetch_sub(bytes, std::memory_order_relaxed);
    return false;
  }

  const std::size_t bytes_max_;
  const std::shared_ptr<Budget> whole_;
  std::atomic<std::size_t> used_{0};
};

// Bytes taken from a budget, given back when it goes. The budget outlives it.
class Charge {
 public:
  Charge() = default;
  explicit Charge(Budget& budget) : budget_(&budget) {}
  Charge(Charge&& other) noexcept
      : budget_(std::exchange(other.budget_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  Charge& operator=(Charge&& other) noexcept {
    if (this != &other) {
      release();
      budget_ = std::exchange(other.budget_, nullptr);
      bytes_ = std::exchange(other.bytes_, 0);
    }
    return *this;
  }
  ~Charge() { release(); }

  // Requires a budget. False, and unchanged, when the budget is used up.
  bool try_raise_to(std::size_t bytes) {
    if (bytes <= bytes_) return true;
    if (!budget_->try_take(bytes - bytes_)) return false;
    bytes_ = bytes;
    return true;
  }
  // For an answer's body in place of the request's, which is given back. False, and nothing charged, when
  // there is no room for one so large.
  bool try_hold_answer(std::size_t bytes) {
    release();
    if (bytes <= (budget_->is_part() ? kSmallAnswerOfPartBytes : kSmallAnswerBytes))
      budget_->take(bytes);
    else if (!budget_->try_take_answer(bytes))
      return false;
    bytes_ = bytes;
    return true;
  }
  // From now on it is the same number of bytes of `budget`. Requires a budget.
  void move_to(Budget& budget) {
    budget.take(bytes_);
    budget_->give_back(bytes_);
    budget_ = &budget;
  }
  void release() {
    if (budget_ != nullptr && bytes_ != 0) budget_->give_back(bytes_);
    bytes_ = 0;
  }
  std::size_t bytes() const { return bytes_; }

 private:
  static constexpr std::size_t kSmallAnswerBytes = 64 * 1024;  // always sent
  static constexpr std::size_t kSmallAnswerOfPartBytes = 4 * 1024;
  Budget* budget_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace millrace::net
