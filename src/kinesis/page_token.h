// kinesis/page_token.h: where a list goes on, as the opaque NextToken that clients bring back within 5
// minutes.
#pragma once

#include <string>
#include <variant>

#include "kinesis/call.h"
#include "kinesis/protocol.h"
#include "kinesis/shard_query.h"

namespace millrace::kinesis {

struct ListShardsPlace {
  std::string stream_name;
  std::uint64_t stream_id;
  ShardQuery query;
};

std::string list_shards_token(const ListShardsPlace& place, Call& call);
// errors   InvalidArgumentException: no such token.  ExpiredNextTokenException
std::variant<ListShardsPlace, ApiError> open_list_shards_token(std::string_view token, Call& call);

// after    the name of the last stream that was listed
std::string list_streams_token(std::string_view after, Call& call);
std::variant<std::string, ApiError> open_list_streams_token(std::string_view token, Call& call);

// after    the name of the last consumer that was listed
struct ListConsumersPlace {
  std::uint64_t stream_id;
  std::string after;
};
std::string list_consumers_token(const ListConsumersPlace& place, Call& call);
std::variant<ListConsumersPlace, ApiError> open_list_consumers_token(std::string_view token, Call& call);

}  // namespace millrace::kinesis
