// kinesis/record_requests.h: records in requests and answers, as tests write and read them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/base64.h"
#include "kinesis/kinesis_machine.h"

namespace millrace::kinesis {

inline std::string b64(std::string_view text) {
  Bytes out;
  out.resize(base64_encoded_size(text.size()) + 1);
  base64_encode(as_bytes(text), reinterpret_cast<char*>(out.data()));
  return std::string(out.text().substr(0, base64_encoded_size(text.size())));
}

inline Json record(std::string_view key, std::string_view data) {
  return {{"PartitionKey", key}, {"Data", b64(data)}};
}

inline std::vector<std::string> data_of(const Json& page) {
  std::vector<std::string> found;
  for (const Json& read : page["Records"]) found.push_back(read["Data"]);
  return found;
}
using Data = std::vector<std::string>;

}  // namespace millrace::kinesis
