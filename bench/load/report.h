// bench/load/report.h: a run in JSON: a line for each second, and one for the whole.
#pragma once

#include <cstdint>
#include <string>

#include "load/event_loop.h"
#include "load/fan_out_reader.h"
#include "load/totals.h"
#include "load/verdict.h"

namespace millrace::load {

// Prints a line to stdout for each second from start() on, until it is destroyed:
// {"second":1,"in":50000,"out":49800,"in_bytes":…,"out_bytes":…,"p50_us":…,"p99_us":…,"max_us":…,"lag":200}
// in, out: records acknowledged and received in that second.  lag: acknowledged and not yet received.
class SecondLines {
 public:
  SecondLines(EventLoop& loop, Totals& totals) : loop_(loop), totals_(totals) {}
  void start();

 private:
  void print();

  EventLoop& loop_;
  Totals& totals_;
  std::int64_t begin_us_ = 0;
  std::int64_t second_ = 0;
  std::uint64_t put_records_ = 0, get_records_ = 0, put_bytes_ = 0, get_bytes_ = 0;  // at the last line
  Histogram end_to_end_before_;
};

// The whole run. `verdict` null: records were not told apart.
// `fan_out` null: nobody was subscribed.
std::string summary(const Totals& totals, const Verdict* verdict, const FanOutReader* fan_out,
                    double put_seconds, double get_seconds);

}  // namespace millrace::load
