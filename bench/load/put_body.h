// bench/load/put_body.h: the JSON of a PutRecords request, built record by record, and what its answer says.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "load/stamp.h"

namespace millrace::load {

class PutBody {
 public:
  explicit PutBody(std::string_view stream);

  // Adds a record whose payload is the stamp and `rest`.
  void add(const Stamp& stamp, std::string_view key, std::string_view rest);
  // Adds record `index` of `other`, as it is.
  void add_from(const PutBody& other, std::size_t index);
  // Ends the JSON; nothing is added afterwards.
  void finish();

  std::size_t count() const { return stamps_.size(); }
  const std::vector<Stamp>& stamps() const { return stamps_; }
  const std::string& json() const { return json_; }
  std::string take_json() { return std::move(json_); }
  std::uint64_t payload_bytes() const { return payload_bytes_; }

 private:
  void begin_record();

  std::string json_;
  std::vector<std::size_t> begins_;  // of each record's '{' in json_
  std::vector<Stamp> stamps_;
  std::uint64_t payload_bytes_ = 0;
};

// Positions of the records that a PutRecords answer (status 200) reports as failed; empty: all were taken.
std::vector<std::size_t> failed_records(std::string_view answer);

}  // namespace millrace::load
