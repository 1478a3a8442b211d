#include "app/metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <limits>
#include <utility>
#include <vector>

#include "app/version.h"

namespace millrace::app {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

class Families {
 public:
  template <typename Number>
  void counter(std::string name, std::string help, Number value) {
    ClientMetric metric;
    metric.counter.value = static_cast<double>(value);
    families_.push_back({std::move(name), std::move(help), MetricType::Counter, {std::move(metric)}});
  }
  template <typename Number>
  void gauge(std::string name, std::string help, Number value, std::vector<ClientMetric::Label> labels = {}) {
    ClientMetric metric;
    metric.label = std::move(labels);
    metric.gauge.value = static_cast<double>(value);
    families_.push_back({std::move(name), std::move(help), MetricType::Gauge, {std::move(metric)}});
  }
  void add(MetricFamily family) { families_.push_back(std::move(family)); }
  std::string text() const { return prometheus::TextSerializer{}.Serialize(families_); }

 private:
  std::vector<MetricFamily> families_;
};

void add_process(Families& families, const MetricsInput& input) {
  families.gauge("millrace_build_info", "1; what runs here", 1,
                 {{"version", kVersion}, {"node", input.node}, {"zone", input.zone}});
  families.gauge("process_start_time_seconds", "When it started, since the epoch", input.started_s);
  families.counter("process_cpu_seconds_total", "User and system time", input.process.cpu_s);
  families.gauge("process_resident_memory_bytes", "Memory in use", input.process.resident_bytes);
  families.gauge("process_virtual_memory_bytes", "Address space in use", input.process.virtual_bytes);
  families.gauge("process_threads", "Threads", input.process.threads);
  families.gauge("process_open_fds", "Open files and sockets", input.process.open_files);
  families.gauge("process_max_fds", "Most files and sockets that may be open", input.process.open_files_max);
}

void add_net(Families& families, const net::Server::Stats& net) {
  families.gauge("millrace_connections_open", "Connections now", net.connections_open);
  families.counter("millrace_connections_total", "Connections taken", net.connections_total);
  families.counter("millrace_connections_refused_total", "Connections closed at once, over --connections-max",
                   net.connections_refused);
  families.counter("millrace_connections_evicted_total", "Idle connections closed to make way for others",
                   net.connections_evicted);
  families.counter("millrace_http_requests_total", "HTTP requests, whole ones", net.requests_total);
  families.counter("millrace_net_received_bytes_total", "Bytes read from sockets", net.bytes_in);
  families.counter("millrace_net_sent_bytes_total", "Bytes written to sockets", net.bytes_out);
}

void add_log(Families& families, const log::Log::Stats& log) {
  families.counter("millrace_log_appended_records_total", "Records made durable", log.appended_records);
  families.counter("millrace_log_appended_bytes_total", "Their bytes, encoded", log.appended_bytes);
  families.counter("millrace_log_groups_total", "Journal writes; each made one group of records durable",
                   log.groups);
  families.counter("millrace_log_group_bytes_total", "Bytes of those groups", log.group_bytes);
  families.counter("millrace_log_settled_bytes_total", "Bytes moved from the journal to segments",
                   log.settled_bytes);
  families.gauge("millrace_log_segments", "Segments", log.segments);
  families.gauge("millrace_log_segment_bytes", "Bytes of segments on disk", log.segment_bytes);
  families.gauge("millrace_log_journal_bytes", "Bytes of journal files on disk", log.journal_bytes);
  families.gauge("millrace_log_tail_bytes", "Newest records kept in memory", log.tail_bytes);
  families.gauge("millrace_orphaned_files", "Files in orphaned/ at the start", log.orphaned_files);
  families.gauge("millrace_orphaned_bytes", "Their bytes", log.orphaned_bytes);
  families.counter("millrace_log_cold_reads_total", "Reads that went to the disk", log.cold_reads);
  families.gauge("millrace_damaged_blocks", "Blocks of records on disk that cannot be read",
                 log.damaged_blocks);
  families.gauge("millrace_lost_blocks", "Damaged blocks that are marked as lost: readers pass over them",
                 log.lost_blocks);
  families.counter("millrace_scrubbed_bytes_total", "Bytes of segments that the scrub has read again",
                   log.scrubbed_bytes);
  families.gauge("millrace_scrub_finished_seconds",
                 "When the scrub last had read every segment, since the epoch",
                 static_cast<double>(log.scrub_finished_ms) / 1e3);
  families.counter("millrace_clock_steps_total", "Steps of the wall clock by half a second or more",
                   log.clock.steps);
  families.gauge("millrace_clock_step_waiting", "1 while a step of the wall clock is not taken as true yet",
                 log.clock.waiting ? 1 : 0);
  families.gauge("millrace_clock_ahead_seconds",
                 "By how much arrival times are ahead of the wall clock; negative: behind",
                 static_cast<double>(log.clock.ahead_ms) / 1e3);
}

ClientMetric counted(std::vector<ClientMetric::Label> labels, std::uint64_t value) {
  ClientMetric metric;
  metric.label = std::move(labels);
  metric.counter.value = static_cast<double>(value);
  return metric;
}

// A histogram counts, in each bucket, all that was no slower than its end; our counters count each request
// once.
ClientMetric latency(const kinesis::OperationStats& stats) {
  ClientMetric metric;
  metric.label = {{"operation", std::string(stats.name)}};
  for (std::size_t bucket = 0; bucket < stats.latency.size(); ++bucket) {
    metric.histogram.sample_count += stats.latency[bucket];
    const bool last = bucket + 1 == stats.latency.size();
    metric.histogram.bucket.push_back({metric.histogram.sample_count,
                                       last ? std::numeric_limits<double>::infinity()
                                            : static_cast<double>(kinesis::latency_bucket_us(bucket)) / 1e6});
  }
  metric.histogram.sample_sum = static_cast<double>(stats.latency_sum_us) / 1e6;
  return metric;
}

void add_kinesis(Families& families, const std::vector<kinesis::OperationStats>& operations) {
  MetricFamily requests{"millrace_kinesis_requests_total", "Kinesis requests", MetricType::Counter, {}};
  MetricFamily errors{
      "millrace_kinesis_errors_total", "Those that ended in an error", MetricType::Counter, {}};
  MetricFamily seconds{
      "millrace_kinesis_request_seconds", "From request to answer", MetricType::Histogram, {}};
  for (const kinesis::OperationStats& operation : operations) {
    const std::string name(operation.name);
    requests.metric.push_back(counted({{"operation", name}}, operation.requests));
    seconds.metric.push_back(latency(operation));
    for (std::size_t type = 0; type < operation.errors.size(); ++type) {
      if (operation.errors[type] == 0) continue;
      errors.metric.push_back(counted(
          {{"operation", name}, {"type", std::string(kinesis::kErrorTypes[type])}}, operation.errors[type]));
    }
  }
  families.add(std::move(requests));
  families.add(std::move(errors));
  families.add(std::move(seconds));
}

void add_quotas(Families& families, const std::vector<std::shared_ptr<const identity::QuotaMeter>>& quotas,
                bool names_owners) {
  MetricFamily exceeded{"millrace_quota_exceeded_total",
                        "Records and requests that a quota refused, and events that had to wait",
                        MetricType::Counter,
                        {}};
  for (std::size_t i = 0; i < identity::kQuantities; ++i) {
    const auto quantity = static_cast<identity::Quantity>(i);
    const std::string figure(identity::name_of(quantity).label);
    std::uint64_t sum = 0;
    bool bounded = false;
    for (const auto& meter : quotas) {
      if (!meter->bounds(quantity)) continue;
      bounded = true;
      sum += meter->exceeded(quantity);
      if (names_owners)
        exceeded.metric.push_back(
            counted({{"owner", meter->owner()}, {"figure", figure}}, meter->exceeded(quantity)));
    }
    if (bounded && !names_owners) exceeded.metric.push_back(counted({{"figure", figure}}, sum));
  }
  families.add(std::move(exceeded));
}

void add_conditions(Families& families, const std::map<std::string, bool>& conditions) {
  MetricFamily family{
      "millrace_condition", "1 while something is wrong that /readyz names too", MetricType::Gauge, {}};
  for (const auto& [name, holds] : conditions) {
    ClientMetric metric;
    metric.label = {{"condition", name}};
    metric.gauge.value = holds ? 1 : 0;
    family.metric.push_back(std::move(metric));
  }
  families.add(std::move(family));
}

void add_memory(Families& families, const std::vector<std::shared_ptr<const MemoryShare>>& shares) {
  MetricFamily held{"millrace_memory_bytes",
                    "Bytes of --memory-bytes-max in use, by what holds them",
                    MetricType::Gauge,
                    {}};
  MetricFamily bound{"millrace_memory_bytes_max", "Most that may be in use", MetricType::Gauge, {}};
  const auto gauge = [](const MemoryShare& share, std::uint64_t bytes) {
    ClientMetric metric;
    metric.label = {{"part", share.name()}};
    metric.gauge.value = static_cast<double>(bytes);
    return metric;
  };
  for (const auto& share : shares) {
    held.metric.push_back(gauge(*share, share->used()));
    bound.metric.push_back(gauge(*share, share->bytes_max()));
  }
  families.add(std::move(held));
  families.add(std::move(bound));
}

}  // namespace

std::string metrics_text(const MetricsInput& input) {
  Families families;
  add_process(families, input);
  add_net(families, input.net);
  add_log(families, input.log);
  add_kinesis(families, input.kinesis);
  add_quotas(families, input.quotas, input.names_owners);
  add_memory(families, input.memory);
  families.gauge("millrace_kinesis_subscriptions", "Event streams of SubscribeToShard that are open",
                 input.subscriptions);
  families.gauge("millrace_streams", "Streams that exist", input.streams);
  families.gauge("millrace_shards_open", "Open shards of all streams", input.open_shards);
  add_conditions(families, input.conditions);
  return families.text();
}

}  // namespace millrace::app
