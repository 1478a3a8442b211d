#include "api/event_log.h"

#include <algorithm>
#include <array>
#include <atomic>

namespace millrace::api {
namespace {

std::atomic<EventLog*> event_log{nullptr};

constexpr std::array<std::string_view, 9> kNoChanges = {
    "Describe", "List", "Get", "Subscribe", "PutRecord", "Generate", "Encrypt", "Decrypt", "ReEncrypt"};

bool is_change(std::string_view operation) {
  return std::none_of(kNoChanges.begin(), kNoChanges.end(),
                      [&](std::string_view begin) { return operation.starts_with(begin); });
}

}  // namespace

void tell_events_to(EventLog* log) { event_log.store(log, std::memory_order_release); }

void tell(const Refused& event) {
  if (EventLog* const log = event_log.load(std::memory_order_acquire)) log->refused(event);
}
void tell(const Changed& event) {
  if (!is_change(event.operation)) return;
  if (EventLog* const log = event_log.load(std::memory_order_acquire)) log->changed(event);
}
void tell(const CutOff& event) {
  if (EventLog* const log = event_log.load(std::memory_order_acquire)) log->cut_off(event);
}

}  // namespace millrace::api
