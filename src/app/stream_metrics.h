// app/stream_metrics.h: what was done to streams, brought to CloudWatch's board and to the page of metrics
// once a minute, and before somebody reads there.
#pragma once

#include <cstdint>
#include <vector>

#include "app/stream_watch.h"
#include "base/clock.h"
#include "base/loop.h"
#include "base/task.h"
#include "broker/broker.h"
#include "kinesis/front_door.h"
#include "leases/cloudwatch/front_door.h"

namespace millrace::app {

class StreamMetrics {
 public:
  // All borrowed; outlive it, and it outlives the loops' last callback. home   the board's loop. Begins at
  // once. Before the first request.
  StreamMetrics(broker::Broker& broker, kinesis::FrontDoor& streams,
                leases::cloudwatch::FrontDoor& cloudwatch, StreamWatch& watch, Loop& home,
                const Clock& clock);
  StreamMetrics(const StreamMetrics&) = delete;
  StreamMetrics& operator=(const StreamMetrics&) = delete;

 private:
  // These on home.
  void wait_for_minute();
  Task<void> refresh();
  Task<void> collect();
  void publish(const kinesis::MeterReading& reading, std::int64_t at_s, std::int64_t now_s);

  broker::Broker& broker_;
  kinesis::FrontDoor& streams_;
  leases::cloudwatch::MetricBoard& board_;
  StreamWatch& watch_;
  Loop& home_;
  const Clock& clock_;
  std::int64_t collected_ms_;
  bool collecting_ = false;
};

}  // namespace millrace::app
