// source: AWS Kinesis API reference, DescribeStreamSummary

#include "kinesis/operation.h"
#include "kinesis/resource_writer.h"
#include "kinesis/stream_ref.h"
#include "kinesis/stream_settings.h"

namespace millrace::kinesis::describe_stream_summary {
namespace {

struct DescribeStreamSummaryRequest : StreamRef {};

constexpr Field kFields[] = {
    stream_name<DescribeStreamSummaryRequest>(),
    stream_arn<DescribeStreamSummaryRequest>(),
    stream_id<DescribeStreamSummaryRequest>(),
};

Task<Outcome> run(Call& call, DescribeStreamSummaryRequest request) {
  auto result = find_stream(call, request);
  if (auto* error = std::get_if<ApiError>(&result); error != nullptr) co_return std::move(*error);
  const broker::Stream& stream = *std::get_if<FoundStream>(&result)->stream;

  Writer& writer = call.reply;
  writer.begin_object();
  writer.key("StreamDescriptionSummary");
  writer.begin_object();
  write_stream_head(call, stream, writer);
  write_stream_settings(stream, writer);
  const bool creating = stream.status == broker::StreamStatus::kCreating;
  writer.member("OpenShardCount", creating ? 0 : static_cast<std::int64_t>(stream.open_shards.size()));
  writer.member("ConsumerCount", static_cast<std::int64_t>(stream.consumers.size()));
  // As the service does it, only where the account pays for it or the stream was given it.
  if (stream.on_demand &&
      (stream.warm_throughput_mibps != 0 || is_committed(*call.broker.catalog(), call.clock.wall_ms()))) {
    const auto open = static_cast<std::int64_t>(stream.open_shards.size());
    writer.key("WarmThroughput");
    write_warm_throughput(stream, stream.warm_throughput_mibps != 0 ? stream.warm_throughput_mibps : open,
                          writer);
  }
  writer.member("MaxRecordSizeInKiB", max_record_bytes(call, stream) / 1'024);
  writer.member("ChannelCount", std::int64_t{0});
  writer.member("QueueCount", std::int64_t{0});
  if (stream.on_demand)
    writer.member("RecordDistributionStrategy", stream.auto_distribution ? "AUTO" : "USER_PARTITION_KEY");
  writer.end_object();
  writer.end_object();
  co_return std::nullopt;
}

}  // namespace

extern const Operation kDescribeStreamSummary;
const Operation kDescribeStreamSummary =
    operation<DescribeStreamSummaryRequest, kFields, run>("DescribeStreamSummary");

}  // namespace millrace::kinesis::describe_stream_summary
