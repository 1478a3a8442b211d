#include "kinesis/enhanced_monitoring.h"

#include <algorithm>

namespace millrace::kinesis {
namespace {

void write_metrics(std::string_view name, const std::vector<std::string>& metrics, Writer& writer) {
  writer.key(name);
  writer.begin_list();
  for (const std::string& metric : metrics) writer.text(metric);
  writer.end_list();
}

}  // namespace

Task<Outcome> change_enhanced_monitoring(Call& call, EnhancedMonitoringRequest request, bool enable) {
  auto result = find_stream(call, request);
  if (auto* error = std::get_if<ApiError>(&result); error != nullptr) co_return std::move(*error);
  const FoundStream& found = *std::get_if<FoundStream>(&result);
  if (found.stream->status != broker::StreamStatus::kActive)
    co_return not_active(found.place, found.stream->status);

  if (std::find(request.metrics.begin(), request.metrics.end(), "ALL") != request.metrics.end())
    request.metrics.assign(std::begin(broker::kShardMetrics), std::end(broker::kShardMetrics));
  broker::StreamSettings settings;
  (enable ? settings.enabled_metrics : settings.disabled_metrics) = std::move(request.metrics);
  const std::vector<std::string> after = broker::change_metrics(
      found.stream->shard_metrics, settings.enabled_metrics, settings.disabled_metrics);
  Task<Result<void>> configuring = call.broker.configure_stream(found.place.name, std::move(settings));
  auto configured = co_await std::move(configuring);
  if (!configured.ok()) co_return command_failed(configured.error(), found.place);

  Writer& writer = call.reply;
  writer.begin_object();
  writer.member("StreamName", found.place.name);
  write_metrics("CurrentShardLevelMetrics", found.stream->shard_metrics, writer);
  write_metrics("DesiredShardLevelMetrics", after, writer);
  writer.member("StreamARN", arn_of(call, found.place.name));
  writer.end_object();
  co_return std::nullopt;
}

}  // namespace millrace::kinesis
