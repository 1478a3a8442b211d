#include "app/inspect_log.h"

#include <cstdio>

#include "log/inspect.h"
#include "store/posix_disk.h"

namespace millrace::app {

int inspect_log(const InspectLog& command) {
  const auto refuse = [](const Error& error) {
    std::fprintf(stderr, "millrace: %s\n", error.text.c_str());
    return 1;
  };
  const auto disk = store::open_posix_disk_read_only(command.folder);
  if (!disk.ok()) return refuse(disk.error());
  const bool dump = command.what == InspectLog::What::kDump;
  const auto found = log::inspect(**disk, dump ? log::Inspect::kDump : log::Inspect::kVerify,
                                  [](const std::string& line) { std::printf("%s\n", line.c_str()); });
  if (!found.ok()) return refuse(found.error());
  std::printf(
      "%llu problems; %llu segments with %llu blocks, %llu groups in journals, %llu records readable\n",
      static_cast<unsigned long long>(found->problems), static_cast<unsigned long long>(found->segments),
      static_cast<unsigned long long>(found->blocks), static_cast<unsigned long long>(found->groups),
      static_cast<unsigned long long>(found->records));
  return found->problems == 0 ? 0 : 1;
}

}  // namespace millrace::app
