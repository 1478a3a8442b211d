#include "kinesis/put_answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "api/fault.h"
#include "broker/sequence_number.h"
#include "kinesis/shard_id.h"

namespace millrace::kinesis {
namespace {

constexpr std::size_t kNumberDigits = 56;  // of every sequence number of today's layout
static_assert(kNumberDigits <= broker::kSequenceDigitsMax);

// An entry of a record that was put always has this form and length: number and shard are written over the
// zeros.
constexpr std::string_view kEntry =
    R"({"SequenceNumber":"00000000000000000000000000000000000000000000000000000000","ShardId":"shardId-000000000000"},)";
constexpr std::size_t kNumberAt = kEntry.find("000");
constexpr std::size_t kShardIdAt = kEntry.find("shardId-");
static_assert(kEntry.find("\",\"ShardId") == kNumberAt + kNumberDigits);
static_assert(kEntry.size() == kShardIdAt + kShardIdBytes + 3);

void write_entry(const broker::ShardLabel& shard, const broker::PutOutcome& outcome, char* out) {
  std::memcpy(out, kEntry.data(), kEntry.size());
  char number[broker::kSequenceDigitsMax];
  const std::size_t digits = broker::format(sequence_of(shard, outcome.offset, outcome.arrival_ms), number);
  MR_ASSERT(digits == kNumberDigits);
  std::memcpy(out + kNumberAt, number, kNumberDigits);
  write_shard_id(shard.index, out + kShardIdAt);
}

bool is_put(const broker::PutOutcome& outcome) { return outcome.status == log::RunStatus::kDurable; }

// As the service does it, what is not encrypted says nothing of it.
bool is_encrypted(const broker::PutResult& result) { return !result.stream->key_id.empty(); }

void write_number_and_shard(const broker::ShardLabel& shard, const broker::PutOutcome& outcome,
                            Writer& writer) {
  writer.member("SequenceNumber", broker::to_string(sequence_of(shard, outcome.offset, outcome.arrival_ms)));
  writer.member("ShardId", shard_id(shard.index));
}

void write_failed(const ApiError& error, Writer& writer) {
  writer.begin_object();
  writer.member("ErrorCode", error.type);
  writer.member("ErrorMessage", error.message);
  writer.end_object();
}

void write_outcome(const broker::PutResult& result, const broker::PutOutcome& outcome,
                   const StreamPlace& place, Writer& writer) {
  if (!is_put(outcome)) return write_failed(why_not_put(result, outcome, place), writer);
  writer.begin_object();
  write_number_and_shard(result.stream->labels[outcome.shard_position], outcome, writer);
  writer.end_object();
}

void end_put_records(const broker::PutResult& result, Writer& writer) {
  writer.end_list();
  if (is_encrypted(result)) writer.member("EncryptionType", "KMS");
  writer.end_object();
}

}  // namespace

Access access_for_put(const Call& call, const StreamPlace& place) {
  Access access = access_to(call, place);
  access.frequent = true;
  return access;
}

Wanted access_for_put(Call& call, const StreamRef& ref) {
  Wanted wanted = ref.access(call);
  if (auto* access = std::get_if<Access>(&wanted); access != nullptr) access->frequent = true;
  return wanted;
}

ApiError why_not_put(const broker::PutResult& result, const broker::PutOutcome& outcome,
                     const StreamPlace& place) {
  if (outcome.throttled) {
    const broker::ShardLabel& shard = result.stream->labels[outcome.shard_position];
    return {"ProvisionedThroughputExceededException",
            fmt::format("Rate exceeded for shard {} in stream {} under account {}.", shard_id(shard.index),
                        place.name, place.account)};
  }
  return internal_failure(result.error.empty() ? "Internal service failure."
                                               : api::fault_text({ErrorKind::kUnknown, result.error}));
}

void write_put_records(const broker::PutResult& result, const StreamPlace& place, Writer& writer) {
  const std::vector<broker::PutOutcome>& outcomes = result.outcomes;
  std::int64_t failed = 0;
  for (const broker::PutOutcome& outcome : outcomes) failed += is_put(outcome) ? 0 : 1;
  if (writer.encoding() == Encoding::kJson && failed == 0) {
    constexpr std::string_view kBegin = R"({"FailedRecordCount":0,"Records":[)";
    Bytes& bytes = writer.bytes();
    bytes.reserve(kBegin.size() + outcomes.size() * kEntry.size() + 2);
    bytes.append(kBegin);
    char* out = reinterpret_cast<char*>(bytes.prepare(outcomes.size() * kEntry.size()));
    const std::vector<broker::ShardLabel>& shards = result.stream->labels;
    constexpr std::size_t kAhead = 16;  // with many shards each record's own lies anywhere in memory
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
      if (i + kAhead < outcomes.size()) __builtin_prefetch(&shards[outcomes[i + kAhead].shard_position]);
      write_entry(shards[outcomes[i].shard_position], outcomes[i], out + i * kEntry.size());
    }
    bytes.commit(outcomes.size() * kEntry.size() - 1);  // without the last comma
    bytes.append(is_encrypted(result) ? R"(],"EncryptionType":"KMS"})" : "]}");
    return;
  }
  writer.begin_object();
  writer.member("FailedRecordCount", failed);
  writer.key("Records");
  writer.begin_list();
  for (const broker::PutOutcome& outcome : outcomes) write_outcome(result, outcome, place, writer);
  end_put_records(result, writer);
}

void write_put_records(const broker::PutResult& result, const Refused& refused, const StreamPlace& place,
                       Writer& writer) {
  std::int64_t failed = std::count_if(refused.begin(), refused.end(),
                                      [](const auto& exceeded) { return exceeded.has_value(); });
  for (const broker::PutOutcome& outcome : result.outcomes) failed += is_put(outcome) ? 0 : 1;
  writer.begin_object();
  writer.member("FailedRecordCount", failed);
  writer.key("Records");
  writer.begin_list();
  auto outcome = result.outcomes.begin();
  for (const std::optional<Exceeded>& exceeded : refused) {
    if (exceeded.has_value())
      write_failed(refuse_by_quota(*exceeded), writer);
    else
      write_outcome(result, *outcome++, place, writer);
  }
  end_put_records(result, writer);
}

Outcome write_put_record(const broker::PutResult& result, const StreamPlace& place, Writer& writer) {
  const broker::PutOutcome& outcome = result.outcomes.front();
  if (!is_put(outcome)) {
    ApiError why = why_not_put(result, outcome, place);
    // A record's code in PutRecords has no such ending, an operation's type has.
    if (why.type == "InternalFailure") why.type = "InternalFailureException";
    return why;
  }
  writer.begin_object();
  write_number_and_shard(result.stream->labels[outcome.shard_position], outcome, writer);
  if (is_encrypted(result)) writer.member("EncryptionType", "KMS");
  writer.end_object();
  return std::nullopt;
}

void meter_put(Call& call, StreamMeter::Put operation, const StreamPlace& place, std::size_t records,
               const Result<broker::PutResult>& put, std::size_t refused) {
  if (put.ok()) return call.loop.meter.put(*put->stream, operation, put->outcomes, call.took_us(), refused);
  if (const auto stream = look_up(call, place); stream != nullptr && is_final(put))
    call.loop.meter.failed_put(*stream, operation, records, call.took_us());
}

bool is_final(const Result<broker::PutResult>& put) {
  return put.ok() || (put.error().kind != ErrorKind::kInvalid && put.error().kind != ErrorKind::kNotFound);
}

ApiError hash_key_out_of_range(std::string_view hash_key) {
  return invalid_argument(fmt::format(
      "Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value was {}",
      hash_key));
}

}  // namespace millrace::kinesis
