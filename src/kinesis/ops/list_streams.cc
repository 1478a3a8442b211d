// source: AWS Kinesis API reference, ListStreams

#include <algorithm>

#include "kinesis/operation.h"
#include "kinesis/page_token.h"
#include "kinesis/resource_writer.h"
#include "kinesis/stream_ref.h"

namespace millrace::kinesis::list_streams {
namespace {

constexpr std::int32_t kStreamsMax = 100;

struct ListStreamsRequest : OnAccount {
  std::optional<std::int32_t> limit;
  std::optional<std::string> exclusive_start_stream_name;
  std::optional<std::string> next_token;
};

constexpr Field kFields[] = {
    field<ListStreamsRequest, &ListStreamsRequest::limit>("Limit", {.min = 1, .max = 10'000}),
    field<ListStreamsRequest, &ListStreamsRequest::exclusive_start_stream_name>(
        "ExclusiveStartStreamName", {.pattern = &kNamePattern, .min = 1, .max = 128}),
    field<ListStreamsRequest, &ListStreamsRequest::next_token>("NextToken", {.min = 1, .max = 1'048'576}),
};

Task<Outcome> run(Call& call, ListStreamsRequest request) {
  std::string after = request.exclusive_start_stream_name.value_or("");
  if (request.next_token.has_value()) {
    auto token = open_list_streams_token(*request.next_token, call);
    if (auto* error = std::get_if<ApiError>(&token); error != nullptr) co_return std::move(*error);
    after = std::move(*std::get_if<std::string>(&token));
  }
  const auto catalog = call.broker.catalog();
  const auto begin = after.empty() ? catalog->streams.begin() : catalog->streams.upper_bound(after);
  auto end = begin;
  for (int left = std::min(request.limit.value_or(kStreamsMax), kStreamsMax);
       left > 0 && end != catalog->streams.end(); --left)
    ++end;
  const bool has_more = end != catalog->streams.end();

  Writer& writer = call.reply;
  writer.begin_object();
  writer.key("StreamNames");
  writer.begin_list();
  for (auto stream = begin; stream != end; ++stream) writer.text(stream->first);
  writer.end_list();
  writer.member("HasMoreStreams", has_more);
  writer.key("StreamSummaries");
  writer.begin_list();
  for (auto stream = begin; stream != end; ++stream) {
    writer.begin_object();
    write_stream_head(call, *stream->second, writer);
    writer.end_object();
  }
  writer.end_list();
  if (has_more) writer.member("NextToken", list_streams_token(std::prev(end)->first, call));
  writer.end_object();
  co_return std::nullopt;
}

}  // namespace

extern const Operation kListStreams;
const Operation kListStreams = operation<ListStreamsRequest, kFields, run>("ListStreams");

}  // namespace millrace::kinesis::list_streams
