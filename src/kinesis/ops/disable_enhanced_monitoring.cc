// source: comments of @aws-sdk/client-kinesis, DisableEnhancedMonitoring

#include "kinesis/enhanced_monitoring.h"
#include "kinesis/operation.h"

namespace millrace::kinesis::disable_enhanced_monitoring {
namespace {

Task<Outcome> run(Call& call, EnhancedMonitoringRequest request) {
  Task<Outcome> changing = change_enhanced_monitoring(call, std::move(request), false);
  Outcome outcome = co_await std::move(changing);
  co_return outcome;
}

}  // namespace

extern const Operation kDisableEnhancedMonitoring;
const Operation kDisableEnhancedMonitoring =
    operation<EnhancedMonitoringRequest, kEnhancedMonitoringFields, run>("DisableEnhancedMonitoring");

}  // namespace millrace::kinesis::disable_enhanced_monitoring
