#include "app/process_stats.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace millrace::app {
namespace {

// The fields of /proc/self/stat behind the process's name, which may hold blanks: the first is field 3.
std::vector<std::string> stat_fields() {
  std::ifstream file("/proc/self/stat");
  std::string line;
  std::getline(file, line);
  const std::size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) return {};
  std::istringstream rest(line.substr(name_end + 1));
  std::vector<std::string> fields;
  for (std::string field; rest >> field;) fields.push_back(field);
  return fields;
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

ProcessStats read_process_stats() {
  ProcessStats stats;
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) == 0) stats.cpu_s = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  const auto fields = stat_fields();
  constexpr std::size_t kThreads = 20 - 3;
  constexpr std::size_t kVirtualBytes = 23 - 3;
  constexpr std::size_t kResidentPages = 24 - 3;
  if (fields.size() > kResidentPages) {
    stats.threads = std::stoull(fields[kThreads]);
    stats.virtual_bytes = std::stoull(fields[kVirtualBytes]);
    stats.resident_bytes =
        std::stoull(fields[kResidentPages]) * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  }
  std::error_code failed;
  for (std::filesystem::directory_iterator file("/proc/self/fd", failed), end; !failed && file != end;
       file.increment(failed)) {
    ++stats.open_files;
  }
  stats.open_files_max = read_open_files_max();
  return stats;
}

std::uint64_t read_open_files_max() {
  rlimit limit{};
  return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 0;
}

std::uint64_t raise_open_files_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const rlim_t before = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  return setrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : before;
}

}  // namespace millrace::app
