// keys/remote_keys.h: master keys in another key service: AWS's KMS, or whatever speaks its API.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "keys/master_keys.h"

namespace millrace::keys {

struct RemoteKeysOptions {
  std::string endpoint;  // "https://kms.eu-central-1.amazonaws.com"
  std::string region;
  std::string access_key;
  std::string secret_key;
  std::string session_token = {};
  std::int64_t answer_holds_ms = 60'000;
  std::int64_t timeout_ms = 5'000;  // of a call as a whole
};

// Signs by SigV4. Any thread; calls go out one after the other on its worker. Asks only for what is needed:
// GenerateDataKey and Decrypt.
// worker   given to it
std::unique_ptr<MasterKeys> make_remote_keys(RemoteKeysOptions options, std::unique_ptr<Worker> worker);

}  // namespace millrace::keys
