// kinesis/account_settings.h: the account's settings as answers show them.
#pragma once

#include <cstdint>
#include <optional>

#include "broker/catalog.h"
#include "kinesis/protocol.h"

namespace millrace::kinesis {

inline constexpr std::int64_t kCommitmentMsMin = 24 * 3'600'000;  // how long one lasts at least

// {"MinimumThroughputBillingCommitment":{"Status":…}}
inline void write_account_settings(const std::optional<broker::BillingCommitment>& commitment,
                                   std::int64_t now_ms, Writer& writer) {
  writer.begin_object();
  writer.key("MinimumThroughputBillingCommitment");
  writer.begin_object();
  const auto time = [&writer](std::string_view name, std::int64_t ms) {
    writer.key(name);
    writer.timestamp(ms);
  };
  if (!commitment.has_value()) {
    writer.member("Status", "DISABLED");
  } else {
    const bool ended = commitment->ends_ms.has_value() && *commitment->ends_ms <= now_ms;
    writer.member("Status", ended                             ? "DISABLED"
                            : commitment->ends_ms.has_value() ? "ENABLED_UNTIL_EARLIEST_ALLOWED_END"
                                                              : "ENABLED");
    time("StartedAt", commitment->started_ms);
    if (ended) {
      time("EndedAt", *commitment->ends_ms);
    } else {
      time("EarliestAllowedEndAt", commitment->started_ms + kCommitmentMsMin);
    }
  }
  writer.end_object();
  writer.end_object();
}

}  // namespace millrace::kinesis
