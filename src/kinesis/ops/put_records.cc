// source: AWS Kinesis API reference, PutRecords; texts as recorded by kinesalite's tests
//
// Two ways to the same put: what producers usually send is read where it lies, all else by the description.

#include <fmt/format.h>

#include <algorithm>

#include "broker/hash_key.h"
#include "kinesis/dry_run.h"
#include "kinesis/operation.h"
#include "kinesis/put_answer.h"
#include "kinesis/put_checks.h"
#include "kinesis/put_request_reader.h"
#include "kinesis/stream_ref.h"

namespace millrace::kinesis::put_records {
namespace {

struct Record {
  std::optional<std::string> partition_key;
  std::optional<std::string> explicit_hash_key;
  Blob data;
  static std::span<const Field> fields();
};

constexpr Field kPartitionKey = field<Record, &Record::partition_key>("PartitionKey", {.min = 1, .max = 256});

template <bool kKeyless>
std::span<const Field> record_fields() {
  static constexpr Field kRecordFields[] = {
      kKeyless ? kPartitionKey : required(kPartitionKey),
      field<Record, &Record::explicit_hash_key>("ExplicitHashKey", {.pattern = &kHashKeyPattern}),
      field<Record, &Record::data>("Data", {.max = kMaxBlobBytes}),
  };
  return kRecordFields;
}
std::span<const Field> Record::fields() { return record_fields<false>(); }

struct PutRecordsRequest : StreamRef {
  std::vector<Record> records;
  std::optional<bool> dry_run;

  Wanted access(Call& call) const { return access_for_put(call, *this); }
};

template <bool kKeyless>
constexpr Field records() {
  Field described = field<PutRecordsRequest, &PutRecordsRequest::records>(
      "Records", {.min = 1,
                  .max = kPutRecordsMax,
                  .shown_as = "com.amazonaws.kinesis.v20131202.PutRecordsRequestEntry@c965e310"});
  described.children = &record_fields<kKeyless>;
  return described;
}

template <bool kKeyless>
inline constexpr Field kFieldsOf[] = {
    records<kKeyless>(),
    stream_name<PutRecordsRequest>(),
    stream_arn<PutRecordsRequest>(),
    stream_id<PutRecordsRequest>(),
    dry_run<PutRecordsRequest>(),
};

// The entries point into `request`.
Outcome entries_of(const Call& call, const PutRecordsRequest& request,
                   std::vector<broker::PutEntry>& entries) {
  std::uint64_t bytes = 0;
  for (const Record& record : request.records) {
    broker::PutEntry& entry = entries.emplace_back();
    if (record.partition_key.has_value()) entry.partition_key = *record.partition_key;
    entry.data = record.data.bytes;
    bytes += entry.partition_key.size() + entry.data.size();
    if (!record.explicit_hash_key.has_value()) continue;
    entry.explicit_hash_key = broker::parse_hash_key(*record.explicit_hash_key);
    if (!entry.explicit_hash_key.has_value()) return hash_key_out_of_range(*record.explicit_hash_key);
  }
  const std::uint64_t bytes_max = put_bytes_max(call.options.max_record_bytes);
  if (bytes > bytes_max)
    return invalid_argument(fmt::format("Records size exceeds {} MB limit", bytes_max / 1'024 / 1'024));
  return std::nullopt;
}

Outcome answer(Call& call, const StreamPlace& place, std::size_t records,
               const Result<broker::PutResult>& put, const Refused& refused = {}) {
  meter_put(call, StreamMeter::Put::kRecords, place, records, put,
            static_cast<std::size_t>(std::count_if(refused.begin(), refused.end(),
                                                   [](const auto& one) { return one.has_value(); })));
  if (!put.ok()) return command_failed(put.error(), place);
  if (refused.empty())
    write_put_records(put.value(), place, call.reply);
  else
    write_put_records(put.value(), refused, place, call.reply);
  return std::nullopt;
}

Task<Outcome> run_described(Call& call) {
  PutRecordsRequest request;
  Outcome undecoded = decode_put(call, kFieldsOf<false>, kFieldsOf<true>, request);
  if (undecoded.has_value()) co_return undecoded;
  if (Outcome denied = authorize(call, request.access(call)); denied.has_value()) co_return denied;
  auto result = find_stream(call, request);
  if (auto* error = std::get_if<ApiError>(&result); error != nullptr) co_return std::move(*error);
  const auto& [place, stream] = *std::get_if<FoundStream>(&result);
  std::vector<broker::PutEntry> entries;
  if (Outcome wrong = entries_of(call, request, entries); wrong.has_value()) co_return wrong;
  if (Outcome large = check_record_sizes(call, *stream, entries, "records."); large.has_value())
    co_return large;
  if (request.dry_run.value_or(false)) {
    Outcome often = check_dry_run_rate(call, place);
    co_return often.has_value() ? often : would_succeed();
  }
  const Refused refused = take_what_fits(call, entries);
  Task<Result<broker::PutResult>> putting = call.broker.put(place.name, entries);
  auto put = co_await std::move(putting);
  if (!put.ok()) give_back_put(call, entries);
  co_return answer(call, place, request.records.size(), put, refused);
}

Task<Outcome> run(Call& call) {
  std::vector<broker::PutEntry> entries = call.loop.borrow_entries();
  PutTarget target;
  if (call.encoding == Encoding::kJson &&
      call.loop.put_reader.read_records(call.request.body, call.options.max_record_bytes, target, entries)) {
    auto placed = place_of(call, target.stream_name, target.stream_arn);
    if (const auto* place = std::get_if<StreamPlace>(&placed);
        place != nullptr && place->ours && may_put(call, *place, entries, target.keyless)) {
      if (Outcome denied = authorize(call, access_for_put(call, *place)); denied.has_value())
        co_return denied;
      if (take_put(call, entries)) {
        Task<Result<broker::PutResult>> putting = call.broker.put(place->name, entries);
        auto put = co_await std::move(putting);
        if (!put.ok()) give_back_put(call, entries);
        if (is_final(put)) {
          const std::size_t records = entries.size();
          call.loop.return_entries(std::move(entries));
          co_return answer(call, *place, records, put);
        }
      }
    }
  }
  call.loop.return_entries(std::move(entries));
  Task<Outcome> described = run_described(call);
  Outcome outcome = co_await std::move(described);
  co_return outcome;
}

}  // namespace

extern const Operation kPutRecords;
const Operation kPutRecords{"PutRecords", kFieldsOf<false>, run};

}  // namespace millrace::kinesis::put_records
