#include "app/metrics.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "app/metric_families.h"
#include "app/metrics_streams.h"
#include "app/version.h"

namespace millrace::app {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

void add_process(MetricFamilies& families, const MetricsInput& input) {
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

void add_net(MetricFamilies& families, const MetricsInput& input) {
  const net::Server::Stats& net = input.net;
  families.gauge("millrace_connections_open", "Connections now", net.connections_open);
  families.gauge("millrace_connections_max",
                 "Most connections at once: --connections-max, or what open files allow",
                 input.connections_max);
  families.counter("millrace_connections_total", "Connections taken", net.connections_total);
  families.counter("millrace_connections_refused_total", "Connections closed at once, over --connections-max",
                   net.connections_refused);
  families.counter("millrace_connections_evicted_total", "Idle connections closed to make way for others",
                   net.connections_evicted);
  families.counter("millrace_http_requests_total", "HTTP requests, whole ones", net.requests_total);
  families.counter("millrace_net_received_bytes_total", "Bytes read from sockets", net.bytes_in);
  families.counter("millrace_net_sent_bytes_total", "Bytes written to sockets", net.bytes_out);
}

void add_histogram(MetricFamilies& families, const char* name, const char* help, const LatencySums& sums) {
  MetricFamily family{name, help, MetricType::Histogram, {}};
  const bool any = std::any_of(sums.counts.begin(), sums.counts.end(), [](auto count) { return count != 0; });
  if (any) family.metric.push_back(latency({}, sums));
  families.add(std::move(family));
}

void add_disk(MetricFamilies& families, const MetricsInput& input) {
  families.gauge("millrace_disk_free_bytes", "Bytes free where the data folder is", input.disk_free_bytes);
  families.gauge("millrace_disk_full_in_seconds",
                 "Estimate, from the last hour: in how long the disk is full; +Inf: it does not fill",
                 input.disk_full_in_s);
  std::optional<double> oldest_s =
      input.streams.rest.has_value() ? input.streams.rest->oldest_age_s : std::nullopt;
  for (const StreamFigures::Stream& stream : input.streams.streams)
    if (stream.oldest_age_s.has_value()) oldest_s = std::max(oldest_s.value_or(0), *stream.oldest_age_s);
  families.gauge("millrace_oldest_record_age_seconds", "Age of the oldest record of all streams; 0: none",
                 oldest_s.value_or(0));
}

void add_log(MetricFamilies& families, const log::Log::Stats& log) {
  add_histogram(families, "millrace_log_sync_seconds", "fdatasync of the journal", log.syncs);
  add_histogram(families, "millrace_log_commit_seconds",
                "From the begin of a group's write until it is known to be durable", log.commits);
  families.gauge("millrace_log_unsettled_bytes", "Bytes in the journal that are not in segments yet",
                 log.unsettled_bytes);
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
  families.gauge("millrace_scrub_pass_bytes", "Bytes that the scrub's pass under way has read",
                 log.scrub_pass_bytes);
  families.gauge("millrace_scrub_pass_began_seconds",
                 "When the scrub's pass under way began, since the epoch; 0: none is under way",
                 static_cast<double>(log.scrub_pass_began_ms) / 1e3);
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

void add_kinesis(MetricFamilies& families, const std::vector<kinesis::OperationStats>& operations) {
  MetricFamily requests{"millrace_kinesis_requests_total", "Kinesis requests", MetricType::Counter, {}};
  MetricFamily errors{
      "millrace_kinesis_errors_total", "Those that ended in an error", MetricType::Counter, {}};
  MetricFamily seconds{
      "millrace_kinesis_request_seconds", "From request to answer", MetricType::Histogram, {}};
  for (const kinesis::OperationStats& operation : operations) {
    if (operation.requests == 0) continue;
    const std::string name(operation.name);
    requests.metric.push_back(counted({{"operation", name}}, static_cast<double>(operation.requests)));
    seconds.metric.push_back(latency({{"operation", name}}, operation.latency));
    for (std::size_t type = 0; type < operation.errors.size(); ++type) {
      if (operation.errors[type] == 0) continue;
      errors.metric.push_back(
          counted({{"operation", name}, {"type", std::string(kinesis::kErrorTypes[type])}},
                  static_cast<double>(operation.errors[type])));
    }
  }
  families.add(std::move(requests));
  families.add(std::move(errors));
  families.add(std::move(seconds));
}

void add_quotas(MetricFamilies& families,
                const std::vector<std::shared_ptr<const identity::QuotaMeter>>& quotas, bool names_owners) {
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
        exceeded.metric.push_back(counted({{"owner", meter->owner()}, {"figure", figure}},
                                          static_cast<double>(meter->exceeded(quantity))));
    }
    if (bounded && !names_owners)
      exceeded.metric.push_back(counted({{"figure", figure}}, static_cast<double>(sum)));
  }
  families.add(std::move(exceeded));
}

void add_conditions(MetricFamilies& families, const std::map<std::string, bool>& conditions) {
  MetricFamily family{
      "millrace_condition", "1 while something is wrong that /readyz names too", MetricType::Gauge, {}};
  for (const auto& [name, holds] : conditions)
    family.metric.push_back(gauged({{"condition", name}}, holds ? 1 : 0));
  families.add(std::move(family));
}

void add_memory(MetricFamilies& families, const std::vector<std::shared_ptr<const MemoryShare>>& shares) {
  MetricFamily held{"millrace_memory_bytes",
                    "Bytes of --memory-bytes-max in use, by what holds them",
                    MetricType::Gauge,
                    {}};
  MetricFamily bound{"millrace_memory_bytes_max", "Most that may be in use", MetricType::Gauge, {}};
  for (const auto& share : shares) {
    held.metric.push_back(gauged({{"part", share->name()}}, static_cast<double>(share->used())));
    bound.metric.push_back(gauged({{"part", share->name()}}, static_cast<double>(share->bytes_max())));
  }
  families.add(std::move(held));
  families.add(std::move(bound));
}

}  // namespace

std::string metrics_text(const MetricsInput& input) {
  MetricFamilies families;
  add_process(families, input);
  add_net(families, input);
  add_log(families, input.log);
  add_disk(families, input);
  add_kinesis(families, input.kinesis);
  add_quotas(families, input.quotas, input.names_owners);
  add_memory(families, input.memory);
  families.gauge("millrace_kinesis_subscriptions", "Event streams of SubscribeToShard that are open",
                 input.subscriptions);
  const broker::Catalog& catalog = *input.streams.catalog;
  families.gauge("millrace_streams", "Streams that exist", catalog.streams.size());
  families.gauge("millrace_shards_open", "Open shards of all streams", catalog.open_shard_count);
  add_streams(families, input.streams);
  add_conditions(families, input.conditions);
  return families.text();
}

}  // namespace millrace::app
