// examples/demo/day_curve.h: how many events a second a day brings, squeezed into as many seconds as the demo
// runs.
#pragma once

#include <cmath>
#include <numbers>

namespace millrace::demo {

class DayCurve {
 public:
  // rate      events a second at noon; midnight has half of it
  // peak      events a second at the top of the evening, 20:00; not below what noon's curve gives there
  // seconds   how long the day takes
  DayCurve(double rate, double peak, double seconds) : rate_(rate), peak_(peak), seconds_(seconds) {}

  // Events a second, `second` seconds after midnight.
  double at(double second) const {
    const double day = second / seconds_;
    const double from_peak = (day - kPeak) / kPeakWidth;
    return plain(day) + (peak_ - plain(kPeak)) * std::exp(-from_peak * from_peak / 2);
  }
  double seconds() const { return seconds_; }

 private:
  static constexpr double kPeak = 20.0 / 24;
  static constexpr double kPeakWidth = 1.0 / 24;

  double plain(double day) const { return rate_ * (0.75 - 0.25 * std::cos(2 * std::numbers::pi * day)); }

  double rate_, peak_, seconds_;
};

}  // namespace millrace::demo
