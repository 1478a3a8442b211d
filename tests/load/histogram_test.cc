#include "load/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace millrace::load {
namespace {

TEST(HistogramTest, QuantilesAreWithinOnePercentOfTheSortedValues) {
  std::mt19937_64 random(7);
  std::vector<std::int64_t> values;
  Histogram histogram;
  for (int i = 0; i < 20'000; ++i) {
    const auto value = static_cast<std::int64_t>(random() >> (34 + random() % 30));
    values.push_back(value);
    histogram.add(value);
  }
  std::ranges::sort(values);
  for (const double quantile : {0.01, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto exact = static_cast<double>(
        values[static_cast<std::size_t>(quantile * static_cast<double>(values.size())) - 1]);
    const auto given = static_cast<double>(histogram.quantile_us(quantile));
    EXPECT_GE(given, exact) << quantile;
    EXPECT_LE(given, exact * 1.01 + 1) << quantile;
  }
  EXPECT_EQ(histogram.max_us(), static_cast<std::uint64_t>(values.back()));
}

TEST(HistogramTest, AnIntervalHoldsOnlyWhatCameInIt) {
  Histogram histogram;
  histogram.add(1'000'000);
  const Histogram before = histogram;
  histogram.add(10, 3);
  const Histogram interval = histogram.since(before);
  EXPECT_EQ(interval.count(), 3u);
  EXPECT_EQ(interval.quantile_us(0.5), 10u);
  EXPECT_EQ(interval.max_us(), 10u);
}

TEST(HistogramTest, EmptyOnesAnswerZero) { EXPECT_EQ(Histogram().quantile_us(0.99), 0u); }

}  // namespace
}  // namespace millrace::load
