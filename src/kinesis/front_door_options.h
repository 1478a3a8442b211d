// kinesis/front_door_options.h: what the server's operator may set of the Kinesis API.
#pragma once

#include <cstdint>
#include <string>

#include "base/published.h"
#include "identity/quota_meter.h"
#include "kinesis/token_seal.h"

namespace millrace::kinesis {

// Account and region are the broker's.
struct FrontDoorOptions {
  // Seals iterators and page tokens. The same after a restart, or clients' iterators end with the process.
  TokenKey token_key{};
  // A record's data; 1 MiB to 64 MiB. Larger: ValidationException. docs/kinesis-api.md says why 10 MiB.
  std::int64_t max_record_bytes = 10 * 1'024 * 1'024;
  // A request's body; larger: 413. PutRecords takes 10 MiB of data and keys, which base64 makes a third
  // larger.
  std::size_t request_bytes_max = 20u * 1'024 * 1'024;
  // ARN of the master key that is for everybody, which alias/aws/kinesis names; empty: another key service
  // has it.
  std::string own_key = {};
  // Borrowed; outlives the front door. nullptr: there are none
  const Published<identity::QuotaTable>* quotas = nullptr;
};

}  // namespace millrace::kinesis
