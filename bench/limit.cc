// bench/limit.cc: what one core can do at most with a signed PutRecords body, before any network, routing or
// storage: SHA-256 of the body, simdjson over it, base64 of each payload, MD5 of each key. bench_limit
// [SECONDS] [RECORD_BYTES]: prints one JSON line, once with plain libraries (OpenSSL, one record at a time)
// and once with the wide kernels of src/base.
#include <fmt/format.h>
#include <openssl/evp.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "base/base64.h"
#include "base/bytes.h"
#include "base/md5.h"
#include "load/event_loop.h"
#include "load/event_source.h"
#include "load/put_body.h"

namespace {

using namespace millrace;

constexpr std::size_t kBatch = 500;

struct Parsed {
  std::vector<std::string_view> data;
  std::vector<ByteView> keys;
};

std::string make_body(std::size_t record_bytes) {
  const auto source =
      load::synthetic_events({.record_bytes = record_bytes, .lanes = 1, .burst = kBatch, .rate = 0});
  load::PutBody body("bench");
  while (body.count() < kBatch) {
    const load::Event& event = *source->peek();
    body.add({body.count(), 0, load::now_us()}, event.key, event.rest);
    source->pop();
  }
  body.finish();
  return body.take_json();
}

void parse(simdjson::ondemand::parser& parser, const simdjson::padded_string& body, Parsed& parsed) {
  parsed.data.clear();
  parsed.keys.clear();
  simdjson::ondemand::document document = parser.iterate(body);
  for (simdjson::ondemand::object record : document["Records"].get_array()) {
    parsed.data.push_back(record["Data"].get_string());
    parsed.keys.push_back(as_bytes(record["PartitionKey"].get_string()));
  }
  MR_ASSERT(parsed.data.size() == kBatch);
}

// Microseconds of one `step`, the median of many within `seconds`.
double median_us(double seconds, const std::function<void()>& step) {
  std::vector<std::int64_t> times;
  constexpr int kRepeats = 10;
  const std::int64_t end_us = load::now_us() + static_cast<std::int64_t>(seconds * 1e6);
  while (load::now_us() < end_us || times.empty()) {
    const std::int64_t from_us = load::now_us();
    for (int i = 0; i < kRepeats; ++i) step();
    times.push_back(load::now_us() - from_us);
  }
  std::ranges::nth_element(times, times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2));
  return static_cast<double>(times[times.size() / 2]) / kRepeats;
}

}  // namespace

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 3;
  const auto record_bytes = static_cast<std::size_t>(argc > 2 ? std::atoll(argv[2]) : 150);
  const std::string text = make_body(record_bytes);
  const simdjson::padded_string body(text);
  simdjson::ondemand::parser parser;
  Parsed parsed;
  const EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  const EVP_MD* const md5 = EVP_MD_fetch(nullptr, "MD5", nullptr);
  std::array<unsigned char, 32> digest;
  std::vector<Md5Digest> digests(kBatch);
  std::vector<std::uint8_t> payload(record_bytes + 256);

  const auto hash = [&] { EVP_Digest(text.data(), text.size(), digest.data(), nullptr, sha256, nullptr); };
  const auto parse_all = [&] { parse(parser, body, parsed); };
  const auto base64_plain = [&] {
    for (const std::string_view data : parsed.data) {
      MR_ASSERT(EVP_DecodeBlock(payload.data(), as_bytes(data).data(), static_cast<int>(data.size())) > 0);
    }
  };
  const auto md5_plain = [&] {
    for (const ByteView key : parsed.keys)
      EVP_Digest(key.data(), key.size(), digest.data(), nullptr, md5, nullptr);
  };
  const auto base64_wide = [&] {
    for (const std::string_view data : parsed.data) MR_ASSERT(base64_decode(data, payload.data()));
  };
  const auto md5_wide = [&] { md5_each(parsed.keys, digests); };

  parse_all();
  const double share = seconds / 8;
  const double sha256_us = median_us(share, hash), parse_us = median_us(share, parse_all);
  const double base64_plain_us = median_us(share, base64_plain), md5_plain_us = median_us(share, md5_plain);
  const double base64_wide_us = median_us(share, base64_wide), md5_wide_us = median_us(share, md5_wide);
  const double plain_us = median_us(share, [&] { hash(), parse_all(), base64_plain(), md5_plain(); });
  const double wide_us = median_us(share, [&] { hash(), parse_all(), base64_wide(), md5_wide(); });
  fmt::print(R"({{"body_bytes":{},"records":{},"sha256_us":{:.1f},"simdjson_us":{:.1f},)"
             R"("plain":{{"base64_us":{:.1f},"md5_us":{:.1f},"body_us":{:.1f},"records_per_s":{:.0f}}},)"
             R"("wide":{{"base64_us":{:.1f},"md5_us":{:.1f},"body_us":{:.1f},"records_per_s":{:.0f}}}}})"
             "\n",
             text.size(), kBatch, sha256_us, parse_us, base64_plain_us, md5_plain_us, plain_us,
             kBatch / plain_us * 1e6, base64_wide_us, md5_wide_us, wide_us, kBatch / wide_us * 1e6);
}
