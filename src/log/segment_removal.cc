#include "log/segment_removal.h"

#include <utility>

namespace millrace::log {

namespace {

// What a freed byte takes of the disk's time, beside a written one.
constexpr std::uint64_t kFreedPerWritten = 4;

}  // namespace

void SegmentRemoval::add(std::shared_ptr<Segment> segment) { leaving_.push_back({segment, segment->path()}); }

void SegmentRemoval::run() {
  std::erase_if(leaving_, [this](const Leaving& segment) {
    if (!segment.held.expired() || context_.removals_held > 0) return false;
    const auto shrunk = shrink(segment.path);
    if (shrunk.ok() || !context_.pace.ended())
      static_cast<void>(context_.environment.disk.remove(segment.path).ok());
    return true;
  });
  waiting_.store(leaving_.size(), std::memory_order_relaxed);
}

Result<void> SegmentRemoval::shrink(const std::string& path) {
  const std::uint64_t piece = context_.options.freed_at_once_bytes;
  MR_ASSIGN(const auto file, context_.environment.disk.open(path, store::Disk::Mode::kWrite));
  MR_ASSIGN(std::uint64_t left, file->size());
  while (left > piece) {
    left -= piece;
    MR_TRY(file->truncate(left));
    MR_TRY(context_.pace.sync(*file, piece / kFreedPerWritten));
  }
  return {};
}

}  // namespace millrace::log
