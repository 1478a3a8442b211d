// bench/load/signer.h: AWS Signature Version 4, the client's side, in the header form.
// source: AWS General Reference, "Signing AWS API requests"
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace millrace::load {

struct Credentials {
  std::string access_key;
  std::string secret_key;
  std::string region;
};

// One thread.
class Signer {
 public:
  Signer(Credentials credentials, std::string authority);

  // The whole head, with its empty line, of a POST of `body` to Kinesis' operation `operation`, signed at
  // `at_us` (good for five minutes from there).
  std::string head(std::string_view operation, std::string_view body, std::int64_t at_us,
                   std::string_view content_type = "application/x-amz-json-1.1");

 private:
  Credentials credentials_;
  std::string authority_;
  std::string day_;          // the day that key_ is for
  std::string signing_key_;  // raw bytes
};

}  // namespace millrace::load
