// leases/cloudwatch/metric_board.h: metrics of the last hours, in memory, a minute at a time.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/memory_share.h"

namespace millrace::leases::cloudwatch {

using Dimensions = std::map<std::string, std::string>;

struct MetricName {
  std::string name_space;
  std::string name;
  Dimensions dimensions;
  friend auto operator<=>(const MetricName& a, const MetricName& b) = default;
};

// What was published within some time.
struct Statistics {
  double count = 0;
  double sum = 0;
  double min = std::numeric_limits<double>::infinity();
  double max = -std::numeric_limits<double>::infinity();

  void add(const Statistics& other);
  static Statistics of(double value, double count) { return {count, value * count, value, value}; }
};

// One loop's.
class MetricBoard {
 public:
  static constexpr std::int64_t kMinutesKept = 3 * 60;
  // Of the server's own (namespaces AWS/…), and of what clients publish: so many, and each half of the
  // board's bytes. Then those go that were silent for longest; where all are still published, a new one is
  // not taken, and one that is there gives up its older minutes for the new one.
  static constexpr std::size_t kMetricsMax = 10'000;

  explicit MetricBoard(std::shared_ptr<MemoryShare> share = std::make_shared<MemoryShare>("metrics",
                                                                                          128u << 20))
      : share_(std::move(share)) {}
  ~MetricBoard() { share_->give_back(bytes()); }
  MetricBoard(const MetricBoard&) = delete;
  MetricBoard& operator=(const MetricBoard&) = delete;

  // at_s    since the epoch; what is older than kMinutesKept or more than a minute ahead is forgotten at once
  void add(const MetricName& metric, const std::string& unit, std::int64_t at_s, const Statistics& statistics,
           std::int64_t now_s);

  struct Point {
    std::int64_t at_s;  // where its period begins
    Statistics statistics;
  };
  // Periods of `period_s` from begin_s (included) to end_s (not), in order; those with nothing are left out.
  // unit   only what was published in it; empty: any
  std::vector<Point> read(const MetricName& metric, const std::string& unit, std::int64_t begin_s,
                          std::int64_t end_s, std::int64_t period_s) const;
  // The unit in which it was last published.
  std::string unit_of(const MetricName& metric) const;

  // Calls back for each metric with data, in order, until it says false.
  // after   where it goes on; nullopt: at the beginning
  void each(const std::optional<MetricName>& after,
            const std::function<bool(const MetricName&)>& visit) const;

  std::size_t size() const { return metrics_.size(); }
  std::size_t own_size() const { return of_kind(true).size; }
  std::uint64_t bytes() const { return kinds_[0].bytes + kinds_[1].bytes; }
  bool contains(const MetricName& metric) const { return metrics_.contains(metric); }

 private:
  struct Minute {
    std::int64_t minute;  // since the epoch
    Statistics statistics;
  };
  struct Series {
    std::string unit;
    std::vector<Minute> minutes;  // in order
  };
  struct Kind {
    std::size_t size = 0;
    std::uint64_t bytes = 0;
    std::int64_t crowded_minute = -1;  // then none of it was silent
  };
  const Kind& of_kind(bool own) const { return kinds_[own ? 1 : 0]; }
  Kind& kind_of(const MetricName& metric);
  std::uint64_t kind_bytes_max() const { return share_->bytes_max() / kinds_.size(); }
  static std::uint64_t memory_bytes(const MetricName& metric);
  static std::uint64_t memory_bytes(const Series& series);
  void count(Kind& kind, std::uint64_t before, std::uint64_t after);
  bool make_room(const MetricName& metric, std::uint64_t bytes, std::int64_t now_minute);
  void sweep(std::int64_t now_minute);
  void erase(std::map<MetricName, Series>::iterator metric);

  std::shared_ptr<MemoryShare> share_;
  std::map<MetricName, Series> metrics_;
  std::array<Kind, 2> kinds_;
  std::int64_t swept_minute_ = -1;
};

}  // namespace millrace::leases::cloudwatch
