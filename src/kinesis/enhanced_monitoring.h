// kinesis/enhanced_monitoring.h: what EnableEnhancedMonitoring and DisableEnhancedMonitoring have in common.
#pragma once

#include <string>
#include <vector>

#include "kinesis/call.h"
#include "kinesis/protocol.h"
#include "kinesis/stream_ref.h"

namespace millrace::kinesis {

struct EnhancedMonitoringRequest : StreamRef {
  std::vector<std::string> metrics;
};

// One metric, or "ALL" for each.
inline constexpr std::string_view kMetricNames[] = {"IncomingBytes",
                                                    "IncomingRecords",
                                                    "OutgoingBytes",
                                                    "OutgoingRecords",
                                                    "WriteProvisionedThroughputExceeded",
                                                    "ReadProvisionedThroughputExceeded",
                                                    "IteratorAgeMilliseconds",
                                                    "ALL"};

inline constexpr Field kEnhancedMonitoringFields[] = {
    stream_name<EnhancedMonitoringRequest>(),
    field<EnhancedMonitoringRequest, &EnhancedMonitoringRequest::metrics>(
        "ShardLevelMetrics",
        {.allowed = kMetricNames, .allowed_count = std::size(kMetricNames), .min = 1, .max = 7}),
    stream_arn<EnhancedMonitoringRequest>(),
    stream_id<EnhancedMonitoringRequest>(),
};

// Both operations, to their answer. `enable` false: they are disabled.
Task<Outcome> change_enhanced_monitoring(Call& call, EnhancedMonitoringRequest request, bool enable);

}  // namespace millrace::kinesis
