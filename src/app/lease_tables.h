// app/lease_tables.h: the lease tables of KCL applications, which say how far each has come in its stream.
// source: the Kinesis Client Library, DynamoDBLeaseSerializer and DynamoDBMultiStreamLeaseSerializer
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/task.h"
#include "broker/catalog.h"
#include "broker/sequence_number.h"
#include "leases/dynamodb/table_store.h"

namespace millrace::app {

// How far an application says that it has come in a shard.
struct Lease {
  enum class At : std::uint8_t {
    kRecord,   // `sequence` is the last record that it has done with
    kOldest,   // it has not begun
    kEnd,      // it has done with the whole shard
    kUnknown,  // it begins at the newest record, or at some time, and has not done with one
  };
  std::uint32_t shard = 0;  // its index
  At at = At::kUnknown;
  broker::SequenceNumber sequence{};
};

// One application's reading of one stream.
struct LeaseTable {
  std::string application;  // the table's name
  std::string stream;       // empty: an application of one stream, whose table does not say which
  std::vector<Lease> leases;
};

// All tables that look like KCL's. Bounded in leases: tables behind the bound are left out. Any loop; ends on
// the store's.
Task<std::vector<LeaseTable>> read_lease_tables(const leases::dynamodb::TableStore& store, Loop& tables_loop);

// What the table's items say. Public for tests.
std::vector<LeaseTable> lease_tables_of(const std::string& application,
                                        const std::vector<leases::dynamodb::Item>& items);

// Streams that the table may be of: those that most of its leases fit, by the creation of their shards. More
// than one where streams were created within one second.
std::vector<const broker::Stream*> streams_of(const LeaseTable& table, const broker::Catalog& catalog);

}  // namespace millrace::app
