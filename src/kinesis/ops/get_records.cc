// source: AWS Kinesis API reference, GetRecords; texts as recorded by kinesalite's tests

#include <fmt/format.h>

#include <algorithm>

#include "kinesis/dry_run.h"
#include "kinesis/operation.h"
#include "kinesis/records_writer.h"
#include "kinesis/resource_writer.h"
#include "kinesis/shard_id.h"
#include "kinesis/shard_iterator.h"
#include "kinesis/shard_query.h"
#include "kinesis/stream_ref.h"

namespace millrace::kinesis::get_records {
namespace {

constexpr std::int32_t kRecordsMax = 10'000;
constexpr std::uint64_t kBytesMax = 10u * 1'024 * 1'024;  // of keys and data in an answer

struct GetRecordsRequest {
  std::optional<std::int32_t> limit;
  std::string shard_iterator;
  std::optional<std::string> stream_arn;
  std::optional<std::string> stream_id;
  std::optional<bool> dry_run;

  std::optional<ShardIterator> iterator = {};  // read on the way, by access()
  Wanted access(Call& call) {
    iterator = parse_shard_iterator(shard_iterator, call.loop.seal);
    if (!iterator.has_value()) return invalid_argument("Invalid ShardIterator.");
    Access access = access_to(call, StreamPlace{iterator->stream_name, call.account()});
    access.frequent = true;
    return access;
  }
};

constexpr Field kFields[] = {
    field<GetRecordsRequest, &GetRecordsRequest::limit>("Limit", {.min = 1, .max = kRecordsMax}),
    field<GetRecordsRequest, &GetRecordsRequest::shard_iterator>("ShardIterator", {.min = 1, .max = 512}),
    stream_arn<GetRecordsRequest>(),
    stream_id<GetRecordsRequest>(),
    dry_run<GetRecordsRequest>(),
};

Outcome check_age(const ShardIterator& iterator, std::int64_t now_ms) {
  if (now_ms - iterator.issued_ms <= kTokenLifeMs) return std::nullopt;
  return ApiError{
      "ExpiredIteratorException",
      fmt::format("Iterator expired. The iterator was created at time {} while right now it is {} which is "
                  "further in the future than the tolerated delay of {} milliseconds.",
                  utc_text(iterator.issued_ms), utc_text(now_ms), kTokenLifeMs)};
}

Outcome check_arn(const Call& call, const GetRecordsRequest& request, const ShardIterator& iterator) {
  if (!request.stream_arn.has_value()) return std::nullopt;
  auto placed = place_of_arn(call, *request.stream_arn);
  if (auto* error = std::get_if<ApiError>(&placed); error != nullptr) return std::move(*error);
  const StreamPlace& place = *std::get_if<StreamPlace>(&placed);
  if (place.ours && place.name == iterator.stream_name) return std::nullopt;
  return invalid_argument(
      fmt::format("StreamARN {} is not of the stream that the ShardIterator is of.", *request.stream_arn));
}

ApiError read_failed(const Error& error, const std::string& shard, const StreamPlace& place) {
  if (error.kind == ErrorKind::kNotFound) return shard_absent(shard, place);
  if (error.kind == ErrorKind::kThrottled) return read_rate_exceeded(shard, place);
  return data_failed(error);
}

struct ReaderName {
  ReaderKind kind;
  std::string_view name;  // borrowed from the caller
};
ReaderName name_of(const identity::Caller& caller) {
  constexpr std::string_view kRole = ":assumed-role/";
  const std::string_view arn = caller.principal->arn;
  const std::size_t role = arn.find(kRole);
  if (role == std::string_view::npos)
    return {ReaderKind::kAccessKey, caller.access_key.empty() ? caller.claimed_key : caller.access_key};
  return {ReaderKind::kSession, arn.substr(role + kRole.size())};
}

Task<Outcome> run(Call& call, GetRecordsRequest request) {
  std::optional<ShardIterator>& iterator = request.iterator;
  const std::int64_t now_ms = call.clock.wall_ms();
  if (Outcome old = check_age(*iterator, now_ms); old.has_value()) co_return old;
  if (Outcome wrong = check_arn(call, request, *iterator); wrong.has_value()) co_return wrong;

  const StreamPlace place{iterator->stream_name, call.account()};
  const auto stream = look_up(call, place);
  const broker::Shard* shard = nullptr;
  if (stream != nullptr && stream->id == iterator->stream_id) shard = stream->find(iterator->shard_index);
  if (shard == nullptr) co_return shard_absent(shard_id(iterator->shard_index), place);

  if (request.dry_run.value_or(false)) {
    Outcome often = check_dry_run_rate(call, place);
    co_return often.has_value() ? often : would_succeed();
  }

  if (const auto debt = call.quotas.in_debt(call.clock.monotonic_ns()); debt.has_value()) {
    call.loop.meter.failed_read(*stream, shard->index, true, call.took_us());
    co_return refuse_by_quota(*debt);
  }
  const log::ReadLimits limits{.records_max = static_cast<std::uint32_t>(request.limit.value_or(kRecordsMax)),
                               .bytes_max = call.quotas.read_bytes_max(kBytesMax)};
  Task<Result<log::ReadBatch>> reading = call.broker.read(*shard, iterator->offset, limits);
  auto batch = co_await std::move(reading);
  if (!batch.ok()) {
    call.loop.meter.failed_read(*stream, shard->index, batch.error().kind == ErrorKind::kThrottled,
                                call.took_us());
    co_return read_failed(batch.error(), shard_id(shard->index), place);
  }

  Writer& writer = call.reply;
  writer.begin_object();
  const ReaderName reader = name_of(call.caller);
  StreamMeter::Read read{.bytes = write_records(*shard, batch->records, writer),
                         .records = batch->records.size(),
                         .age_ms = 0,
                         .next_offset = batch->next_offset,
                         .reader_kind = reader.kind,
                         .reader = reader.name};
  const std::int64_t arrivals_now_ms = call.broker.clock().wall_ms();
  if (!batch->records.empty()) read.age_ms = arrivals_now_ms - batch->records.back().arrival_ms;
  // As the service does it, the end of a closed shard shows in an answer of its own, without records.
  const bool at_end = batch->records.empty() && !shard->open() && batch->next_offset >= *shard->end_offset;
  if (!at_end) {
    iterator->offset = batch->next_offset;
    iterator->issued_ms = now_ms;
    writer.member("NextShardIterator", to_text(*iterator, call.loop.seal, call.loop.random));
  }
  writer.member("MillisBehindLatest",
                batch->next_arrival_ms.has_value()
                    ? std::max<std::int64_t>(1, arrivals_now_ms - *batch->next_arrival_ms)
                    : behind_at_end_ms(*shard, arrivals_now_ms));
  if (at_end) write_children(*stream, shard->index, writer);
  writer.end_object();
  call.quotas.charge_read(read.bytes, call.clock.monotonic_ns());
  call.loop.meter.read(*stream, shard->index, read, call.took_us());
  co_return std::nullopt;
}

}  // namespace

extern const Operation kGetRecords;
const Operation kGetRecords = operation<GetRecordsRequest, kFields, run>("GetRecords");

}  // namespace millrace::kinesis::get_records
