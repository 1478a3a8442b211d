// kinesis/put_request_reader.h: PutRecords and PutRecord bodies as producers really send them, read where
// they lie.
//
// Takes JSON whose members are the ones of the operation, each once, each a string without escapes (data may
// have them: base64 then fails in the broker). Anything else is left to decode(), which knows every error.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "broker/broker.h"

namespace millrace::kinesis {

// Views into the body.
struct PutTarget {
  std::string_view stream_name;  // empty: absent
  std::string_view stream_arn;
  bool keyless = false;  // a record has no partition key: only some streams take it
};

// PutRecords' bounds. source: AWS Kinesis API reference, PutRecords
inline constexpr std::size_t kPutRecordsMax = 500;
inline constexpr std::uint64_t kPutBytesMax = 10u * 1'024 * 1'024;  // of data and partition keys
// … and more only where the server takes a greater record than the service: one such, whatever its key.
constexpr std::uint64_t put_bytes_max(std::int64_t max_record_bytes) {
  const auto record = static_cast<std::uint64_t>(max_record_bytes);
  return record <= kPutBytesMax ? kPutBytesMax : record + 1'024;
}

// Belongs to one loop; its memory is used again.
class PutRequestReader {
 public:
  PutRequestReader();
  ~PutRequestReader();
  PutRequestReader(PutRequestReader&&) noexcept;

  // Appends to `entries`, which point into `body` then. False: it is for decode(); `entries` is unspecified.
  // max_record_bytes   of a record's data
  bool read_records(const Bytes& body, std::int64_t max_record_bytes, PutTarget& target,
                    std::vector<broker::PutEntry>& entries);
  bool read_record(const Bytes& body, std::int64_t max_record_bytes, PutTarget& target,
                   broker::PutEntry& entry);

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

}  // namespace millrace::kinesis
