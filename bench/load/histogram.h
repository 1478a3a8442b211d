// bench/load/histogram.h: counts of microseconds in HdrHistogram's layout: each value to better than 1 %.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

namespace millrace::load {

class Histogram {
 public:
  void add(std::int64_t us, std::uint64_t times = 1) {
    const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(us, 0));
    counts_[std::min(index(value), counts_.size() - 1)] += times;
    total_ += times;
    max_us_ = std::max(max_us_, value);
  }
  std::uint64_t count() const { return total_; }
  std::uint64_t max_us() const { return max_us_; }
  // The least value that at least the share `quantile` (0 to 1) of all values does not exceed; 0 when empty.
  std::uint64_t quantile_us(double quantile) const {
    const auto rank =
        std::max<std::uint64_t>(1, static_cast<std::uint64_t>(quantile * static_cast<double>(total_)));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (seen >= rank) return std::min(highest(i), max_us_);
    }
    return max_us_;
  }
  // What was added after `before`, an earlier copy of this one; its maximum is as exact as the buckets are.
  Histogram since(const Histogram& before) const {
    Histogram difference;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      difference.counts_[i] = counts_[i] - before.counts_[i];
      if (difference.counts_[i] > 0) difference.max_us_ = std::min(highest(i), max_us_);
    }
    difference.total_ = total_ - before.total_;
    return difference;
  }

 private:
  // 256 buckets of width 1, then 128 for each further power of two.
  static constexpr unsigned kBits = 7;
  static std::size_t index(std::uint64_t value) {
    const unsigned shift =
        value < (2u << kBits) ? 0 : static_cast<unsigned>(std::bit_width(value)) - kBits - 1;
    return (shift << kBits) + (value >> shift);
  }
  static std::uint64_t highest(std::size_t index) {
    if (index < (2u << kBits)) return index;
    const std::size_t shift = (index >> kBits) - 1;
    return (((index & ((1u << kBits) - 1)) + (1u << kBits) + 1) << shift) - 1;
  }

  std::vector<std::uint64_t> counts_ = std::vector<std::uint64_t>(40u << kBits);
  std::uint64_t total_ = 0;
  std::uint64_t max_us_ = 0;
};

}  // namespace millrace::load
