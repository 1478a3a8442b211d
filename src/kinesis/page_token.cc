#include "kinesis/page_token.h"

#include <fmt/format.h>

#include "kinesis/shard_iterator.h"
#include "kinesis/token_fields.h"

namespace millrace::kinesis {
namespace {

ApiError invalid_token() { return invalid_argument("NextToken is invalid."); }

Outcome check_age(std::int64_t issued_ms, const Call& call) {
  const std::int64_t now_ms = call.clock.wall_ms();
  if (now_ms - issued_ms <= kTokenLifeMs) return std::nullopt;
  return ApiError{
      "ExpiredNextTokenException",
      fmt::format("NextToken expired. It was created at time {} while right now it is {} which is further "
                  "in the future than the tolerated delay of {} milliseconds.",
                  utc_text(issued_ms), utc_text(now_ms), kTokenLifeMs)};
}

}  // namespace

std::string list_shards_token(const ListShardsPlace& place, Call& call) {
  TokenFieldsOut fields;
  fields.integer(static_cast<std::uint64_t>(call.clock.wall_ms()))
      .integer(place.stream_id)
      .integer(static_cast<std::uint64_t>(place.query.which))
      .integer(static_cast<std::uint64_t>(place.query.time_ms))
      .integer(place.query.after.value_or(0))
      .text(place.stream_name);
  return call.loop.seal.seal(TokenKind::kListShards, fields.view(), 1, call.loop.random);
}

std::variant<ListShardsPlace, ApiError> open_list_shards_token(std::string_view token, Call& call) {
  const auto plain = call.loop.seal.open(TokenKind::kListShards, token);
  if (!plain.has_value()) return invalid_token();
  TokenFieldsIn fields(plain->view());
  const auto issued_ms = static_cast<std::int64_t>(fields.integer());
  ListShardsPlace place;
  place.stream_id = fields.integer();
  place.query.which = static_cast<ShardQuery::Which>(fields.integer());
  place.query.time_ms = static_cast<std::int64_t>(fields.integer());
  place.query.after = static_cast<std::uint32_t>(fields.integer());
  place.stream_name = fields.text();
  if (!fields.at_end()) return invalid_token();
  if (Outcome old = check_age(issued_ms, call); old.has_value()) return std::move(*old);
  return place;
}

std::string list_streams_token(std::string_view after, Call& call) {
  TokenFieldsOut fields;
  fields.integer(static_cast<std::uint64_t>(call.clock.wall_ms())).text(after);
  return call.loop.seal.seal(TokenKind::kListStreams, fields.view(), 1, call.loop.random);
}

std::variant<std::string, ApiError> open_list_streams_token(std::string_view token, Call& call) {
  const auto plain = call.loop.seal.open(TokenKind::kListStreams, token);
  if (!plain.has_value()) return invalid_token();
  TokenFieldsIn fields(plain->view());
  const auto issued_ms = static_cast<std::int64_t>(fields.integer());
  std::string after = fields.text();
  if (!fields.at_end()) return invalid_token();
  if (Outcome old = check_age(issued_ms, call); old.has_value()) return std::move(*old);
  return after;
}

std::string list_consumers_token(const ListConsumersPlace& place, Call& call) {
  TokenFieldsOut fields;
  fields.integer(static_cast<std::uint64_t>(call.clock.wall_ms())).integer(place.stream_id).text(place.after);
  return call.loop.seal.seal(TokenKind::kListConsumers, fields.view(), 1, call.loop.random);
}

std::variant<ListConsumersPlace, ApiError> open_list_consumers_token(std::string_view token, Call& call) {
  const auto plain = call.loop.seal.open(TokenKind::kListConsumers, token);
  if (!plain.has_value()) return invalid_token();
  TokenFieldsIn fields(plain->view());
  const auto issued_ms = static_cast<std::int64_t>(fields.integer());
  ListConsumersPlace place;
  place.stream_id = fields.integer();
  place.after = fields.text();
  if (!fields.at_end()) return invalid_token();
  if (Outcome old = check_age(issued_ms, call); old.has_value()) return std::move(*old);
  return place;
}

}  // namespace millrace::kinesis
