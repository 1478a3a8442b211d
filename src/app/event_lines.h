// app/event_lines.h: log lines of what happens to requests, connections and commits. docs/operations.md,
// "Log"
#pragma once

#include <cstdint>

#include "api/event_log.h"
#include "app/line_limit.h"
#include "base/clock.h"
#include "net/server.h"

namespace millrace::app {

class EventLines final : public api::EventLog, public net::ConnectionLog {
 public:
  void refused(const api::Refused& event) override;
  void changed(const api::Changed& event) override;
  void cut_off(const api::CutOff& event) override;
  void handshake_failed(std::string_view peer, std::string_view reason) override;
  void no_room(std::string_view peer) override;
  void tls_refused(std::string_view peer) override;
  // Any thread.
  void slow_commit(std::int64_t took_ms);

 private:
  LineLimit faults_{10 * kNsPerS};
  LineLimit others_{10 * kNsPerS};
  LineLimit handshakes_{60 * kNsPerS};
  LineLimit tls_refusals_{300 * kNsPerS};
};

}  // namespace millrace::app
