// kinesis/operation_counters.h: how often each operation was asked for, how it ended, and how long it took.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/latency_counts.h"

namespace millrace::kinesis {

// The error types that are counted by name; all others as the last one.
inline constexpr std::array<std::string_view, 25> kErrorTypes = {
    "AccessDeniedException",
    "DryRunOperationException",
    "ExpiredIteratorException",
    "ExpiredNextTokenException",
    "InternalFailure",
    "InternalFailureException",
    "InvalidArgumentException",
    "InvalidSignatureException",
    "KMSAccessDeniedException",
    "KMSDisabledException",
    "KMSInvalidStateException",
    "KMSNotFoundException",
    "KMSOptInRequired",
    "KMSThrottlingException",
    "LimitExceededException",
    "MissingAuthenticationTokenException",
    "ProvisionedThroughputExceededException",
    "ResourceInUseException",
    "ResourceNotFoundException",
    "SerializationException",
    "ServiceUnavailable",
    "ThrottlingException",
    "UnrecognizedClientException",
    "ValidationException",
    "Other",
};

struct OperationStats {
  std::string_view name;
  std::uint64_t requests = 0;
  std::array<std::uint64_t, kErrorTypes.size()> errors{};
  LatencySums latency;  // of all requests
};

// One loop's counts. Its loop writes; any thread may read.
class OperationCounters {
 public:
  OperationCounters();

  // operation   position in all_operations(), or their number for an unknown one
  // error_type  empty when it went well
  void count(std::size_t operation, std::string_view error_type, std::int64_t latency_us);
  // Adds to `sum`, one for each operation.
  void add_to(std::vector<OperationStats>& sum) const;

 private:
  using Counter = std::atomic<std::uint64_t>;
  struct Counts {
    Counter requests{0};
    std::array<Counter, kErrorTypes.size()> errors{};
    LatencyCounts latency;
  };
  std::vector<Counts> counts_;
};

}  // namespace millrace::kinesis
