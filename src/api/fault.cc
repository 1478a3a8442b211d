#include "api/fault.h"

#include <atomic>

namespace millrace::api {
namespace {

std::atomic<FaultLog> fault_log{nullptr};

}  // namespace

void log_faults_with(FaultLog log) { fault_log.store(log, std::memory_order_release); }

bool is_fault(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kUnavailable:
    case ErrorKind::kUnknown:
    case ErrorKind::kFenced:
    case ErrorKind::kCorrupt:
      return true;
    case ErrorKind::kInvalid:
    case ErrorKind::kNotFound:
    case ErrorKind::kConflict:
    case ErrorKind::kLimit:
    case ErrorKind::kThrottled:
    case ErrorKind::kKeyNotFound:
    case ErrorKind::kKeyDisabled:
    case ErrorKind::kKeyInvalidState:
    case ErrorKind::kKeyDenied:
    case ErrorKind::kKeyOptIn:
    case ErrorKind::kKeyThrottled:
      return false;
  }
  MR_ASSERT(false);
  __builtin_unreachable();
}

std::string fault_text(const Error& fault) {
  const FaultLog log = fault_log.load(std::memory_order_acquire);
  if (log == nullptr) return "Internal service failure.";
  return "Internal service failure. The server's log has the reason under the id " + log(fault) + ".";
}

std::string text_for_client(const Error& error) {
  return is_fault(error.kind) ? fault_text(error) : error.text;
}

}  // namespace millrace::api
