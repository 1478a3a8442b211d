// kinesis/put_answer.h: what PutRecord and PutRecords say of a put.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "broker/broker.h"
#include "kinesis/call.h"
#include "kinesis/protocol.h"
#include "kinesis/stream_ref.h"

namespace millrace::kinesis {

// What both of them want.
Access access_for_put(const Call& call, const StreamPlace& place);
Wanted access_for_put(Call& call, const StreamRef& ref);

// Why a record was not put. Its type is one of the two that PutRecords gives for a record.
ApiError why_not_put(const broker::PutResult& result, const broker::PutOutcome& outcome,
                     const StreamPlace& place);

// {"FailedRecordCount":0,"Records":[{"SequenceNumber":"…","ShardId":"…"}, …]}, with "EncryptionType":"KMS"
// where records are encrypted.
void write_put_records(const broker::PutResult& result, const StreamPlace& place, Writer& writer);
// As much, where quotas refused some: `result` is of the others, in order.
void write_put_records(const broker::PutResult& result, const Refused& refused, const StreamPlace& place,
                       Writer& writer);
// {"SequenceNumber":"…","ShardId":"…"}, or an error.
Outcome write_put_record(const broker::PutResult& result, const StreamPlace& place, Writer& writer);

// Counts a put of `records` records that has ended, for the stream's metrics. refused   of them by quotas
void meter_put(Call& call, StreamMeter::Put operation, const StreamPlace& place, std::size_t records,
               const Result<broker::PutResult>& put, std::size_t refused = 0);

// Whether the short way's put is to be answered. Where its base64 is wrong, or the stream is not there, the
// description tells: type errors come before all others.
bool is_final(const Result<broker::PutResult>& put);

ApiError hash_key_out_of_range(std::string_view hash_key);

}  // namespace millrace::kinesis
