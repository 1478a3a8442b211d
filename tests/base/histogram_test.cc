#include "base/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace millrace {
namespace {

// What `percent` of the values are at or below, exactly.
std::int64_t exact_percentile(std::vector<std::int64_t> values, double percent) {
  std::sort(values.begin(), values.end());
  const auto rank = static_cast<std::size_t>(
      std::ceil(std::nextafter(percent, 0.0) * static_cast<double>(values.size()) / 100));
  return values[std::max<std::size_t>(rank, 1) - 1];
}

void expect_close(const Histogram& histogram, const std::vector<std::int64_t>& values) {
  for (const double percent : {0.0, 0.1, 1.0, 10.0, 25.0, 50.0, 75.0, 90.0, 99.0, 99.9, 99.99, 100.0}) {
    const std::int64_t exact = exact_percentile(values, percent);
    const std::int64_t read = histogram.percentile(percent);
    EXPECT_GE(read, exact) << percent;
    EXPECT_LE(static_cast<double>(read), static_cast<double>(exact) * (1 + Histogram::kErrorMax)) << percent;
  }
}

TEST(Histogram, PercentilesAreWithinItsErrorOfTheSortedValues) {
  std::mt19937_64 dice(3);
  for (const double spread : {1.0, 8.0, 20.0, 31.0}) {
    std::vector<std::int64_t> values;
    Histogram histogram;
    std::uniform_real_distribution<double> exponent(0, spread);
    for (int i = 0; i < 20'000; ++i) {
      values.push_back(static_cast<std::int64_t>(std::exp(exponent(dice))));
      histogram.record(values.back());
    }
    expect_close(histogram, values);
    EXPECT_EQ(histogram.count(), values.size());
    EXPECT_EQ(histogram.min(), *std::min_element(values.begin(), values.end()));
    EXPECT_EQ(histogram.max(), *std::max_element(values.begin(), values.end()));
  }
}

// npm's hdr-histogram-js (1 to 2^45 - 1, three digits) gave these for the same 10,000 values.
TEST(Histogram, AgreesWithHdrHistogram) {
  Histogram histogram;
  std::uint64_t x = 1;
  for (int i = 0; i < 10'000; ++i) {
    x = x * 6'364'136'223'846'793'005u + 1'442'695'040'888'963'407u;
    const std::uint64_t bits = (x >> 58) % 45 + 1;
    histogram.record(static_cast<std::int64_t>(x >> 10 & ((std::uint64_t{1} << bits) - 1)));
  }
  const std::pair<double, std::int64_t> expected[] = {{1, 0},
                                                      {5, 1},
                                                      {10, 4},
                                                      {25, 139},
                                                      {50, 39'423},
                                                      {75, 276'824'063},
                                                      {90, 192'602'439'679},
                                                      {95, 2'016'487'145'471},
                                                      {99, 16'295'105'921'023},
                                                      {99.5, 23'914'377'904'127},
                                                      {99.9, 32'933'809'225'727},
                                                      {99.99, 34'943'853'920'255}};
  for (const auto& [percent, value] : expected) EXPECT_EQ(histogram.percentile(percent), value) << percent;
}

TEST(Histogram, EveryValueOfItsRangeIsReadBackWithinItsError) {
  for (std::int64_t value = 0; value < 5'000; ++value) {
    Histogram histogram;
    histogram.record(value);
    histogram.record(Histogram::kValueMax);  // else max() would hide the step's width
    const std::int64_t read = histogram.percentile(50);
    ASSERT_GE(read, value);
    ASSERT_LE(static_cast<double>(read), static_cast<double>(value) * (1 + Histogram::kErrorMax));
  }
  for (int bit = 0; bit < 45; ++bit) {
    for (const std::int64_t beside : {-1, 0, 1}) {
      const std::int64_t value = std::max<std::int64_t>((std::int64_t{1} << bit) + beside, 0);
      Histogram histogram;
      histogram.record(value);
      EXPECT_EQ(histogram.percentile(100), value);
      EXPECT_EQ(histogram.min(), value);
    }
  }
}

TEST(Histogram, OutsideItsRangeCountsAsItsEnd) {
  Histogram histogram;
  histogram.record(-5);
  histogram.record(Histogram::kValueMax + 1);
  histogram.record(INT64_MAX);
  EXPECT_EQ(histogram.min(), 0);
  EXPECT_EQ(histogram.max(), Histogram::kValueMax);
  EXPECT_EQ(histogram.count(), 3u);
}

TEST(Histogram, MergedIsAsIfRecordedTogether) {
  std::mt19937_64 dice(4);
  Histogram first, second, together;
  for (int i = 0; i < 5'000; ++i) {
    const auto value = static_cast<std::int64_t>(dice() >> (20 + dice() % 40));
    (i % 3 == 0 ? first : second).record(value);
    together.record(value);
  }
  first.merge(second);
  first.merge(Histogram());
  EXPECT_EQ(first.count(), together.count());
  EXPECT_EQ(first.min(), together.min());
  EXPECT_EQ(first.max(), together.max());
  EXPECT_DOUBLE_EQ(first.mean(), together.mean());
  for (const double percent : {0.0, 10.0, 50.0, 99.0, 100.0}) {
    EXPECT_EQ(first.percentile(percent), together.percentile(percent));
  }
}

TEST(Histogram, ManyTimesAtOnceIsAsOneByOne) {
  Histogram at_once, one_by_one;
  at_once.record(1'234'567, 100);
  at_once.record(99, 0);
  for (int i = 0; i < 100; ++i) one_by_one.record(1'234'567);
  EXPECT_EQ(at_once.count(), 100u);
  EXPECT_EQ(at_once.percentile(50), one_by_one.percentile(50));
  EXPECT_DOUBLE_EQ(at_once.mean(), 1'234'567);
  EXPECT_EQ(at_once.min(), 1'234'567);
}

TEST(Histogram, EmptyIsAllZero) {
  Histogram histogram;
  histogram.record(7);
  histogram.clear();
  EXPECT_EQ(histogram.count(), 0u);
  EXPECT_EQ(histogram.min(), 0);
  EXPECT_EQ(histogram.max(), 0);
  EXPECT_EQ(histogram.mean(), 0);
  EXPECT_EQ(histogram.percentile(99), 0);
  EXPECT_DEATH(static_cast<void>(histogram.percentile(100.1)), "percent <= 100");
}

}  // namespace
}  // namespace millrace
