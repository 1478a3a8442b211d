#include "app/event_lines.h"

#include <array>
#include <string>
#include <utility>

#include "app/json_log.h"

namespace millrace::app {
namespace {

std::int64_t now_ns() { return system_clock().monotonic_ns(); }

// Operations that people look for in a log, in words.
constexpr std::array<std::pair<std::string_view, std::string_view>, 13> kChanges = {{
    {"CreateStream", "stream created"},
    {"DeleteStream", "stream deleted"},
    {"SplitShard", "stream resharded"},
    {"MergeShards", "stream resharded"},
    {"UpdateShardCount", "stream resharded"},
    {"RegisterStreamConsumer", "consumer registered"},
    {"DeregisterStreamConsumer", "consumer deregistered"},
    {"DisableKey", "key disabled"},
    {"EnableKey", "key enabled"},
    {"DeleteKey", "key deleted"},
    {"CreateKey", "key created"},
    {"ScheduleKeyDeletion", "key scheduled for deletion"},
    {"CancelKeyDeletion", "key deletion canceled"},
}};

std::string_view message_of(std::string_view operation) {
  for (const auto& [name, message] : kChanges)
    if (name == operation) return message;
  return "changed";
}

std::string_view arn_of(const identity::Caller* caller) {
  return caller == nullptr || caller->principal == nullptr ? std::string_view{} : caller->principal->arn;
}

// The key that a caller has shown to have, or else the one that the request names.
std::string key_of(const net::Request& request, const identity::Caller* caller) {
  if (caller != nullptr && !caller->access_key.empty()) return caller->access_key;
  return identity::claimed_key(request.target, request.headers);
}

}  // namespace

void EventLines::refused(const api::Refused& event) {
  constexpr int kFault = 500;
  const bool fault = event.status >= kFault;
  if (!fault && !logs(LogLevel::kDebug)) return;
  std::int64_t suppressed = 0;
  if (fault) {
    const auto written =
        faults_.may_write(std::string(event.operation).append(" ").append(event.code), now_ns());
    if (!written.has_value()) return;
    suppressed = *written;
  }
  const std::string key = key_of(event.request, event.caller);
  log_line(fault ? LogLevel::kWarn : LogLevel::kDebug,
           fault ? "a request was answered with a fault" : "refused",
           {{"operation", event.operation},
            {"code", event.code},
            {"status", event.status},
            {"error", event.message},
            {"principal", arn_of(event.caller)},
            {"access_key", key},
            {"peer", event.request.peer},
            {"suppressed", suppressed}});
}

void EventLines::changed(const api::Changed& event) {
  const std::string key = key_of(event.request, &event.caller);
  log_line(LogLevel::kInfo, message_of(event.operation),
           {{"operation", event.operation},
            {"resource", event.resource},
            {"principal", arn_of(&event.caller)},
            {"access_key", key},
            {"peer", event.request.peer}});
}

void EventLines::cut_off(const api::CutOff& event) {
  const auto suppressed = others_.may_write(std::string("cut off ").append(event.code), now_ns());
  if (!suppressed.has_value()) return;
  log_line(LogLevel::kInfo, "a consumer was cut off",
           {{"stream", event.stream},
            {"consumer", event.consumer},
            {"shard", event.shard},
            {"code", event.code},
            {"error", event.message},
            {"suppressed", *suppressed}});
}

void EventLines::slow_commit(std::int64_t took_ms) {
  const auto suppressed = others_.may_write("slow commit", now_ns());
  if (!suppressed.has_value()) return;
  log_line(LogLevel::kWarn, "a commit was slow: look at the disk",
           {{"ms", took_ms}, {"suppressed", *suppressed}});
}

void EventLines::handshake_failed(std::string_view peer, std::string_view reason) {
  const auto suppressed = handshakes_.may_write("", now_ns());
  log_line(suppressed.has_value() ? LogLevel::kWarn : LogLevel::kDebug, "a TLS handshake failed",
           {{"peer", peer}, {"error", reason}, {"suppressed", suppressed.value_or(0)}});
}

void EventLines::no_room(std::string_view peer) {
  const auto suppressed = faults_.may_write("no room", now_ns());
  if (!suppressed.has_value()) return;
  log_line(LogLevel::kWarn, "requests are answered with 503: --buffered-bytes-max is in use",
           {{"peer", peer}, {"suppressed", *suppressed}});
}

void EventLines::tls_refused(std::string_view peer) {
  const auto suppressed = tls_refusals_.may_write("", now_ns());
  if (!suppressed.has_value()) return;
  log_line(
      LogLevel::kWarn,
      "a client speaks TLS, and this server has no certificate: let the client use http://, or start the "
      "server with --tls-cert and --tls-key",
      {{"peer", peer}, {"suppressed", *suppressed}});
}

}  // namespace millrace::app
