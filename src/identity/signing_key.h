// identity/signing_key.h: the key that a day's signatures are made with, and the ones already derived.
// source: AWS General Reference, "Create a signed AWS API request", step "Calculate the signature"
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "identity/digest.h"

namespace millrace::identity {

// What a signing key holds for. date is "20150830".
struct CredentialScope {
  std::string_view date;
  std::string_view region;
  std::string_view service;
};

Sha256 derive_signing_key(std::string_view secret_key, const CredentialScope& scope);

// Spares the four HMACs of derive_signing_key for the scopes used last. Any thread.
class SigningKeys {
 public:
  // secret_key   of `access_key`; an id may come to have another one, when it was deleted and made again
  Sha256 get(std::string_view access_key, std::string_view secret_key, const CredentialScope& scope);

 private:
  struct Entry {
    std::string access_key, secret_key, date, region, service;
    Sha256 key;
  };
  // Keys × days × services in use together are few; the oldest makes room, so that made-up days cannot fill
  // memory.
  static constexpr std::size_t kEntriesMax = 64;

  std::mutex mutex_;
  std::vector<Entry> entries_;
  std::size_t oldest_ = 0;
};

}  // namespace millrace::identity
