// kinesis/records_writer.h: records as GetRecords shows them.
#pragma once

#include <span>

#include "broker/catalog.h"
#include "kinesis/protocol.h"
#include "log/record.h"

namespace millrace::kinesis {

// The member "Records" of the object that the caller has begun. Keys are UTF-8.
// returns   log::payload_bytes of them
std::uint64_t write_records(const broker::Shard& shard, std::span<const log::RecordView> records,
                            Writer& writer);

}  // namespace millrace::kinesis
