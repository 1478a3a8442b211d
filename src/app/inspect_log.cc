#include "app/inspect_log.h"

#include <cstdio>
#include <string_view>

#include "app/backup_folder.h"
#include "app/exit_code.h"
#include "log/inspect.h"
#include "log/lost_block.h"
#include "store/posix_disk.h"

namespace millrace::app {

namespace {

int refuse(const Error& error) {
  std::fprintf(stderr, "millrace: %s\n", error.text.c_str());
  return kFailed;
}

}  // namespace

int skip_block(const SkipBlock& command) {
  const auto number = log::segment_number(std::string_view(command.file).substr(command.file.rfind('/') + 1));
  if (!number) return refuse({ErrorKind::kInvalid, command.file + " is not the name of a segment"});
  if (const auto one = refuse_folder_of_backups(command.folder); !one.ok()) return refuse(one.error());
  // Which makes no folder where there is none.
  if (const auto there = store::open_posix_disk_read_only(command.folder); !there.ok())
    return refuse(there.error());
  const auto disk = store::open_posix_disk(command.folder);
  if (!disk.ok()) return refuse(disk.error());
  const auto lost = log::mark_block_lost(**disk, *number, command.position);
  if (!lost.ok()) return refuse(lost.error());
  std::printf("records %llu to %llu of shard %llu in the log are marked as lost: readers go on behind them\n",
              static_cast<unsigned long long>(lost->first_offset),
              static_cast<unsigned long long>(lost->end_offset() - 1),
              static_cast<unsigned long long>(to_number(lost->shard)));
  return 0;
}

int inspect_log(const InspectLog& command) {
  if (const auto one = refuse_folder_of_backups(command.folder); !one.ok()) return refuse(one.error());
  const auto disk = store::open_posix_disk_read_only(command.folder);
  if (!disk.ok()) return refuse(disk.error());
  const auto found = log::inspect(**disk, log::Inspect::kDump,
                                  [](const std::string& line) { std::printf("%s\n", line.c_str()); });
  if (!found.ok()) return refuse(found.error());
  std::printf(
      "%llu problems; %llu segments with %llu blocks, %llu groups in journals, %llu records readable\n",
      static_cast<unsigned long long>(found->problems), static_cast<unsigned long long>(found->segments),
      static_cast<unsigned long long>(found->blocks), static_cast<unsigned long long>(found->groups),
      static_cast<unsigned long long>(found->records));
  return found->problems == 0 ? 0 : kFailed;
}

}  // namespace millrace::app
