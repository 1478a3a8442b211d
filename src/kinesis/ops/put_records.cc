// source: AWS Kinesis API reference, PutRecords; texts as recorded by kinesalite's tests
//
// Two ways to the same put: what producers usually send is read where it lies, all else by the description.

#include <fmt/format.h>

#include "broker/hash_key.h"
#include "kinesis/operation.h"
#include "kinesis/put_answer.h"
#include "kinesis/put_request_reader.h"
#include "kinesis/stream_ref.h"

namespace millrace::kinesis {
namespace {

struct Record {
  std::string partition_key;
  std::optional<std::string> explicit_hash_key;
  Blob data;
  static std::span<const Field> fields() {
    static constexpr Field kRecordFields[] = {
        field<Record, &Record::partition_key>("PartitionKey", {.min = 1, .max = 256}),
        field<Record, &Record::explicit_hash_key>("ExplicitHashKey", {.pattern = &kHashKeyPattern}),
        field<Record, &Record::data>("Data", {.max = kMaxBlobBytes}),
    };
    return kRecordFields;
  }
};

struct PutRecordsRequest : StreamRef {
  std::vector<Record> records;

  Wanted access(Call& call) const { return access_for_put(call, *this); }
};

constexpr Field kFields[] = {
    field<PutRecordsRequest, &PutRecordsRequest::records>(
        "Records", {.min = 1,
                    .max = kPutRecordsMax,
                    .shown_as = "com.amazonaws.kinesis.v20131202.PutRecordsRequestEntry@c965e310"}),
    stream_name<PutRecordsRequest>(),
    stream_arn<PutRecordsRequest>(),
};

// The entries point into `request`.
Outcome entries_of(const PutRecordsRequest& request, std::vector<broker::PutEntry>& entries) {
  std::uint64_t bytes = 0;
  for (const Record& record : request.records) {
    broker::PutEntry& entry = entries.emplace_back();
    entry.partition_key = record.partition_key;
    entry.data = record.data.bytes;
    bytes += record.partition_key.size() + record.data.bytes.size();
    if (!record.explicit_hash_key.has_value()) continue;
    entry.explicit_hash_key = broker::parse_hash_key(*record.explicit_hash_key);
    if (!entry.explicit_hash_key.has_value()) return hash_key_out_of_range(*record.explicit_hash_key);
  }
  if (bytes > kPutBytesMax)
    return invalid_argument(fmt::format("Records size exceeds {} MB limit", kPutBytesMax / 1'024 / 1'024));
  return std::nullopt;
}

Outcome answer(Call& call, const StreamPlace& place, const Result<broker::PutResult>& put) {
  if (!put.ok()) return command_failed(put.error(), place);
  write_put_records(put.value(), place, call.reply);
  return std::nullopt;
}

Task<Outcome> run_described(Call& call, PutRecordsRequest request) {
  auto result = find_stream(call, request);
  if (auto* error = std::get_if<ApiError>(&result); error != nullptr) co_return std::move(*error);
  const StreamPlace& place = std::get_if<FoundStream>(&result)->place;
  std::vector<broker::PutEntry> entries;
  if (Outcome wrong = entries_of(request, entries); wrong.has_value()) co_return wrong;
  Task<Result<broker::PutResult>> putting = call.broker.put(place.name, entries);
  auto put = co_await std::move(putting);
  co_return answer(call, place, put);
}

Task<Outcome> run(Call& call) {
  std::vector<broker::PutEntry> entries = call.loop.borrow_entries();
  PutTarget target;
  if (call.encoding == Encoding::kJson &&
      call.loop.put_reader.read_records(call.request.body, call.options.max_record_bytes, target, entries)) {
    auto placed = place_of(call, target.stream_name, target.stream_arn);
    if (const auto* place = std::get_if<StreamPlace>(&placed); place != nullptr && place->ours) {
      if (Outcome denied = authorize(call, access_for_put(call, *place)); denied.has_value())
        co_return denied;
      Task<Result<broker::PutResult>> putting = call.broker.put(place->name, entries);
      auto put = co_await std::move(putting);
      if (is_final(put)) {
        call.loop.return_entries(std::move(entries));
        co_return answer(call, *place, put);
      }
    }
  }
  call.loop.return_entries(std::move(entries));
  Task<Outcome> described =
      operation_internal::decode_and_run<PutRecordsRequest, kFields, run_described>(call);
  Outcome outcome = co_await std::move(described);
  co_return outcome;
}

}  // namespace

extern const Operation kPutRecords;
const Operation kPutRecords{"PutRecords", kFields, run};

}  // namespace millrace::kinesis
