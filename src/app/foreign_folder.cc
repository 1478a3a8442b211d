#include "app/foreign_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "app/backup_folder.h"
#include "store/posix_disk.h"

namespace millrace::app {

Result<void> refuse_foreign_folder(const std::string& folder) {
  // LOCK and FOLDER.new: of a first start that was cut off.
  constexpr std::array<std::string_view, 5> kBeforeTheFirstStart = {"keyring", "tls", "lost+found", "LOCK",
                                                                    "FOLDER.new"};
  constexpr std::size_t kShown = 3;
  if (looks_like_data(folder)) return {};
  auto disk = store::open_posix_disk_read_only(folder);
  if (!disk.ok()) return {};  // it is made, or opening it says what is wrong
  MR_ASSIGN(std::vector<std::string> names, (*disk)->list(""));
  std::erase_if(names, [&](const std::string& name) {
    return name.starts_with('.') || std::find(kBeforeTheFirstStart.begin(), kBeforeTheFirstStart.end(),
                                              name) != kBeforeTheFirstStart.end();
  });
  if (names.empty()) return {};
  if (auto backups = refuse_folder_of_backups(folder); !backups.ok())
    return Error{ErrorKind::kConflict, std::move(backups).error().text};
  const std::size_t more = names.size() - std::min(names.size(), kShown);
  names.resize(names.size() - more);
  return Error{
      ErrorKind::kConflict,
      fmt::format("{} is no data folder, and not empty: it has {}{}. Name a data folder, or one that is new "
                  "or empty. Nothing was changed",
                  folder, fmt::join(names, ", "), more == 0 ? "" : fmt::format(" and {} more", more))};
}

}  // namespace millrace::app
