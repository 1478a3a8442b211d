// source: AWS Kinesis API reference, GetShardIterator; texts as recorded by kinesalite's tests

#include <fmt/format.h>

#include "broker/sequence_number.h"
#include "kinesis/dry_run.h"
#include "kinesis/operation.h"
#include "kinesis/resource_writer.h"
#include "kinesis/shard_id.h"
#include "kinesis/shard_iterator.h"
#include "kinesis/stream_ref.h"

namespace millrace::kinesis {
namespace {

constexpr std::string_view kTypes[] = {"AFTER_SEQUENCE_NUMBER", "LATEST", "AT_TIMESTAMP",
                                       "AT_SEQUENCE_NUMBER", "TRIM_HORIZON"};

struct GetShardIteratorRequest : StreamRef {
  std::string shard;
  std::string type;
  std::optional<std::string> starting_sequence_number;
  std::optional<Timestamp> timestamp;
  std::optional<bool> dry_run;
};

constexpr Field kFields[] = {
    field<GetShardIteratorRequest, &GetShardIteratorRequest::shard>(
        "ShardId", {.pattern = &kNamePattern, .min = 1, .max = 128}),
    field<GetShardIteratorRequest, &GetShardIteratorRequest::type>(
        "ShardIteratorType", {.allowed = kTypes, .allowed_count = std::size(kTypes)}),
    field<GetShardIteratorRequest, &GetShardIteratorRequest::starting_sequence_number>(
        "StartingSequenceNumber", {.pattern = &kSequencePattern}),
    stream_name<GetShardIteratorRequest>(),
    field<GetShardIteratorRequest, &GetShardIteratorRequest::timestamp>("Timestamp"),
    stream_arn<GetShardIteratorRequest>(),
    stream_id<GetShardIteratorRequest>(),
    dry_run<GetShardIteratorRequest>(),
};

using Offset = std::variant<std::uint64_t, ApiError>;

ApiError type_needs(const GetShardIteratorRequest& request, std::string_view specified) {
  return invalid_argument(fmt::format(
      "Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and StartingSequenceNumber or (2) "
      "TRIM_HORIZON or LATEST and no StartingSequenceNumber. Request specified {} and {} "
      "StartingSequenceNumber.",
      request.type, specified));
}

ApiError number_invalid(const std::string& number, const broker::Shard& shard, const StreamPlace& place,
                        std::string_view why) {
  return invalid_argument(fmt::format(
      "StartingSequenceNumber {} used in GetShardIterator on shard {} in stream {} under account {} is "
      "invalid{}.",
      number, shard_id(shard.index), place.name, place.account, why));
}

// As the service shows it: above 2^31 the index counts as negative.
std::string encoded_shard_id(std::uint32_t index) {
  return index <= 0x7fff'ffff ? shard_id(index) : fmt::format("shardId--{:011}", index);
}

// end_offset   of the shard, as it is now
Offset offset_of_number(const GetShardIteratorRequest& request, const broker::Shard& shard,
                        const StreamPlace& place, std::uint64_t end_offset) {
  const std::string& text = *request.starting_sequence_number;
  const auto number = broker::parse_sequence_number(text);
  if (!number.ok()) return number_invalid(text, shard, place, "");
  if (number->shard_index != shard.index) {
    return invalid_argument(fmt::format(
        "Invalid StartingSequenceNumber. It encodes {}, while it was used in a call to a shard with {}",
        encoded_shard_id(number->shard_index), shard_id(shard.index)));
  }
  constexpr std::size_t kOldDigitsMax = 39;  // version 0, of the service's first year: it fails over them
  if (text.size() <= kOldDigitsMax) return internal_failure();
  const bool at_end = number->ordinal == broker::kOrdinalMax && !shard.open();
  const std::uint64_t at = number->ordinal == 0 ? 0 : number->ordinal - 1;
  // One that this layout would not write, of another shard's life, or of a record that is not there.
  if (number->shard_created_s != shard.created_s || broker::to_string(*number) != text ||
      (!at_end && at > end_offset))
    return number_invalid(text, shard, place, " because it did not come from this stream");
  if (at_end) return end_offset;
  return request.type == "AT_SEQUENCE_NUMBER" ? at : std::min(number->ordinal, end_offset);
}

Outcome check_timestamp(const GetShardIteratorRequest& request, std::int64_t now_ms) {
  if (!request.timestamp.has_value())
    return invalid_argument(
        "Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP. Current request has no "
        "timestamp "
        "parameter.");
  if (request.timestamp->ms() <= now_ms) return std::nullopt;
  return invalid_argument(
      fmt::format("The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. "
                  "timestampInMillis: {}, currentTimestampInMillis: {}",
                  request.timestamp->ms(), now_ms));
}

Outcome check_together(const GetShardIteratorRequest& request) {
  const bool by_number = request.type.ends_with("_SEQUENCE_NUMBER");
  if (by_number && !request.starting_sequence_number.has_value()) return type_needs(request, "no");
  if (!by_number && request.starting_sequence_number.has_value()) return type_needs(request, "also a");
  return std::nullopt;
}

Task<Offset> find_offset(Call& call, const GetShardIteratorRequest& request, const broker::Shard& shard,
                         const StreamPlace& place) {
  if (Outcome wrong = check_together(request); wrong.has_value()) co_return std::move(*wrong);
  if (request.type == "TRIM_HORIZON") co_return std::uint64_t{0};
  if (request.type == "AT_TIMESTAMP") {
    if (Outcome wrong = check_timestamp(request, call.clock.wall_ms()); wrong.has_value())
      co_return std::move(*wrong);
    Task<Result<std::uint64_t>> searching = call.broker.offset_at_time(shard, request.timestamp->ms());
    auto offset = co_await std::move(searching);
    if (offset.ok()) co_return *offset;
    if (offset.error().kind == ErrorKind::kNotFound) co_return shard_absent(shard_id(shard.index), place);
    co_return data_failed(offset.error());
  }
  Task<Result<log::Extent>> asking = call.broker.extent(shard);
  auto extent = co_await std::move(asking);
  if (!extent.ok() && extent.error().kind == ErrorKind::kNotFound)
    co_return shard_absent(shard_id(shard.index), place);
  if (!extent.ok()) co_return data_failed(extent.error());
  if (request.type == "LATEST") co_return extent->end_offset;
  co_return offset_of_number(request, shard, place, extent->end_offset);
}

Task<Outcome> run(Call& call, GetShardIteratorRequest request) {
  auto placed = place_of(call, request);
  if (auto* error = std::get_if<ApiError>(&placed); error != nullptr) co_return std::move(*error);
  const StreamPlace& place = *std::get_if<StreamPlace>(&placed);
  const auto index = parse_shard_id(request.shard);
  if (!index.has_value()) co_return shard_not_found(request.shard, place);
  const auto stream = look_up(call, place);
  const broker::Shard* shard = nullptr;
  if (stream != nullptr && !visible_shards(*stream).empty()) shard = stream->find(*index);
  if (shard == nullptr) co_return shard_absent(shard_id(*index), place);

  if (!request.dry_run.value_or(false)) {
    if (Outcome often = check_iterator_rate(call, shard_id(*index), place); often.has_value())
      co_return often;
  }
  Task<Offset> finding = find_offset(call, request, *shard, place);
  Offset offset = co_await std::move(finding);
  if (auto* error = std::get_if<ApiError>(&offset); error != nullptr) co_return std::move(*error);
  if (request.dry_run.value_or(false)) {
    Outcome often = check_dry_run_rate(call, place);
    co_return often.has_value() ? often : would_succeed();
  }
  const ShardIterator iterator{stream->name, stream->id, *index, *std::get_if<std::uint64_t>(&offset),
                               call.clock.wall_ms()};
  Writer& writer = call.reply;
  writer.begin_object();
  writer.member("ShardIterator", to_text(iterator, call.loop.seal, call.loop.random));
  writer.end_object();
  co_return std::nullopt;
}

}  // namespace

extern const Operation kGetShardIterator;
const Operation kGetShardIterator = operation<GetShardIteratorRequest, kFields, run>("GetShardIterator");

}  // namespace millrace::kinesis
