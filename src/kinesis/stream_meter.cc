#include "kinesis/stream_meter.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace millrace::kinesis {
namespace {

std::uint64_t not_negative(std::int64_t value) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(value, 0));
}

Figure& at(std::array<Figure, kShardMetricCount>& figures, ShardMetric metric) {
  return figures[static_cast<std::size_t>(metric)];
}

// Moves what was counted to `readings`, and begins anew. False: nothing was.
template <std::size_t kCount>
bool take_figures(std::array<Figure, kCount>& figures, MeterReading reading,
                  std::vector<MeterReading>& readings) {
  if (std::all_of(figures.begin(), figures.end(), [](const Figure& figure) { return figure.count == 0; }))
    return false;
  reading.figures.assign(figures.begin(), figures.end());
  figures.fill({});
  readings.push_back(std::move(reading));
  return true;
}

}  // namespace

StreamMeter::StreamFigures& StreamMeter::figures_of(std::uint64_t id, std::string_view name) {
  StreamFigures& figures = streams_[id];
  if (figures.name.empty()) figures.name = name;
  return figures;
}

StreamMeter::ConsumerFigures& StreamMeter::figures_of(const MeteredConsumer& consumer) {
  ConsumerFigures& figures = consumers_[consumer.id];
  if (figures.name.empty()) {
    figures.stream_id = consumer.stream_id;
    figures.stream = consumer.stream;
    figures.name = consumer.name;
  }
  return figures;
}

void StreamMeter::put(const broker::Stream& stream, Put operation,
                      std::span<const broker::PutOutcome> outcomes, std::int64_t took_us,
                      std::size_t refused) {
  std::uint64_t bytes = 0;
  std::uint64_t durable = 0;
  std::uint64_t throttled = refused;
  for (const broker::PutOutcome& outcome : outcomes) {
    const bool put = outcome.status == log::RunStatus::kDurable;
    bytes += put ? outcome.payload_bytes : 0;
    durable += put ? 1 : 0;
    throttled += outcome.throttled ? 1 : 0;
  }
  StreamFigures& figures = figures_of(stream.id, stream.name);
  figures[StreamMetric::kWriteExceeded].add(throttled);
  if (durable != 0) {
    figures[StreamMetric::kIncomingBytes].add(bytes);
    figures[StreamMetric::kIncomingRecords].add(durable);
  }
  if (operation == Put::kRecord) {
    figures[StreamMetric::kPutRecordLatency].add(not_negative(took_us));
    figures[StreamMetric::kPutRecordSuccess].add(durable);
    if (durable != 0) figures[StreamMetric::kPutRecordBytes].add(bytes);
  } else {
    figures[StreamMetric::kPutRecordsLatency].add(not_negative(took_us));
    figures[StreamMetric::kPutRecordsSuccess].add(durable != 0 ? 1 : 0);
    figures[StreamMetric::kPutRecordsTotal].add(outcomes.size() + refused);
    figures[StreamMetric::kPutRecordsSuccessful].add(durable);
    figures[StreamMetric::kPutRecordsFailed].add(outcomes.size() + refused - durable - throttled);
    figures[StreamMetric::kPutRecordsThrottled].add(throttled);
    if (durable != 0) {
      figures[StreamMetric::kPutRecordsBytes].add(bytes);
      figures[StreamMetric::kPutRecordsRecords].add(durable);
    }
  }
  if (!stream.shard_metrics.empty()) put_into_shards(stream, outcomes, figures);
}

// A value a put and shard, as the service has it; so the put's records are summed up by shard first.
void StreamMeter::put_into_shards(const broker::Stream& stream, std::span<const broker::PutOutcome> outcomes,
                                  StreamFigures& figures) {
  if (shares_.size() < stream.labels.size()) shares_.resize(stream.labels.size());
  for (const broker::PutOutcome& outcome : outcomes) {
    ShardShare& share = shares_[outcome.shard_position];
    share.touched = true;
    share.throttled += outcome.throttled ? 1 : 0;
    if (outcome.status != log::RunStatus::kDurable) continue;
    share.records += 1;
    share.bytes += outcome.payload_bytes;
  }
  for (const broker::PutOutcome& outcome : outcomes) {
    ShardShare& share = shares_[outcome.shard_position];
    if (!share.touched) continue;
    ShardFigures& shard = figures.shards[stream.labels[outcome.shard_position].index];
    at(shard, ShardMetric::kWriteExceeded).add(share.throttled);
    if (share.records != 0) {
      at(shard, ShardMetric::kIncomingBytes).add(share.bytes);
      at(shard, ShardMetric::kIncomingRecords).add(share.records);
    }
    share = {};
  }
}

void StreamMeter::failed_put(const broker::Stream& stream, Put operation, std::size_t records,
                             std::int64_t took_us) {
  StreamFigures& figures = figures_of(stream.id, stream.name);
  if (operation == Put::kRecord) {
    figures[StreamMetric::kPutRecordLatency].add(not_negative(took_us));
    figures[StreamMetric::kPutRecordSuccess].add(0);
    return;
  }
  figures[StreamMetric::kPutRecordsLatency].add(not_negative(took_us));
  figures[StreamMetric::kPutRecordsSuccess].add(0);
  figures[StreamMetric::kPutRecordsTotal].add(records);
  figures[StreamMetric::kPutRecordsSuccessful].add(0);
  figures[StreamMetric::kPutRecordsFailed].add(records);
}

void StreamMeter::read_from_shard(ShardFigures& figures, std::uint64_t bytes, std::uint64_t records) {
  at(figures, ShardMetric::kOutgoingBytes).add(bytes);
  at(figures, ShardMetric::kOutgoingRecords).add(records);
}

void StreamMeter::read(const broker::Stream& stream, std::uint32_t shard, const Read& read,
                       std::int64_t took_us) {
  StreamFigures& figures = figures_of(stream.id, stream.name);
  figures[StreamMetric::kGetRecordsBytes].add(read.bytes);
  figures[StreamMetric::kGetRecordsRecords].add(read.records);
  figures[StreamMetric::kGetRecordsLatency].add(not_negative(took_us));
  figures[StreamMetric::kGetRecordsSuccess].add(1);
  figures[StreamMetric::kGetRecordsAge].add(not_negative(read.age_ms));
  figures[StreamMetric::kReadExceeded].add(0);
  positions_.note(stream.id, shard, read.reader_kind, read.reader, read.next_offset);
  if (stream.shard_metrics.empty()) return;
  ShardFigures& of_shard = figures.shards[shard];
  read_from_shard(of_shard, read.bytes, read.records);
  at(of_shard, ShardMetric::kAge).add(not_negative(read.age_ms));
  at(of_shard, ShardMetric::kReadExceeded).add(0);
}

void StreamMeter::failed_read(const broker::Stream& stream, std::uint32_t shard, bool throttled,
                              std::int64_t took_us) {
  StreamFigures& figures = figures_of(stream.id, stream.name);
  figures[StreamMetric::kGetRecordsLatency].add(not_negative(took_us));
  figures[StreamMetric::kGetRecordsSuccess].add(0);
  figures[StreamMetric::kReadExceeded].add(throttled ? 1 : 0);
  if (!stream.shard_metrics.empty())
    at(figures.shards[shard], ShardMetric::kReadExceeded).add(throttled ? 1 : 0);
}

void StreamMeter::subscribed(const MeteredConsumer& consumer, Subscribed how) {
  ConsumerFigures& figures = figures_of(consumer);
  figures[ConsumerMetric::kSuccess].add(how == Subscribed::kYes ? 1 : 0);
  if (how == Subscribed::kTooSoon) figures[ConsumerMetric::kRateExceeded].add(1);
}

void StreamMeter::event(const MeteredConsumer& consumer, std::uint32_t shard, bool shard_metered,
                        const Event& event) {
  ConsumerFigures& figures = figures_of(consumer);
  figures[ConsumerMetric::kEventBytes].add(event.bytes);
  figures[ConsumerMetric::kEventRecords].add(event.records);
  figures[ConsumerMetric::kEventBehind].add(not_negative(event.behind_ms));
  figures[ConsumerMetric::kEventSuccess].add(1);
  positions_.note(consumer.stream_id, shard, ReaderKind::kConsumer, consumer.name, event.next_offset);
  if (shard_metered)
    read_from_shard(figures_of(consumer.stream_id, consumer.stream).shards[shard], event.bytes,
                    event.records);
}

void StreamMeter::failed_event(const MeteredConsumer& consumer) {
  figures_of(consumer)[ConsumerMetric::kEventSuccess].add(0);
}

void StreamMeter::take(MeterTake& into) {
  std::vector<MeterReading>& readings = into.readings;
  positions_.take(into.positions);
  for (auto at = streams_.begin(); at != streams_.end();) {
    StreamFigures& stream = at->second;
    MeterReading reading{
        .stream_id = at->first, .stream = stream.name, .labels = kStreamMetricLabels, .figures = {}};
    bool any = take_figures(stream.of, reading, readings);
    reading.labels = kShardMetricLabels;
    for (auto shard = stream.shards.begin(); shard != stream.shards.end();) {
      reading.shard = shard->first;
      const bool of_shard = take_figures(shard->second, reading, readings);
      any |= of_shard;
      shard = of_shard ? std::next(shard) : stream.shards.erase(shard);
    }
    at = any ? std::next(at) : streams_.erase(at);
  }
  for (auto at = consumers_.begin(); at != consumers_.end();) {
    ConsumerFigures& consumer = at->second;
    const bool any = take_figures(consumer.of,
                                  {.stream_id = consumer.stream_id,
                                   .stream = consumer.stream,
                                   .consumer = consumer.name,
                                   .labels = kConsumerMetricLabels,
                                   .figures = {}},
                                  readings);
    at = any ? std::next(at) : consumers_.erase(at);
  }
}

}  // namespace millrace::kinesis
