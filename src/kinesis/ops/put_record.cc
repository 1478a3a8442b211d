// source: AWS Kinesis API reference, PutRecord; texts as recorded by kinesalite's tests
//
// Two ways to the same put, as in put_records.cc.

#include <fmt/format.h>

#include "broker/hash_key.h"
#include "broker/sequence_number.h"
#include "kinesis/dry_run.h"
#include "kinesis/operation.h"
#include "kinesis/put_answer.h"
#include "kinesis/put_checks.h"
#include "kinesis/put_request_reader.h"
#include "kinesis/stream_ref.h"

namespace millrace::kinesis::put_record {
namespace {

struct PutRecordRequest : StreamRef {
  std::optional<std::string> sequence_number_for_ordering;
  std::optional<std::string> partition_key;
  std::optional<std::string> explicit_hash_key;
  Blob data;
  std::optional<bool> dry_run;

  Wanted access(Call& call) const { return access_for_put(call, *this); }
};

constexpr Field kPartitionKey =
    field<PutRecordRequest, &PutRecordRequest::partition_key>("PartitionKey", {.min = 1, .max = 256});

template <bool kKeyless>
inline constexpr Field kFieldsOf[] = {
    field<PutRecordRequest, &PutRecordRequest::sequence_number_for_ordering>("SequenceNumberForOrdering",
                                                                             {.pattern = &kSequencePattern}),
    kKeyless ? kPartitionKey : required(kPartitionKey),
    field<PutRecordRequest, &PutRecordRequest::explicit_hash_key>("ExplicitHashKey",
                                                                  {.pattern = &kHashKeyPattern}),
    field<PutRecordRequest, &PutRecordRequest::data>("Data", {.max = kMaxBlobBytes}),
    stream_name<PutRecordRequest>(),
    stream_arn<PutRecordRequest>(),
    stream_id<PutRecordRequest>(),
    dry_run<PutRecordRequest>(),
};

Outcome answer(Call& call, const StreamPlace& place, const Result<broker::PutResult>& put) {
  meter_put(call, StreamMeter::Put::kRecord, place, 1, put);
  if (!put.ok()) return command_failed(put.error(), place);
  return write_put_record(put.value(), place, call.reply);
}

// Takes what the quotas are to count, where there is room for it.
Outcome refuse_record(Call& call, const broker::Stream& stream, const broker::PutEntry& entry) {
  std::vector<broker::PutEntry> entries{entry};
  const Refused refused = take_what_fits(call, entries);
  if (refused.empty()) return std::nullopt;
  call.loop.meter.put(stream, StreamMeter::Put::kRecord, {}, call.took_us(), 1);
  return refuse_by_quota(*refused.front());
}

// Records of a shard are in the order of their puts: a number that was given out before is always smaller
// than the one that comes next, so it need only be one.
Outcome check_ordering(const Call& call, const std::string& number, const StreamPlace& place) {
  const auto parsed = broker::parse_sequence_number(number);
  if (parsed.ok() && parsed->time_s <= call.clock.wall_ms() / 1'000) return std::nullopt;
  return invalid_argument(fmt::format(
      "ExclusiveMinimumSequenceNumber {} used in PutRecord on stream {} under account {} is invalid.", number,
      place.name, place.account));
}

Task<Outcome> run_described(Call& call) {
  PutRecordRequest request;
  Outcome undecoded = decode_put(call, kFieldsOf<false>, kFieldsOf<true>, request);
  if (undecoded.has_value()) co_return undecoded;
  if (Outcome denied = authorize(call, request.access(call)); denied.has_value()) co_return denied;
  auto result = find_stream(call, request);
  if (auto* error = std::get_if<ApiError>(&result); error != nullptr) co_return std::move(*error);
  const FoundStream& found = *std::get_if<FoundStream>(&result);
  const StreamPlace& place = found.place;
  if (found.stream->status == broker::StreamStatus::kCreating) co_return stream_not_found(place);
  broker::PutEntry entry;
  if (request.partition_key.has_value()) entry.partition_key = *request.partition_key;
  entry.data = request.data.bytes;
  if (request.explicit_hash_key.has_value()) {
    entry.explicit_hash_key = broker::parse_hash_key(*request.explicit_hash_key);
    if (!entry.explicit_hash_key.has_value()) co_return hash_key_out_of_range(*request.explicit_hash_key);
  }
  if (Outcome large = check_record_sizes(call, *found.stream, std::span(&entry, 1), ""); large.has_value())
    co_return large;
  if (request.sequence_number_for_ordering.has_value()) {
    if (found.stream->auto_distribution)
      co_return invalid_argument(fmt::format(
          "SequenceNumberForOrdering is not supported where RecordDistributionStrategy is AUTO, as "
          "on stream {} under account {}.",
          place.name, place.account));
    Outcome wrong = check_ordering(call, *request.sequence_number_for_ordering, place);
    if (wrong.has_value()) co_return wrong;
  }
  if (request.dry_run.value_or(false)) {
    Outcome often = check_dry_run_rate(call, place);
    co_return often.has_value() ? often : would_succeed();
  }
  if (Outcome refused = refuse_record(call, *found.stream, entry); refused.has_value()) co_return refused;
  Task<Result<broker::PutResult>> putting = call.broker.put(place.name, std::span(&entry, 1));
  auto put = co_await std::move(putting);
  if (!put.ok()) give_back_put(call, std::span(&entry, 1));
  co_return answer(call, place, put);
}

Task<Outcome> run(Call& call) {
  broker::PutEntry entry;
  PutTarget target;
  if (call.encoding == Encoding::kJson &&
      call.loop.put_reader.read_record(call.request.body, call.options.max_record_bytes, target, entry)) {
    auto placed = place_of(call, target.stream_name, target.stream_arn);
    if (const auto* place = std::get_if<StreamPlace>(&placed);
        place != nullptr && place->ours && may_put(call, *place, std::span(&entry, 1), target.keyless)) {
      if (Outcome denied = authorize(call, access_for_put(call, *place)); denied.has_value())
        co_return denied;
      if (take_put(call, std::span(&entry, 1))) {
        Task<Result<broker::PutResult>> putting = call.broker.put(place->name, std::span(&entry, 1));
        auto put = co_await std::move(putting);
        if (!put.ok()) give_back_put(call, std::span(&entry, 1));
        if (is_final(put)) co_return answer(call, *place, put);
      }
    }
  }
  Task<Outcome> described = run_described(call);
  Outcome outcome = co_await std::move(described);
  co_return outcome;
}

}  // namespace

extern const Operation kPutRecord;
const Operation kPutRecord{"PutRecord", kFieldsOf<false>, run};

}  // namespace millrace::kinesis::put_record
