#include "sim/sim_file.h"

#include <algorithm>

#include "base/assert.h"
#include "base/crc32c.h"

namespace millrace::sim {
namespace {

constexpr std::string_view kNoSpace = "No space left on device (simulated)";

}  // namespace

SimFile::SimFile(SimDisk& disk, InodePtr inode, std::string path, bool writable)
    : disk_(disk),
      inode_(std::move(inode)),
      path_(std::move(path)),
      writable_(writable),
      generation_(disk.generation_) {
  ++inode_->opens;
}

SimFile::~SimFile() { --inode_->opens; }

SimDisk::Fate SimFile::decide(Operation operation, std::uint64_t detail) {
  if (generation_ != disk_.generation_) return SimDisk::Fate::kDead;
  MR_ASSERT(writable_ || operation == Operation::kRead);
  return disk_.decide(operation, path_, detail);
}

Error SimFile::failure(ErrorKind kind, Operation operation, std::uint64_t offset,
                       std::string_view cause) const {
  return disk_.failure(kind, operation, path_ + " at " + std::to_string(offset), cause);
}

Result<std::size_t> SimFile::read_at(std::uint64_t offset, std::span<std::uint8_t> out) {
  switch (decide(Operation::kRead, offset)) {
    case SimDisk::Fate::kWorks:
      disk_.spend_time(Operation::kRead, out.size());
      return inode_->image.read(offset, out);
    case SimDisk::Fate::kFails:
      return failure(ErrorKind::kUnavailable, Operation::kRead, offset, kIoError);
    case SimDisk::Fate::kCrashes:
    case SimDisk::Fate::kDead:
      break;
  }
  return failure(ErrorKind::kUnavailable, Operation::kRead, offset, kMachineIsDown);
}

Result<std::uint64_t> SimFile::size() {
  if (generation_ != disk_.generation_ || disk_.crashed_)
    return failure(ErrorKind::kUnavailable, Operation::kRead, 0, kMachineIsDown);
  return inode_->image.size();
}

void SimFile::write_some(std::uint64_t offset, ByteView bytes) {
  SeededRandom& random = disk_.random_;
  // A process dies between two pages that it copies; only a disk leaves sectors out.
  const bool is_killed = disk_.crashed_ && disk_.crash_kind_ == Crash::kProcessKilled;
  switch (random.below(is_killed ? 3 : 4)) {
    case 0:
      return;
    case 1:
      inode_->image.write(offset, bytes);
      return;
    case 2:
      inode_->image.write(offset, bytes.first(random.between(0, bytes.size())));
      return;
    default:
      for (std::size_t begin = 0; begin < bytes.size();) {
        const std::size_t count =
            std::min(bytes.size() - begin, kSectorBytes - (offset + begin) % kSectorBytes);
        if (random.chance(0.5)) inode_->image.write(offset + begin, bytes.subspan(begin, count));
        begin += count;
      }
  }
}

Result<void> SimFile::write_at(std::uint64_t offset, std::span<const ByteView> pieces) {
  Bytes bytes;
  for (const ByteView piece : pieces) bytes.append(piece);
  if (disk_.crash_in_write_ && !disk_.crashed_ && generation_ == disk_.generation_) {
    const std::size_t kept = std::min(disk_.crash_write_bytes_, bytes.size());
    inode_->image.write(offset, bytes.view().first(kept));
    inode_->image.sync();
    disk_.crash(Crash::kPowerLoss);
  }
  const SimDisk::Fate fate =
      decide(Operation::kWrite, offset << 32 | crc32c(bytes.view()));  // the bytes belong to the trace
  if (fate == SimDisk::Fate::kDead)
    return failure(ErrorKind::kUnknown, Operation::kWrite, offset, kMachineIsDown);
  disk_.spend_time(Operation::kWrite, bytes.size());
  const std::uint64_t room = disk_.room();
  if (inode_->image.growth(offset, bytes.size()) > room) {
    std::size_t fits = 0;
    while (fits < bytes.size() && inode_->image.growth(offset, fits + 1) <= room)
      fits = std::min(bytes.size(), fits + kBlockBytes - (offset + fits) % kBlockBytes);
    inode_->image.write(offset, bytes.view().first(fits));
    return failure(ErrorKind::kUnavailable, Operation::kWrite, offset, kNoSpace);
  }
  if (fate == SimDisk::Fate::kWorks) {
    inode_->image.write(offset, bytes.view());
    return {};
  }
  write_some(offset, bytes.view());
  return failure(ErrorKind::kUnknown, Operation::kWrite, offset,
                 fate == SimDisk::Fate::kFails ? kIoError : kMachineIsDown);
}

Result<void> SimFile::sync() {
  const SimDisk::Fate fate = decide(Operation::kSync, 0);
  disk_.spend_time(Operation::kSync, 0);
  switch (fate) {
    case SimDisk::Fate::kWorks:
      inode_->image.sync();
      return {};
    case SimDisk::Fate::kFails:
      inode_->image.fail_sync(disk_.random_);
      return failure(ErrorKind::kUnknown, Operation::kSync, 0, kIoError);
    case SimDisk::Fate::kCrashes:
      inode_->image.sync_partly(disk_.random_);
      break;
    case SimDisk::Fate::kDead:
      break;
  }
  return failure(ErrorKind::kUnknown, Operation::kSync, 0, kMachineIsDown);
}

Result<void> SimFile::truncate(std::uint64_t size) {
  const SimDisk::Fate fate = decide(Operation::kTruncate, size);
  if (fate == SimDisk::Fate::kWorks || (fate != SimDisk::Fate::kDead && disk_.random_.chance(0.5)))
    inode_->image.truncate(size);
  if (fate == SimDisk::Fate::kWorks) return {};
  return failure(ErrorKind::kUnknown, Operation::kTruncate, size,
                 fate == SimDisk::Fate::kFails ? kIoError : kMachineIsDown);
}

}  // namespace millrace::sim
