// base/histogram.h: how often which durations occurred, in fixed memory (288 KiB) and to three digits.
// source: the layout of HdrHistogram (G. Tene), with 2048 steps below 2048 and 1024 for every doubling above.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

namespace millrace {

// Values are nanoseconds, or any other non-negative whole numbers. Any one thread at a time.
class Histogram {
 public:
  static constexpr std::int64_t kValueMax = (std::int64_t{1} << 45) - 1;  // 9.7 hours; above it counts as it
  static constexpr double kErrorMax =
      1.0 / 1024;  // of a value read, relative to the one recorded: never below it

  Histogram();

  // value    below 0 counts as 0
  void record(std::int64_t value, std::uint64_t times = 1);
  // Adds all that `other` holds.
  void merge(const Histogram& other);
  void clear();

  std::uint64_t count() const { return count_; }
  // Of the values as recorded; 0 when there are none.
  std::int64_t min() const { return count_ == 0 ? 0 : min_; }
  std::int64_t max() const { return max_; }
  double mean() const;
  // The least value with percent / 100 of all values at or below it, at most kErrorMax above the one recorded
  // and never above max(). percent 0 to 100; 0 when there are no values.
  std::int64_t percentile(double percent) const;

 private:
  static constexpr int kLinearBits = 11;
  static constexpr int kValueBits = 45;
  static constexpr std::size_t kHalf = std::size_t{1} << (kLinearBits - 1);
  static constexpr std::size_t kSteps = 2 * kHalf + (kValueBits - kLinearBits) * kHalf;

  static std::size_t step_of(std::int64_t value);
  static std::int64_t highest_in(std::size_t step);

  std::unique_ptr<std::array<std::uint64_t, kSteps>> counts_;
  std::uint64_t count_ = 0;
  std::int64_t min_ = kValueMax;
  std::int64_t max_ = 0;
  double sum_ = 0;
};

}  // namespace millrace
