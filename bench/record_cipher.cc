// How fast a core encrypts and decrypts runs of records: bench_record_cipher [seconds a row]
#include <fmt/format.h>

#include <cstdlib>

#include "base/clock.h"
#include "base/random.h"
#include "keys/record_key.h"
#include "log/run_codec.h"

namespace {

using namespace millrace;

// Calls `work` for so long; bytes a second.
template <typename Work>
double rate(std::size_t bytes, double seconds, Work work) {
  const std::int64_t begin_ns = system_clock().monotonic_ns();
  const auto end_ns = begin_ns + static_cast<std::int64_t>(seconds * 1e9);
  std::uint64_t count = 0;
  std::int64_t now_ns = begin_ns;
  for (; now_ns < end_ns; now_ns = system_clock().monotonic_ns(), count += 16)
    for (int i = 0; i < 16; ++i) work();
  return static_cast<double>(count * bytes) / static_cast<double>(now_ns - begin_ns) * 1e9;
}

}  // namespace

int main(int count, char** arguments) {
  const double seconds = count > 1 ? std::strtod(arguments[1], nullptr) : 1;
  keys::Secret secret;
  system_random().fill(secret.room());
  keys::RecordKey key(1, secret, system_random());
  fmt::print("{:>12} {:>16} {:>16}\n", "run, bytes", "encrypt, GB/s", "decrypt, GB/s");
  for (const std::size_t bytes : {200u, 1'024u, 16'384u, 65'536u}) {
    Bytes run;
    run.resize(log::kRunHeaderBytes + log::kCipherHeadBytes + bytes + log::kCipherTagBytes);
    log::store_run_header(run.data(), {log::ShardKey{1}, 0, 0, 1,
                                       static_cast<std::uint32_t>(run.size() - log::kRunHeaderBytes), true});
    Bytes plain;
    const double encrypt = rate(bytes, seconds, [&] { key.encrypt(0, {run.data(), run.size()}); });
    const double decrypt = rate(bytes, seconds, [&] {
      plain.clear();
      if (!key.decrypt(run.view(), plain).ok()) std::abort();
    });
    fmt::print("{:>12} {:>16.2f} {:>16.2f}\n", bytes, encrypt / 1e9, decrypt / 1e9);
  }
}
