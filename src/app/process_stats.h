// app/process_stats.h: what the kernel says of this process.
#pragma once

#include <cstdint>

namespace millrace::app {

struct ProcessStats {
  double cpu_s = 0;
  std::uint64_t resident_bytes = 0;
  std::uint64_t virtual_bytes = 0;
  std::uint64_t threads = 0;
  std::uint64_t open_files = 0;
  std::uint64_t open_files_max = 0;
};

// Reads /proc/self: some tens of microseconds, more with many open files. Any thread.
ProcessStats read_process_stats();

// Lets the process open as many files as its hard limit allows; returns how many that is.
std::uint64_t raise_open_files_limit();
// How many there may be now; 0 where the system does not say.
std::uint64_t read_open_files_max();

}  // namespace millrace::app
