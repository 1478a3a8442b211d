// source: AWS Kinesis API reference, ListStreamConsumers

#include <algorithm>

#include "kinesis/consumer_ref.h"
#include "kinesis/operation.h"
#include "kinesis/page_token.h"

namespace millrace::kinesis::list_stream_consumers {
namespace {

constexpr std::int32_t kConsumersMax = 100;

struct ListStreamConsumersRequest {
  std::string stream_arn;
  std::optional<std::string> next_token;
  std::optional<std::int32_t> max_results;
  std::optional<Timestamp> created;
  std::optional<std::string> stream_id;

  Wanted access(Call& call) const { return access_to_resource(call, stream_arn); }
};

constexpr Field kFields[] = {
    stream_arn<ListStreamConsumersRequest>(),
    field<ListStreamConsumersRequest, &ListStreamConsumersRequest::next_token>("NextToken",
                                                                               {.min = 1, .max = 1'048'576}),
    field<ListStreamConsumersRequest, &ListStreamConsumersRequest::max_results>("MaxResults",
                                                                                {.min = 1, .max = 10'000}),
    field<ListStreamConsumersRequest, &ListStreamConsumersRequest::created>("StreamCreationTimestamp"),
    stream_id<ListStreamConsumersRequest>(),
};

Task<Outcome> run(Call& call, ListStreamConsumersRequest request) {
  if (request.next_token.has_value() && request.created.has_value())
    co_return invalid_argument("NextToken and StreamCreationTimestamp cannot be provided together.");
  std::optional<ListConsumersPlace> page;
  if (request.next_token.has_value()) {
    auto token = open_list_consumers_token(*request.next_token, call);
    if (auto* error = std::get_if<ApiError>(&token); error != nullptr) co_return std::move(*error);
    page = std::move(*std::get_if<ListConsumersPlace>(&token));
  }
  auto result = find_resource(call, request.stream_arn);
  if (auto* error = std::get_if<ApiError>(&result); error != nullptr) co_return std::move(*error);
  const FoundStream& found = *std::get_if<FoundStream>(&result);
  const broker::Stream& stream = *found.stream;
  // Tells a stream from one that had its name before.
  const bool other_time =
      request.created.has_value() && request.created->ms() / 1'000 != stream.created_ms / 1'000;
  if (other_time || (page.has_value() && page->stream_id != stream.id))
    co_return stream_not_found(found.place);

  const auto begin = page.has_value() ? stream.consumers.upper_bound(page->after) : stream.consumers.begin();
  auto end = begin;
  for (int left = std::min(request.max_results.value_or(kConsumersMax), kConsumersMax);
       left > 0 && end != stream.consumers.end(); --left)
    ++end;
  Writer& writer = call.reply;
  writer.begin_object();
  writer.key("Consumers");
  writer.begin_list();
  for (auto consumer = begin; consumer != end; ++consumer) {
    writer.begin_object();
    write_consumer(call, stream, consumer->second, writer);
    writer.end_object();
  }
  writer.end_list();
  if (end != stream.consumers.end())
    writer.member("NextToken", list_consumers_token({stream.id, std::prev(end)->first}, call));
  writer.end_object();
  co_return std::nullopt;
}

}  // namespace

extern const Operation kListStreamConsumers;
const Operation kListStreamConsumers =
    operation<ListStreamConsumersRequest, kFields, run>("ListStreamConsumers");

}  // namespace millrace::kinesis::list_stream_consumers
