// source: AWS Kinesis API reference, ListShards; texts as recorded by kinesalite's tests

#include <algorithm>

#include "kinesis/operation.h"
#include "kinesis/page_token.h"
#include "kinesis/resource_writer.h"
#include "kinesis/shard_id.h"
#include "kinesis/shard_query.h"
#include "kinesis/start_position.h"
#include "kinesis/stream_ref.h"

namespace millrace::kinesis::list_shards {
namespace {

constexpr std::int32_t kShardsMax = 1'000;
constexpr std::string_view kFilterTypes[] = {"AFTER_SHARD_ID", "AT_TRIM_HORIZON", "FROM_TRIM_HORIZON",
                                             "AT_LATEST",      "AT_TIMESTAMP",    "FROM_TIMESTAMP"};

struct ShardFilter {
  std::string type;
  std::optional<std::string> shard_id;
  std::optional<Timestamp> timestamp;
  static std::span<const Field> fields() {
    static constexpr Field kFilterFields[] = {
        field<ShardFilter, &ShardFilter::type>(
            "Type", {.allowed = kFilterTypes, .allowed_count = std::size(kFilterTypes)}),
        field<ShardFilter, &ShardFilter::shard_id>("ShardId",
                                                   {.pattern = &kNamePattern, .min = 1, .max = 128}),
        field<ShardFilter, &ShardFilter::timestamp>("Timestamp"),
    };
    return kFilterFields;
  }
};

struct ListShardsRequest : StreamRef {
  std::optional<std::string> exclusive_start_shard_id;
  std::optional<std::int32_t> max_results;
  std::optional<std::string> next_token;
  std::optional<ShardFilter> filter;
  std::optional<Timestamp> created;

  Wanted access(Call& call) const;
};

constexpr Field kFields[] = {
    field<ListShardsRequest, &ListShardsRequest::exclusive_start_shard_id>(
        "ExclusiveStartShardId", {.pattern = &kNamePattern, .min = 1, .max = 128}),
    field<ListShardsRequest, &ListShardsRequest::max_results>("MaxResults", {.min = 1, .max = 10'000}),
    field<ListShardsRequest, &ListShardsRequest::next_token>("NextToken", {.min = 1, .max = 1'048'576}),
    field<ListShardsRequest, &ListShardsRequest::filter>("ShardFilter"),
    field<ListShardsRequest, &ListShardsRequest::created>("StreamCreationTimestamp"),
    optional_stream_name<ListShardsRequest>(),
    stream_arn<ListShardsRequest>(),
    stream_id<ListShardsRequest>(),
};

Outcome check_together(const ListShardsRequest& request) {
  const bool by_name = request.stream_name.has_value() || request.stream_arn.has_value();
  if (!request.next_token.has_value()) {
    if (!by_name) return invalid_argument("Either NextToken or StreamName should be provided.");
    return std::nullopt;
  }
  const auto together = [](const char* name) {
    return invalid_argument(std::string("NextToken and ") + name + " cannot be provided together.");
  };
  if (by_name) return together(request.stream_name.has_value() ? "StreamName" : "StreamARN");
  if (request.created.has_value()) return together("StreamCreationTimestamp");
  if (request.exclusive_start_shard_id.has_value()) return together("ExclusiveStartShardId");
  if (request.filter.has_value()) return together("ShardFilter");
  return std::nullopt;
}

Wanted ListShardsRequest::access(Call& call) const {
  if (Outcome wrong = check_together(*this); wrong.has_value()) return std::move(*wrong);
  if (!next_token.has_value()) return StreamRef::access(call);
  auto opened = open_list_shards_token(*next_token, call);
  if (auto* error = std::get_if<ApiError>(&opened); error != nullptr) return std::move(*error);
  return access_to(call, StreamPlace{std::get_if<ListShardsPlace>(&opened)->stream_name, call.account()});
}

std::variant<ShardQuery, ApiError> query_of(const ListShardsRequest& request, const broker::Stream& stream,
                                            const Call& call) {
  ShardQuery query;
  if (request.exclusive_start_shard_id.has_value()) {
    query.after = parse_shard_id(*request.exclusive_start_shard_id);
    if (!query.after.has_value())
      return invalid_argument("ExclusiveStartShardId " + *request.exclusive_start_shard_id + " is invalid.");
  }
  if (!request.filter.has_value()) return query;
  const ShardFilter& filter = *request.filter;
  const std::int64_t horizon_ms = trim_horizon_ms(stream, call.broker.clock());
  if (filter.type == "AFTER_SHARD_ID") {
    if (!filter.shard_id.has_value())
      return invalid_argument("ShardFilter of type AFTER_SHARD_ID must specify a ShardId.");
    const auto after = parse_shard_id(*filter.shard_id);
    if (!after.has_value())
      return invalid_argument("ShardId " + *filter.shard_id + " of ShardFilter is invalid.");
    query.after = std::max(query.after.value_or(0), *after);
    return query;
  }
  if (filter.type == "AT_LATEST") {
    query.which = ShardQuery::Which::kOpen;
    return query;
  }
  const bool at = filter.type.starts_with("AT_");
  query.which = at ? ShardQuery::Which::kAt : ShardQuery::Which::kFrom;
  query.time_ms = horizon_ms;
  if (filter.type.ends_with("_TIMESTAMP")) {
    if (!filter.timestamp.has_value())
      return invalid_argument("ShardFilter of type " + filter.type + " must specify a Timestamp.");
    if (Outcome wrong = check_not_to_come(*filter.timestamp, call); wrong.has_value())
      return std::move(*wrong);
    query.time_ms = std::max(horizon_ms, filter.timestamp->ms());  // what is older is taken for the horizon
  }
  return query;
}

Outcome answer(Call& call, const broker::Stream& stream, ShardQuery query, const ListShardsRequest& request) {
  const auto count_max =
      static_cast<std::size_t>(std::min(request.max_results.value_or(kShardsMax), kShardsMax));
  const ShardPage page = select_shards(stream, query, count_max);
  Writer& writer = call.reply;
  writer.begin_object();
  writer.key("Shards");
  writer.begin_list();
  for (const broker::Shard* shard : page.shards) write_shard(*shard, writer);
  writer.end_list();
  if (page.has_more) {
    query.after = page.shards.back()->index;
    writer.member("NextToken", list_shards_token({stream.name, stream.id, query}, call));
  }
  writer.end_object();
  return std::nullopt;
}

Outcome answer_next_page(Call& call, const ListShardsRequest& request) {
  auto opened = open_list_shards_token(*request.next_token, call);
  if (auto* error = std::get_if<ApiError>(&opened); error != nullptr) return std::move(*error);
  const ListShardsPlace& place = *std::get_if<ListShardsPlace>(&opened);
  const auto stream = call.broker.catalog()->find(place.stream_name);
  if (stream == nullptr || stream->id != place.stream_id)
    return stream_not_found({place.stream_name, call.account()});
  return answer(call, *stream, place.query, request);
}

Task<Outcome> run(Call& call, ListShardsRequest request) {
  if (request.next_token.has_value()) co_return answer_next_page(call, request);

  auto result = find_stream(call, request);
  if (auto* error = std::get_if<ApiError>(&result); error != nullptr) co_return std::move(*error);
  const FoundStream& found = *std::get_if<FoundStream>(&result);
  // Tells a stream from one that had its name before.
  if (request.created.has_value() && request.created->ms() / 1'000 != found.stream->created_ms / 1'000)
    co_return stream_not_found(found.place);
  auto query = query_of(request, *found.stream, call);
  if (auto* error = std::get_if<ApiError>(&query); error != nullptr) co_return std::move(*error);
  co_return answer(call, *found.stream, *std::get_if<ShardQuery>(&query), request);
}

}  // namespace

extern const Operation kListShards;
const Operation kListShards = operation<ListShardsRequest, kFields, run>("ListShards");

}  // namespace millrace::kinesis::list_shards
