#include "app/disk_watch.h"

#include <utility>

#include "base/clock.h"
#include "store/posix_disk.h"

namespace millrace::app {
namespace {

constexpr std::int64_t kEveryMs = 1'000;
constexpr std::string_view kName = "data_folder";

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
    look_later();
  });
}

}  // namespace millrace::app
