// kinesis/stream_meter.h: what is done to each stream, counted for the metrics that the service publishes of
// it. source: Kinesis Data Streams developer guide, "Monitoring … with Amazon CloudWatch"
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "broker/broker.h"
#include "kinesis/metric_names.h"
#include "kinesis/reader_positions.h"

namespace millrace::kinesis {

// Values of one metric, summed up.
struct Figure {
  std::uint64_t count = 0;
  std::uint64_t sum = 0;
  std::uint64_t min = ~std::uint64_t{0};
  std::uint64_t max = 0;

  void add(std::uint64_t value) {
    ++count;
    sum += value;
    min = value < min ? value : min;
    max = value > max ? value : max;
  }
};

// What was counted of a stream, or of one of its shards or consumers.
struct MeterReading {
  std::uint64_t stream_id;
  std::string stream;
  std::optional<std::uint32_t> shard = {};  // its index; with all metrics, whichever the owner enabled
  std::string consumer = {};                // empty: none
  std::span<const MetricLabel> labels;      // of `figures`, one each
  std::vector<Figure> figures;              // without values where nothing of the kind was done
};

// All that was counted since the last time.
struct MeterTake {
  std::vector<MeterReading> readings;
  std::vector<ReaderPosition> positions;
};

// A consumer with a throughput of its own.
struct MeteredConsumer {
  std::uint64_t stream_id;
  std::uint64_t id;
  std::string_view stream;
  std::string_view name;
};

// One loop's, and used on it alone: no locks. Memory is taken when a stream, shard or consumer first does
// something, and given back once it did nothing between two takes.
class StreamMeter {
 public:
  enum class Put : std::uint8_t { kRecord, kRecords };
  // One put, as it ended. outcomes   whose positions `stream` explains.  refused   records that quotas kept
  // out
  void put(const broker::Stream& stream, Put operation, std::span<const broker::PutOutcome> outcomes,
           std::int64_t took_us, std::size_t refused = 0);
  // One that failed as a whole.
  void failed_put(const broker::Stream& stream, Put operation, std::size_t records, std::int64_t took_us);

  struct Read {
    std::uint64_t bytes;  // of keys and data
    std::uint64_t records;
    std::int64_t age_ms;  // of the last record; 0 where there was none
    std::uint64_t next_offset;
    ReaderKind reader_kind;
    std::string_view reader;
  };
  // One GetRecords.
  void read(const broker::Stream& stream, std::uint32_t shard, const Read& read, std::int64_t took_us);
  void failed_read(const broker::Stream& stream, std::uint32_t shard, bool throttled, std::int64_t took_us);

  enum class Subscribed : std::uint8_t { kYes, kTooSoon, kFailed };
  void subscribed(const MeteredConsumer& consumer, Subscribed how);
  struct Event {
    std::uint64_t bytes;
    std::uint64_t records;
    std::int64_t behind_ms;
    std::uint64_t next_offset;
  };
  // One event of an answer to SubscribeToShard. shard_metered   its stream has shards' metrics enabled
  void event(const MeteredConsumer& consumer, std::uint32_t shard, bool shard_metered, const Event& event);
  void failed_event(const MeteredConsumer& consumer);

  // All that was counted since the last take, added to `into`.
  void take(MeterTake& into);

 private:
  using ShardFigures = std::array<Figure, kShardMetricCount>;
  struct StreamFigures {
    std::string name;
    std::array<Figure, kStreamMetricCount> of{};
    std::unordered_map<std::uint32_t, ShardFigures> shards;

    Figure& operator[](StreamMetric metric) { return of[static_cast<std::size_t>(metric)]; }
  };
  struct ConsumerFigures {
    std::uint64_t stream_id;
    std::string stream;
    std::string name;
    std::array<Figure, kConsumerMetricCount> of{};

    Figure& operator[](ConsumerMetric metric) { return of[static_cast<std::size_t>(metric)]; }
  };
  // What one put did to one shard.
  struct ShardShare {
    std::uint64_t bytes = 0;
    std::uint32_t records = 0;
    std::uint32_t throttled = 0;
    bool touched = false;
  };

  StreamFigures& figures_of(std::uint64_t id, std::string_view name);
  ConsumerFigures& figures_of(const MeteredConsumer& consumer);
  void put_into_shards(const broker::Stream& stream, std::span<const broker::PutOutcome> outcomes,
                       StreamFigures& figures);
  static void read_from_shard(ShardFigures& figures, std::uint64_t bytes, std::uint64_t records);

  std::unordered_map<std::uint64_t, StreamFigures> streams_;      // by id
  std::unordered_map<std::uint64_t, ConsumerFigures> consumers_;  // by id
  ReaderPositions positions_;
  std::vector<ShardShare> shares_;  // of the put at hand, by position
};

}  // namespace millrace::kinesis
