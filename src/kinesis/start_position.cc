#include "kinesis/start_position.h"

#include <fmt/format.h>

#include <algorithm>

#include "broker/sequence_number.h"
#include "kinesis/shard_id.h"

namespace millrace::kinesis {
namespace {

ApiError type_needs(const StartPosition& position, std::string_view specified) {
  return invalid_argument(fmt::format(
      "Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and StartingSequenceNumber or (2) "
      "TRIM_HORIZON or LATEST and no StartingSequenceNumber. Request specified {} and {} "
      "StartingSequenceNumber.",
      position.type, specified));
}

ApiError number_invalid(std::string_view operation, const std::string& number, const broker::Shard& shard,
                        const StreamPlace& place, std::string_view why) {
  return invalid_argument(fmt::format(
      "StartingSequenceNumber {} used in {} on shard {} in stream {} under account {} is invalid{}.", number,
      operation, shard_id(shard.index), place.name, place.account, why));
}

// Behind the end of a closed shard there is nothing to go on with.
ApiError behind_the_end() {
  return invalid_argument(
      "Invalid SequenceNumber for ShardIteratorType AFTER_SEQUENCE_NUMBER, SequenceNumber has reached max "
      "possible value for the shard.");
}

// As the service shows it: above 2^31 the index counts as negative.
std::string encoded_shard_id(std::uint32_t index) {
  return index <= 0x7fff'ffff ? shard_id(index) : fmt::format("shardId--{:011}", index);
}

// end_offset   of the shard, as it is now
Offset offset_of_number(std::string_view operation, const StartPosition& position, const broker::Shard& shard,
                        const StreamPlace& place, std::uint64_t end_offset) {
  const std::string& text = *position.sequence_number;
  const auto number = broker::parse_sequence_number(text);
  if (!number.ok()) return number_invalid(operation, text, shard, place, "");
  if (number->shard_index != shard.index) {
    return invalid_argument(fmt::format(
        "Invalid StartingSequenceNumber. It encodes {}, while it was used in a call to a shard with {}",
        encoded_shard_id(number->shard_index), shard_id(shard.index)));
  }
  constexpr std::size_t kOldDigitsMax = 39;  // version 0, of the service's first year: it fails over them
  if (text.size() <= kOldDigitsMax) return internal_failure();
  const bool at_end = number->ordinal == broker::kOrdinalMax && !shard.open();
  const bool of_record = number->ordinal != 0 && !number->behind;
  const std::uint64_t at = of_record ? number->ordinal - 1 : number->ordinal;
  // One that this layout would not write, of another shard's life, or of a record that is not there.
  if (number->shard_created_s != shard.created_s || broker::to_string(*number) != text ||
      (!at_end && at > end_offset))
    return number_invalid(operation, text, shard, place, " because it did not come from this stream");
  const bool from_it = position.type == "AT_SEQUENCE_NUMBER";
  if (at_end) return from_it ? Offset(end_offset) : Offset(behind_the_end());
  return from_it ? at : std::min(number->ordinal, end_offset);
}

Outcome check_timestamp(const StartPosition& position, const Call& call) {
  if (!position.timestamp.has_value())
    return invalid_argument(
        "Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP. Current request has no "
        "timestamp "
        "parameter.");
  return check_not_to_come(*position.timestamp, call);
}

Outcome check_together(const StartPosition& position) {
  const bool by_number = position.type.ends_with("_SEQUENCE_NUMBER");
  if (by_number && !position.sequence_number.has_value()) return type_needs(position, "no");
  if (!by_number && position.sequence_number.has_value()) return type_needs(position, "also a");
  return std::nullopt;
}

}  // namespace

Outcome check_not_to_come(const Timestamp& time, const Call& call) {
  // After the machine's clock stepped, arrivals may be ahead of it for a while, or behind it.
  const std::int64_t now_ms = std::max(call.clock.wall_ms(), call.broker.clock().wall_ms());
  if (time.ms() <= now_ms) return std::nullopt;
  return invalid_argument(
      fmt::format("The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. "
                  "timestampInMillis: {}, currentTimestampInMillis: {}",
                  time.ms(), now_ms));
}

Task<Offset> find_offset(Call& call, std::string_view operation, const StartPosition& position,
                         const broker::Shard& shard, const StreamPlace& place) {
  if (Outcome wrong = check_together(position); wrong.has_value()) co_return std::move(*wrong);
  if (position.type == "TRIM_HORIZON") co_return std::uint64_t{0};
  if (position.type == "AT_TIMESTAMP") {
    if (Outcome wrong = check_timestamp(position, call); wrong.has_value()) co_return std::move(*wrong);
    Task<Result<std::uint64_t>> searching = call.broker.offset_at_time(shard, position.timestamp->ms());
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
  if (position.type == "LATEST") co_return extent->end_offset;
  co_return offset_of_number(operation, position, shard, place, extent->end_offset);
}

}  // namespace millrace::kinesis
