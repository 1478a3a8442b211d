#include "load/signer.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <ctime>
#include <utility>

#include "base/assert.h"

namespace millrace::load {
namespace {

// Fetched once: OpenSSL 3 looks an algorithm up under a lock otherwise.
const EVP_MD* sha256_algorithm() {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return algorithm;
}

std::string hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * bytes.size());
  for (const char byte : bytes) {
    text.push_back(kDigits[static_cast<unsigned char>(byte) >> 4]);
    text.push_back(kDigits[static_cast<unsigned char>(byte) & 15]);
  }
  return text;
}

std::string sha256_hex(std::string_view text) {
  std::array<unsigned char, 32> digest;
  MR_ASSERT(EVP_Digest(text.data(), text.size(), digest.data(), nullptr, sha256_algorithm(), nullptr) == 1);
  return hex({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

std::string hmac(std::string_view key, std::string_view text) {
  std::array<unsigned char, 32> digest;
  MR_ASSERT(HMAC(sha256_algorithm(), key.data(), static_cast<int>(key.size()),
                 reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), nullptr));
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

}  // namespace

Signer::Signer(Credentials credentials, std::string authority)
    : credentials_(std::move(credentials)), authority_(std::move(authority)) {}

std::string Signer::head(std::string_view operation, std::string_view body, std::int64_t at_us,
                         std::string_view content_type) {
  const std::time_t seconds = at_us / 1'000'000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  std::array<char, 17> stamp;
  std::strftime(stamp.data(), stamp.size(), "%Y%m%dT%H%M%SZ", &utc);
  const std::string_view time(stamp.data(), 16);
  const std::string day(time.substr(0, 8));
  if (day != day_) {
    day_ = day;
    const std::string date_key = hmac("AWS4" + credentials_.secret_key, day);
    signing_key_ = hmac(hmac(hmac(date_key, credentials_.region), "kinesis"), "aws4_request");
  }

  constexpr std::string_view kSigned = "content-type;host;x-amz-date;x-amz-target";
  const std::string target = fmt::format("Kinesis_20131202.{}", operation);
  const std::string canonical =
      fmt::format("POST\n/\n\ncontent-type:{}\nhost:{}\nx-amz-date:{}\nx-amz-target:{}\n\n{}\n{}",
                  content_type, authority_, time, target, kSigned, sha256_hex(body));
  const std::string scope = fmt::format("{}/{}/kinesis/aws4_request", day, credentials_.region);
  const std::string to_sign = fmt::format("AWS4-HMAC-SHA256\n{}\n{}\n{}", time, scope, sha256_hex(canonical));
  return fmt::format(
      "POST / HTTP/1.1\r\nHost: {}\r\nContent-Type: {}\r\nX-Amz-Date: {}\r\nX-Amz-Target: {}\r\n"
      "Authorization: AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={}, Signature={}\r\nContent-Length: "
      "{}\r\n\r\n",
      authority_, content_type, time, target, credentials_.access_key, scope, kSigned,
      hex(hmac(signing_key_, to_sign)), body.size());
}

}  // namespace millrace::load
