#include "app/verify.h"

#include <fmt/format.h>

#include <cstdio>
#include <string>

#include "app/backup_folder.h"
#include "app/backup_mark.h"
#include "app/exit_code.h"
#include "app/keyring_file.h"
#include "app/whole_check.h"
#include "store/posix_disk.h"

namespace millrace::app {
namespace {

Result<WholeCheck> verify_all(const Verify& command) {
  MR_TRY(refuse_folder_of_backups(command.folder));
  MR_TRY(store::check_not_in_use(command.folder));
  MR_ASSIGN(const auto disk, store::open_posix_disk_read_only(command.folder));
  const auto line = [](const std::string& text) { std::printf("%s\n", text.c_str()); };
  MR_ASSIGN(WholeCheck whole, check_whole(*disk, keyring_path(command.keyring, command.folder), line));
  if (const auto mark = disk->open(kRestoreMark, store::Disk::Mode::kRead); mark.ok()) {
    line(fmt::format("{} is there: this folder is an unfinished restore", disk->describe(kRestoreMark)));
    ++whole.problems;
  }
  return whole;
}

}  // namespace

int verify(const Verify& command) {
  const auto whole = verify_all(command);
  if (!whole.ok()) {
    std::fprintf(stderr, "millrace: %s\n", whole.error().text.c_str());
    return kFailed;
  }
  const log::Inspection& found = whole->found;
  std::printf(
      "%llu problems; %llu segments with %llu blocks, %llu groups in journals, %llu records readable\n",
      static_cast<unsigned long long>(whole->problems), static_cast<unsigned long long>(found.segments),
      static_cast<unsigned long long>(found.blocks), static_cast<unsigned long long>(found.groups),
      static_cast<unsigned long long>(found.records));
  return whole->problems == 0 ? 0 : kFailed;
}

}  // namespace millrace::app
