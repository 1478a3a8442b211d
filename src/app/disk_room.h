// app/disk_room.h: in how long the disk is full, if it goes on as in the last hour.
#pragma once

#include <cstdint>
#include <deque>
#include <limits>

#include "base/clock.h"

namespace millrace::app {

// One thread at a time.
class DiskRoom {
 public:
  void note(std::uint64_t free_bytes, std::int64_t now_ns) {
    if (!samples_.empty() && now_ns - samples_.back().at_ns < kApartNs) return;
    samples_.push_back({now_ns, free_bytes});
    // The oldest that is kept is as old as the window, or a little older.
    while (samples_.size() > 2 && now_ns - samples_[1].at_ns >= kWindowNs) samples_.pop_front();
  }
  // Infinite: it does not fill, or it is too early to tell.
  double full_in_s() const {
    constexpr double kNever = std::numeric_limits<double>::infinity();
    if (samples_.empty()) return kNever;
    const Sample& first = samples_.front();
    const Sample& last = samples_.back();
    if (last.at_ns - first.at_ns < kLeastNs || last.free_bytes >= first.free_bytes) return kNever;
    const double elapsed_s = static_cast<double>(last.at_ns - first.at_ns) / static_cast<double>(kNsPerS);
    const double bytes_per_s = static_cast<double>(first.free_bytes - last.free_bytes) / elapsed_s;
    return static_cast<double>(last.free_bytes) / bytes_per_s;
  }

 private:
  static constexpr std::int64_t kApartNs = 15 * kNsPerS;
  static constexpr std::int64_t kLeastNs = 60 * kNsPerS;
  static constexpr std::int64_t kWindowNs = 3'600 * kNsPerS;

  struct Sample {
    std::int64_t at_ns;
    std::uint64_t free_bytes;
  };
  std::deque<Sample> samples_;
};

}  // namespace millrace::app
