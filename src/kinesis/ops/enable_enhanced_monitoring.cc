// source: comments of @aws-sdk/client-kinesis, EnableEnhancedMonitoring

#include "kinesis/enhanced_monitoring.h"
#include "kinesis/operation.h"

namespace millrace::kinesis::enable_enhanced_monitoring {
namespace {

Task<Outcome> run(Call& call, EnhancedMonitoringRequest request) {
  Task<Outcome> changing = change_enhanced_monitoring(call, std::move(request), true);
  Outcome outcome = co_await std::move(changing);
  co_return outcome;
}

}  // namespace

extern const Operation kEnableEnhancedMonitoring;
const Operation kEnableEnhancedMonitoring =
    operation<EnhancedMonitoringRequest, kEnhancedMonitoringFields, run>("EnableEnhancedMonitoring");

}  // namespace millrace::kinesis::enable_enhanced_monitoring
