// bench/fdatasync.cc: what the disk itself needs to make bytes durable: the floor of every acknowledgement.
// bench_fdatasync FILE BYTES SECONDS [RATE]: writes of BYTES onto blocks that are already written become due
// RATE times a second, and what is due when the disk is free is written and synced together: how long each
// waited, from when it was due. Without RATE, one at a time, as often as it can. Prints one JSON line. The
// file is removed.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

#include "base/assert.h"
#include "load/event_loop.h"
#include "load/histogram.h"

namespace {

constexpr std::size_t kFileBytes = 64u << 20;  // as one journal file

void write_whole(int fd, const std::string& block, off_t offset) {
  MR_ASSERT(pwrite(fd, block.data(), block.size(), offset) == static_cast<ssize_t>(block.size()));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    fmt::print(stderr, "usage: bench_fdatasync FILE BYTES SECONDS [RATE]\n");
    return 2;
  }
  const std::string path = argv[1];
  const auto bytes = static_cast<std::size_t>(std::atoll(argv[2]));
  const double seconds = std::atof(argv[3]);
  const double rate = argc > 4 ? std::atof(argv[4]) : 0;
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0 || bytes == 0 || bytes > kFileBytes) {
    fmt::print(stderr, "bench_fdatasync: cannot write {} bytes to {}\n", bytes, path);
    return 1;
  }
  const std::string block(bytes, 'x');
  const std::size_t blocks = kFileBytes / bytes;
  for (std::size_t i = 0; i < blocks; ++i) write_whole(fd, block, static_cast<off_t>(i * bytes));
  MR_ASSERT(fsync(fd) == 0);

  millrace::load::Histogram histogram;
  const std::int64_t begin_us = millrace::load::now_us();
  const std::int64_t end_us = begin_us + static_cast<std::int64_t>(seconds * 1e6);
  const auto due_us = [&](std::size_t i) {
    return begin_us + static_cast<std::int64_t>(static_cast<double>(i) / rate * 1e6);
  };
  std::size_t syncs = 0;
  for (std::size_t i = 0; millrace::load::now_us() < end_us; ++syncs) {
    if (rate > 0 && due_us(i) > millrace::load::now_us())
      std::this_thread::sleep_for(std::chrono::microseconds(due_us(i) - millrace::load::now_us()));
    const std::int64_t from_us = millrace::load::now_us();
    std::size_t next = i + 1;
    if (rate > 0)
      while (next < i + blocks && due_us(next) <= from_us) ++next;
    for (std::size_t k = i; k < next; ++k) write_whole(fd, block, static_cast<off_t>(k % blocks * bytes));
    MR_ASSERT(fdatasync(fd) == 0);
    const std::int64_t to_us = millrace::load::now_us();
    for (; i < next; ++i) histogram.add(to_us - (rate > 0 ? due_us(i) : from_us));
  }
  close(fd);
  unlink(path.c_str());
  fmt::print(
      R"({{"bytes":{},"syncs":{},"writes":{},"p50_us":{},"p90_us":{},"p99_us":{},"p999_us":{},"max_us":{}}})"
      "\n",
      bytes, syncs, histogram.count(), histogram.quantile_us(0.5), histogram.quantile_us(0.9),
      histogram.quantile_us(0.99), histogram.quantile_us(0.999), histogram.max_us());
}
