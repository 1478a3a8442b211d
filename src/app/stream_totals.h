// app/stream_totals.h: what was done to each stream since the start, for /metrics: the busiest streams by
// name, and the rest together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "broker/catalog.h"
#include "kinesis/stream_meter.h"

namespace millrace::app {

struct StreamTotal {
  std::uint64_t in_records = 0;
  std::uint64_t in_bytes = 0;
  std::uint64_t out_records = 0;
  std::uint64_t out_bytes = 0;
  std::uint64_t throttled_records = 0;
  std::uint64_t failed_records = 0;
};

// One thread at a time. Counters never fall: a stream that others displaced counts among the rest from then
// on, and begins at 0 when it is shown again.
class StreamTotals {
 public:
  static constexpr std::size_t kShownMax = 100;

  void add(const kinesis::MeterReading& reading);
  // Forgets streams that are gone, takes in new ones, and now and then the busier for the less busy.
  void follow(const broker::Catalog& catalog, std::int64_t now_ns);

  // nullptr: it is among the rest.
  const StreamTotal* shown(std::uint64_t stream_id) const;
  const StreamTotal& rest() const { return rest_; }

 private:
  void choose();

  std::unordered_map<std::uint64_t, StreamTotal> shown_;           // by id
  std::unordered_map<std::uint64_t, std::uint64_t> recent_bytes_;  // by id; of all streams
  StreamTotal rest_;
  std::int64_t chosen_ns_ = 0;
};

}  // namespace millrace::app
