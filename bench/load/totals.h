// bench/load/totals.h: what a run has counted so far; written by producers and consumers, read by the report.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "load/histogram.h"

namespace millrace::load {

struct Totals {
  std::uint64_t put_requests = 0;
  std::uint64_t put_records = 0;      // acknowledged
  std::uint64_t put_bytes = 0;        // their payloads
  std::uint64_t put_body_bytes = 0;   // of the requests, as sent
  std::uint64_t refused_records = 0;  // FailedRecordCount, summed; sent again
  std::uint64_t get_requests = 0;
  std::uint64_t get_records = 0;
  std::uint64_t get_bytes = 0;                  // payloads
  std::uint64_t get_body_bytes = 0;             // of the answers
  Histogram put_us;                             // due (closed loop: sent) to acknowledged, a request
  Histogram end_to_end_us;                      // due to received, a record
  std::map<std::string, std::uint64_t> errors;  // "400 LimitExceededException": how often

  // Counts an answer that is not 200, by its status and AWS's __type.
  void count_error(int status, std::string_view body);
};

}  // namespace millrace::load
