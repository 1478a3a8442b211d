#include "app/disk_watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "app/secret_file.h"
#include "base/clock.h"
#include "store/folder_file.h"
#include "store/posix_disk.h"

namespace millrace::app {
namespace {

constexpr std::int64_t kEveryMs = 1'000;
constexpr std::string_view kName = "data_folder";
constexpr std::string_view kFilesName = "data_folder_files";

}  // namespace

DiskWatch::DiskWatch(store::Disk& disk, Conditions& conditions, Loop& loop)
    : disk_(disk),
      conditions_(conditions),
      loop_(loop),
      worker_(store::start_thread_worker("disk-watch", 0)) {}

void DiskWatch::start() { look_later(); }

void DiskWatch::look_later() {
  loop_.post_after(kEveryMs * kNsPerMs, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->look();
  });
}

// On the worker: a file system that does not answer must not hold a loop.
void DiskWatch::look() {
  worker_->run([this] {
    if (auto found = disk_.check_in_place(); found.ok())
      conditions_.end(kName);
    else
      conditions_.begin(
          {std::string(kName),
           "the data folder is not where the server opened it, or takes no writes: puts and changes are "
           "refused",
           std::move(found.error().text)});
    look_at_files();
    look_later();
  });
}

void DiskWatch::look_at_files() {
  std::set<std::string> there;
  // Whether the folder could be looked into: without a descriptor nothing can be said.
  const auto add = [&](std::string_view folder, auto wanted) {
    const auto names = disk_.list(folder);
    if (!names.ok()) return names.error().kind == ErrorKind::kNotFound;
    for (const std::string& name : *names)
      if (wanted(name)) there.insert(folder.empty() ? name : fmt::format("{}/{}", folder, name));
    return true;
  };
  const bool looked =
      add("", [](std::string_view name) { return name == store::kFolderFile || name == "keyring"; }) &&
      add(kSecretsFolder, [](std::string_view name) { return !name.ends_with(".new"); });
  if (!looked) return;
  std::vector<std::string> missing;
  std::set_difference(files_.begin(), files_.end(), there.begin(), there.end(), std::back_inserter(missing));
  files_.merge(there);
  if (missing.empty()) return conditions_.end(kFilesName);
  for (std::string& path : missing) path = disk_.describe(path);
  conditions_.begin({std::string(kFilesName),
                     "a file that the next start needs was removed from the data folder: put it back",
                     fmt::format("missing: {}", fmt::join(missing, ", "))});
}

}  // namespace millrace::app
