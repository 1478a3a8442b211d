// log/log_context.h: what all loops of one Log share.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "log/block_cache.h"
#include "log/damage.h"
#include "log/log.h"
#include "log/manifest_store.h"
#include "log/write_pace.h"

namespace millrace::log {

// Counted on loops and workers, read anywhere; each figure stands for itself.
struct Counters {
  std::atomic<std::uint64_t> appended_records{0}, appended_bytes{0}, groups{0}, group_bytes{0},
      settled_bytes{0}, segment_bytes{0}, segments{0}, cold_reads{0}, scrubbed_bytes{0}, orphaned_files{0},
      orphaned_bytes{0};
  std::atomic<std::uint64_t> scrub_pass_bytes{0};
  std::atomic<std::int64_t> scrub_finished_ms{0}, scrub_pass_began_ms{0};
};
inline void count(std::atomic<std::uint64_t>& counter, std::uint64_t by) {
  counter.fetch_add(by, std::memory_order_relaxed);
}

struct LogContext {
  LogEnvironment environment;
  LogOptions options;
  std::unique_ptr<ManifestStore> manifest;
  BlockCache cache;
  std::atomic<std::uint64_t> next_segment{1};
  Damage damage;
  std::atomic<int> removals_held{0};  // while above 0, no segment's file is removed: a backup reads them
  Counters counters;
  WritePace pace{environment.clock, options.background_bytes_per_s, counters.group_bytes};

  LogContext(LogEnvironment the_environment, const LogOptions& the_options,
             std::unique_ptr<ManifestStore> the_manifest)
      : environment(std::move(the_environment)),
        options(the_options),
        manifest(std::move(the_manifest)),
        cache(the_options.block_cache_bytes) {}

  void warn(const std::string& line) const {
    if (environment.warn) environment.warn(line);
  }
};

}  // namespace millrace::log
