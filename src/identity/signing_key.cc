#include "identity/signing_key.h"

namespace millrace::identity {

Sha256 derive_signing_key(std::string_view secret_key, const CredentialScope& scope) {
  const std::string first = std::string("AWS4").append(secret_key);
  const Sha256 of_date = hmac_sha256(as_bytes(first), scope.date);
  const Sha256 of_region = hmac_sha256(of_date, scope.region);
  const Sha256 of_service = hmac_sha256(of_region, scope.service);
  return hmac_sha256(of_service, "aws4_request");
}

Sha256 SigningKeys::get(std::string_view access_key, std::string_view secret_key,
                        const CredentialScope& scope) {
  {
    const std::scoped_lock lock(mutex_);
    for (const Entry& entry : entries_) {
      if (entry.date == scope.date && entry.access_key == access_key && entry.service == scope.service &&
          entry.region == scope.region && entry.secret_key == secret_key) {
        return entry.key;
      }
    }
  }
  Entry entry{std::string(access_key),   std::string(secret_key),    std::string(scope.date),
              std::string(scope.region), std::string(scope.service), derive_signing_key(secret_key, scope)};
  const Sha256 key = entry.key;
  const std::scoped_lock lock(mutex_);
  if (entries_.size() < kEntriesMax) {
    entries_.push_back(std::move(entry));
  } else {
    entries_[oldest_] = std::move(entry);
    oldest_ = (oldest_ + 1) % kEntriesMax;
  }
  return key;
}

}  // namespace millrace::identity
