#include "base/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/assert.h"

namespace millrace {

Histogram::Histogram() : counts_(std::make_unique<std::array<std::uint64_t, kSteps>>()) {}

// Below 2^kLinearBits a step a value; above, a step is as wide as the value has bits more than that, so that
// kHalf steps make a doubling.
std::size_t Histogram::step_of(std::int64_t value) {
  const auto bits = static_cast<std::uint64_t>(value);
  const int shift = std::max(0, static_cast<int>(std::bit_width(bits)) - kLinearBits);
  return static_cast<std::size_t>(shift) * kHalf + static_cast<std::size_t>(bits >> shift);
}

std::int64_t Histogram::highest_in(std::size_t step) {
  const std::size_t shift = step < 2 * kHalf ? 0 : step / kHalf - 1;
  const std::size_t within = step - shift * kHalf;
  return static_cast<std::int64_t>(((std::uint64_t{within} + 1) << shift) - 1);
}

void Histogram::record(std::int64_t value, std::uint64_t times) {
  if (times == 0) return;
  value = std::clamp<std::int64_t>(value, 0, kValueMax);
  (*counts_)[step_of(value)] += times;
  count_ += times;
  min_ = std::min(min_, value);
  max_ = std::max(max_, value);
  sum_ += static_cast<double>(value) * static_cast<double>(times);
}

void Histogram::merge(const Histogram& other) {
  for (std::size_t i = 0; i < kSteps; ++i) (*counts_)[i] += (*other.counts_)[i];
  count_ += other.count_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  sum_ += other.sum_;
}

void Histogram::clear() {
  counts_->fill(0);
  count_ = 0;
  min_ = kValueMax;
  max_ = 0;
  sum_ = 0;
}

double Histogram::mean() const { return count_ == 0 ? 0 : sum_ / static_cast<double>(count_); }

std::int64_t Histogram::percentile(double percent) const {
  MR_ASSERT(percent >= 0 && percent <= 100);
  if (count_ == 0) return 0;
  // A hair less, or 99.9 % of 10,000 would be the 9,991st.
  const double exact = std::nextafter(percent, 0.0) * static_cast<double>(count_) / 100;
  const auto wanted = static_cast<std::uint64_t>(std::ceil(exact));
  std::uint64_t seen = 0;
  for (std::size_t step = step_of(min_); step < kSteps; ++step) {
    seen += (*counts_)[step];
    if (seen >= std::max<std::uint64_t>(wanted, 1)) return std::min(highest_in(step), max_);
  }
  return max_;
}

}  // namespace millrace
