// app/metrics.h: the text of /metrics. Nothing is counted here: every folder counts for itself, cheaply, and
// this asks.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "app/process_stats.h"
#include "app/stream_watch.h"
#include "base/memory_share.h"
#include "identity/quota_meter.h"
#include "kinesis/operation_counters.h"
#include "log/log.h"
#include "net/server.h"

namespace millrace::app {

// One moment's figures of the whole process.
struct MetricsInput {
  const StreamFigures& streams;
  std::string node;
  std::string zone;
  double started_s = 0;  // since the epoch
  ProcessStats process;
  net::Server::Stats net{};
  std::uint64_t connections_max = 0;
  std::uint64_t disk_free_bytes = 0;
  double disk_full_in_s = 0;
  log::Log::Stats log{};
  std::vector<kinesis::OperationStats> kinesis;  // of all loops together
  std::vector<std::shared_ptr<const identity::QuotaMeter>> quotas;
  bool names_owners = false;  // of quotas; else the figures of all owners are summed up
  std::vector<std::shared_ptr<const MemoryShare>> memory;
  std::uint64_t subscriptions = 0;
  std::map<std::string, bool> conditions;  // those that ever held, and whether they do now
};

// Prometheus text format 0.0.4; every name is in docs/operations.md. Any thread.
std::string metrics_text(const MetricsInput& input);

}  // namespace millrace::app
