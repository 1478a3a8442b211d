// log/run_reader.h: takes records out of runs, within limits. Any thread.
#pragma once

#include <cstdint>

#include "log/log.h"
#include "log/run_codec.h"

namespace millrace::log {

// Adds records of the run at `at` to `out`, from out.next_offset on, which moves; runs that arrived before
// `oldest_ms` are passed over. False when a limit is reached: then out.next_arrival_ms is the run's. `bytes`
// counts what was added.
inline bool read_run(const std::uint8_t* at, ReadBatch& out, const ReadLimits& limits, std::uint64_t& bytes,
                     std::int64_t oldest_ms) {
  const RunHeader run = load_run_header(at);
  if (run.end_offset() <= out.next_offset) return true;
  if (run.arrival_ms < oldest_ms && out.records.empty()) {
    out.next_offset = run.end_offset();
    return true;
  }
  MR_ASSERT(run.first_offset <= out.next_offset);
  const std::uint8_t* next = at + kRunHeaderBytes;
  for (std::uint64_t skipped = run.first_offset; skipped < out.next_offset; ++skipped)
    next += record_bytes(next);
  RecordView record;
  record.arrival_ms = run.arrival_ms;
  while (out.next_offset < run.end_offset()) {
    const std::size_t length = load_record(next, record);
    const std::size_t payload = record.key.size() + record.value.size();
    if (out.records.size() >= limits.records_max ||
        (bytes + payload > limits.bytes_max && !out.records.empty())) {
      out.next_arrival_ms = run.arrival_ms;
      return false;
    }
    record.offset = out.next_offset++;
    out.records.push_back(record);
    bytes += payload;
    next += length;
  }
  return true;
}

}  // namespace millrace::log
