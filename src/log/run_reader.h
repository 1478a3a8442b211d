// log/run_reader.h: takes records out of runs, within limits; decrypts those that are encrypted.
#pragma once

#include <cstdint>
#include <optional>

#include "log/log.h"
#include "log/plain_runs.h"
#include "log/run_codec.h"

namespace millrace::log {

// One read on its way. On the loop that reads.
class RunReader {
 public:
  // All borrowed. oldest_ms   runs that arrived before it are passed over.  decryptor  or nullptr
  RunReader(ReadBatch& out, const ReadLimits& limits, std::int64_t oldest_ms, RunDecryptor* decryptor,
            PlainRuns& plain_runs)
      : out_(out), limits_(limits), oldest_ms_(oldest_ms), decryptor_(decryptor), plain_runs_(plain_runs) {}

  // Adds records of the run at `at` to the batch, from its next_offset on, which moves. False when it ends
  // there: a limit is reached (next_arrival_ms is the run's then), or the run cannot be decrypted, or not
  // yet.
  bool read(const std::uint8_t* at);

  // The key that must be prepared before the run at next_offset can be read.
  const std::optional<std::uint64_t>& missing_key() const { return missing_key_; }
  // Why the run at next_offset cannot be read at all.
  const std::optional<Error>& error() const { return error_; }

 private:
  bool read_plain(const std::uint8_t* at, const RunHeader& run, bool encrypted);
  Result<std::shared_ptr<const Bytes>> decrypt(ByteView run);
  bool read_encrypted(const std::uint8_t* at, const RunHeader& run);

  ReadBatch& out_;
  const ReadLimits& limits_;
  const std::int64_t oldest_ms_;
  RunDecryptor* decryptor_;
  PlainRuns& plain_runs_;
  std::uint64_t bytes_ = 0;  // of keys and values, as far as they are in the batch
  std::optional<std::uint64_t> missing_key_;
  std::optional<Error> error_;
};

}  // namespace millrace::log
