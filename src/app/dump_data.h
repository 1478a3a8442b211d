// app/dump_data.h: `millrace log dump --data DIR`: records as lines of JSON, which `millrace put` takes
// again.
#pragma once

#include <optional>
#include <string>

namespace millrace::app {

struct DumpData {
  std::string folder;
  std::string keyring;                // empty: "keyring" in `folder`
  std::optional<std::string> stream;  // only of this one
  std::optional<std::string> shard;   // only of this one: "shardId-000000000007"
  std::string account_id;             // empty: the folder's
  std::string region;
};

// Prints an object a line: Stream, ShardId, SequenceNumber, ArrivalMs, PartitionKey, perhaps ExplicitHashKey,
// Data in base64; those of a shard in order. Encrypted records are decrypted. The folder is held meanwhile.
// Returns the exit code: 0; 1: some or all could not be read, and lines on stderr say what and why.
int dump_data(const DumpData& command);

}  // namespace millrace::app
