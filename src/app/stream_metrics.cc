#include "app/stream_metrics.h"

#include <algorithm>
#include <string>
#include <utility>

#include "kinesis/shard_id.h"

namespace millrace::app {
namespace {

using leases::cloudwatch::MetricBoard;
using leases::cloudwatch::MetricName;

constexpr std::int64_t kMinuteMs = 60'000;
constexpr std::int64_t kFreshMs = 1'000;  // so old it may be when somebody reads
// So that many shards do not take the room of streams.
constexpr std::size_t kRoomWithShards = MetricBoard::kMetricsMax / 4 * 3;

MetricName name_of(const kinesis::MeterReading& reading, std::string_view metric) {
  MetricName name{
      std::string(kinesis::kMetricNamespace), std::string(metric), {{"StreamName", reading.stream}}};
  if (reading.shard.has_value()) name.dimensions.emplace("ShardId", kinesis::shard_id(*reading.shard));
  if (!reading.consumer.empty()) name.dimensions.emplace("ConsumerName", reading.consumer);
  return name;
}

leases::cloudwatch::Statistics statistics_of(const kinesis::Figure& figure, double scale) {
  return {.count = static_cast<double>(figure.count),
          .sum = static_cast<double>(figure.sum) * scale,
          .min = static_cast<double>(figure.min) * scale,
          .max = static_cast<double>(figure.max) * scale};
}

}  // namespace

StreamMetrics::StreamMetrics(broker::Broker& broker, kinesis::FrontDoor& streams,
                             leases::cloudwatch::FrontDoor& cloudwatch, StreamWatch& watch, Loop& home,
                             const Clock& clock)
    : broker_(broker),
      streams_(streams),
      board_(cloudwatch.board()),
      watch_(watch),
      home_(home),
      clock_(clock),
      collected_ms_(clock.wall_ms()) {
  cloudwatch.refresh_with([this] { return refresh(); });
  watch.refresh_with([this] { return refresh(); });
  home_.post([this] { wait_for_minute(); });
}

void StreamMetrics::wait_for_minute() {
  const std::int64_t left_ms = kMinuteMs - clock_.wall_ms() % kMinuteMs;
  home_.post_after(left_ms * 1'000'000, [this] {
    spawn(collect());
    wait_for_minute();
  });
}

Task<void> StreamMetrics::refresh() {
  const std::int64_t age_ms = clock_.wall_ms() - collected_ms_;
  if (age_ms >= 0 && age_ms < kFreshMs) co_return;
  Task<void> collecting = collect();
  co_await std::move(collecting);
}

Task<void> StreamMetrics::collect() {
  if (std::exchange(collecting_, true)) co_return;
  const std::int64_t begin_ms = std::exchange(collected_ms_, clock_.wall_ms());
  Task<kinesis::MeterTake> taking = streams_.take_meters(home_);
  kinesis::MeterTake all = co_await std::move(taking);
  const auto taken = std::make_shared<kinesis::MeterTake>(std::move(all));
  std::vector<kinesis::MeterReading>& readings = taken->readings;
  std::stable_partition(readings.begin(), readings.end(),
                        [](const kinesis::MeterReading& reading) { return !reading.shard.has_value(); });
  watch_.take(taken);
  // In the minute in which most of the time lies: a timer may be early or late by a little.
  const std::int64_t at_s = (begin_ms + collected_ms_) / 2 / 1'000;
  constexpr std::size_t kAtOnce = 64;  // then others have the loop for a while
  for (std::size_t i = 0; i < readings.size(); ++i) {
    if (i % kAtOnce == kAtOnce - 1) co_await sleep_for(home_, 0);
    publish(readings[i], at_s, collected_ms_ / 1'000);
  }
  collecting_ = false;
}

void StreamMetrics::publish(const kinesis::MeterReading& reading, std::int64_t at_s, std::int64_t now_s) {
  std::shared_ptr<const broker::Stream> stream;
  if (reading.shard.has_value()) {
    stream = broker_.catalog()->find(reading.stream);
    if (stream == nullptr || stream->id != reading.stream_id) return;
  }
  for (std::size_t i = 0; i < reading.labels.size(); ++i) {
    if (reading.figures[i].count == 0) continue;
    const kinesis::MetricLabel& label = reading.labels[i];
    if (stream != nullptr && std::find(stream->shard_metrics.begin(), stream->shard_metrics.end(),
                                       label.name) == stream->shard_metrics.end())
      continue;
    const MetricName name = name_of(reading, label.name);
    if (stream != nullptr && board_.own_size() >= kRoomWithShards && !board_.contains(name)) continue;
    board_.add(name, std::string(label.unit), at_s, statistics_of(reading.figures[i], label.scale), now_s);
  }
}

}  // namespace millrace::app
