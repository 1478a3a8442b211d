// examples/demo/dice.h: random numbers that are the same for a seed on every machine: the standard's
// distributions are not.
#pragma once

#include <cmath>
#include <cstdint>
#include <random>

namespace millrace::demo {

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}

  std::uint64_t next() { return engine_(); }
  // 0 to below 1.
  double unit() { return static_cast<double>(engine_() >> 11) * 0x1p-53; }
  // 0 to n - 1.
  std::uint64_t below(std::uint64_t n) { return static_cast<std::uint64_t>(unit() * static_cast<double>(n)); }
  // Waiting time of a Poisson process that rings `rate` times a second.
  double wait(double rate) { return -std::log1p(-unit()) / rate; }

 private:
  std::mt19937_64 engine_;
};

// Ranks from 1 to n, rank k with a probability proportional to 1 / k^s, by rejection-inversion.
// source: W. Hörmann, G. Derflinger, "Rejection-inversion to generate variates from monotone discrete
// distributions", ACM TOMACS 6 (3), 1996
class Zipf {
 public:
  // s   above 0, not 1
  Zipf(std::uint64_t n, double s)
      : n_(static_cast<double>(n)),
        s_(s),
        area_begin_(area(1.5) - 1),
        area_end_(area(n_ + 0.5)),
        sure_(2 - inverse_area(area(2.5) - std::pow(2, -s))) {}

  std::uint64_t operator()(Dice& dice) const {
    for (;;) {
      const double u = area_end_ + dice.unit() * (area_begin_ - area_end_);
      const double x = inverse_area(u);
      const double k = std::fmin(std::fmax(std::floor(x + 0.5), 1), n_);
      if (k - x <= sure_ || u >= area(k + 0.5) - std::pow(k, -s_)) return static_cast<std::uint64_t>(k);
    }
  }

 private:
  double area(double x) const { return std::pow(x, 1 - s_) / (1 - s_); }
  double inverse_area(double u) const { return std::pow((1 - s_) * u, 1 / (1 - s_)); }

  double n_, s_, area_begin_, area_end_, sure_;
};

}  // namespace millrace::demo
