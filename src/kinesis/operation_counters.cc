#include "kinesis/operation_counters.h"

#include <algorithm>

#include "base/assert.h"
#include "kinesis/operation.h"

namespace millrace::kinesis {
namespace {

// One writer, so no locked instruction is needed.
void add(std::atomic<std::uint64_t>& counter, std::uint64_t more) {
  counter.store(counter.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
}

std::uint64_t read(const std::atomic<std::uint64_t>& counter) {
  return counter.load(std::memory_order_relaxed);
}

}  // namespace

OperationCounters::OperationCounters() : counts_(all_operations().size() + 1) {}

void OperationCounters::count(std::size_t operation, std::string_view error_type, std::int64_t latency_us) {
  MR_ASSERT(operation < counts_.size());
  Counts& counts = counts_[operation];
  add(counts.requests, 1);
  if (!error_type.empty()) {
    const auto known = std::find(kErrorTypes.begin(), kErrorTypes.end() - 1, error_type);
    add(counts.errors[static_cast<std::size_t>(known - kErrorTypes.begin())], 1);
  }
  counts.latency.count(latency_us);
}

void OperationCounters::add_to(std::vector<OperationStats>& sum) const {
  MR_ASSERT(sum.size() == counts_.size());
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    const Counts& counts = counts_[i];
    sum[i].requests += read(counts.requests);
    for (std::size_t j = 0; j < counts.errors.size(); ++j) sum[i].errors[j] += read(counts.errors[j]);
    counts.latency.add_to(sum[i].latency);
  }
}

}  // namespace millrace::kinesis
