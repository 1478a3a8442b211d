#include "sim/sim_disk.h"

#include <algorithm>

#include "base/assert.h"
#include "sim/sim_file.h"

namespace millrace::sim {
namespace {

constexpr std::string_view kNoSuchFile = "No such file or directory";
constexpr std::string_view kFileExists = "File exists";

constexpr std::string_view name_of(Operation operation) {
  switch (operation) {
    case Operation::kRead:
      return "read";
    case Operation::kMakeFolder:
      return "make folder";
    case Operation::kCreate:
      return "create";
    case Operation::kWrite:
      return "write";
    case Operation::kSync:
      return "sync";
    case Operation::kTruncate:
      return "truncate";
    case Operation::kRename:
      return "rename";
    case Operation::kRemove:
      return "remove";
    case Operation::kSyncFolder:
      return "sync folder";
  }
  return "";
}

}  // namespace

Error SimDisk::failure(ErrorKind kind, Operation operation, std::string_view path,
                       std::string_view cause) const {
  return {kind, std::string(name_of(operation)) + ' ' + describe(path) + ": " + std::string(cause)};
}

void SimDisk::crash_at_operation(std::uint64_t n, Crash kind) {
  MR_ASSERT(n > operations_);
  crash_at_ = n;
  crash_kind_ = kind;
}

void SimDisk::crash_in_next_write(std::size_t bytes_kept) {
  crash_in_write_ = true;
  crash_write_bytes_ = bytes_kept;
}

void SimDisk::crash(Crash kind) {
  MR_ASSERT(!crashed_);
  crashed_ = true;
  crash_kind_ = kind;
}

void SimDisk::restart() {
  MR_ASSERT(crashed_);
  if (crash_kind_ == Crash::kPowerLoss) {
    names_.lose_power(random_, names_in_order_);
    for (const InodePtr& inode : names_.inodes()) inode->image.lose_power(random_);
  }
  crashed_ = false;
  crash_in_write_ = false;
  crash_at_ = UINT64_MAX;
  ++generation_;
  fail_next_.clear();
  std::erase_if(inodes_, [](const std::weak_ptr<Inode>& inode) { return inode.expired(); });
}

bool SimDisk::draws_fault(Operation operation) {
  const auto scripted = std::find(fail_next_.begin(), fail_next_.end(), operation);
  if (scripted != fail_next_.end()) {
    fail_next_.erase(scripted);
    return true;
  }
  switch (operation) {
    case Operation::kRead:
      return random_.chance(faults_.read);
    case Operation::kWrite:
    case Operation::kTruncate:
      return random_.chance(faults_.write);
    case Operation::kSync:
      return random_.chance(faults_.sync);
    case Operation::kMakeFolder:
    case Operation::kCreate:
    case Operation::kRename:
    case Operation::kRemove:
      return random_.chance(faults_.names);
    case Operation::kSyncFolder:
      return random_.chance(std::max(faults_.names, faults_.folder_syncs));
  }
  return false;
}

SimDisk::Fate SimDisk::decide(Operation operation, std::string_view path, std::uint64_t detail) {
  if (crashed_) return Fate::kDead;
  if (operation != Operation::kRead) ++operations_;
  if (world_ != nullptr) {
    world_->trace(static_cast<std::uint64_t>(operation));
    world_->trace(path);
    world_->trace(detail);
  }
  if (operation != Operation::kRead && operations_ == crash_at_) {
    crashed_ = true;
    return Fate::kCrashes;
  }
  return draws_fault(operation) ? Fate::kFails : Fate::kWorks;
}

// About what was measured on the disks we know: 0.1 to 0.4 ms a sync, now and then much more.
void SimDisk::spend_time(Operation operation, std::uint64_t bytes) {
  if (world_ == nullptr) return;
  constexpr std::uint64_t kBytesPerMicrosecond = 2'000;
  constexpr double kSlowSyncs = 0.01;
  std::uint64_t ns = 1'000 * (2 + bytes / kBytesPerMicrosecond);
  if (operation == Operation::kSync)
    ns = random_.chance(kSlowSyncs) ? random_.between(1'000'000, 30'000'000)
                                    : random_.between(100'000, 400'000);
  world_->spend(static_cast<std::int64_t>(ns));
}

std::uint64_t SimDisk::used_bytes() const {
  std::uint64_t bytes = 0;
  for (const std::weak_ptr<Inode>& weak : inodes_)
    if (const InodePtr inode = weak.lock(); inode && (inode->names > 0 || inode->opens > 0))
      bytes += inode->image.allocated_bytes();
  return bytes;
}

std::uint64_t SimDisk::room() const {
  if (capacity_ == kCapacityAtFirst) return capacity_;  // nobody asks: save the count
  const std::uint64_t used = used_bytes();
  return used < capacity_ ? capacity_ - used : 0;
}

InodePtr SimDisk::add_inode() {
  auto inode = std::make_shared<Inode>();
  inode->number = ++inodes_made_;
  inodes_.push_back(inode);
  return inode;
}

Bytes SimDisk::file_bytes(std::string_view path) const {
  const InodePtr inode = names_.find(path);
  MR_ASSERT(inode != nullptr);
  Bytes content;
  content.resize(inode->image.size());
  inode->image.read(0, {content.data(), content.size()});
  return content;
}

void SimDisk::flip_bit(std::string_view path, std::uint64_t bit) {
  const InodePtr inode = names_.find(path);
  MR_ASSERT(inode != nullptr);
  inode->image.flip_bit(bit);
}

void SimDisk::cut(std::string_view path, std::uint64_t size) {
  const InodePtr inode = names_.find(path);
  MR_ASSERT(inode != nullptr);
  inode->image.cut(size);
}

Result<std::unique_ptr<store::File>> SimDisk::open(std::string_view path, Mode mode) {
  if (crashed_) return failure(ErrorKind::kUnavailable, Operation::kRead, path, kMachineIsDown);
  if (files_used_up_) return failure(ErrorKind::kUnavailable, Operation::kRead, path, kTooManyOpenFiles);
  InodePtr inode = names_.find(path);
  if (mode == Mode::kCreate) {
    if (inode) return failure(ErrorKind::kConflict, Operation::kCreate, path, kFileExists);
    if (!names_.has_folder(NameSpace::folder_of(path)))
      return failure(ErrorKind::kNotFound, Operation::kCreate, path, kNoSuchFile);
    inode = add_inode();
    // A failed creation made nothing, says the contract; only a crash leaves the question open.
    const Fate fate = decide(Operation::kCreate, path);
    if (fate == Fate::kWorks || (fate == Fate::kCrashes && random_.chance(0.5))) names_.link(path, inode);
    if (fate != Fate::kWorks) return failure(ErrorKind::kUnavailable, Operation::kCreate, path, kIoError);
  } else if (!inode) {
    return failure(ErrorKind::kNotFound, Operation::kRead, path, kNoSuchFile);
  }
  return std::unique_ptr<store::File>(
      std::make_unique<SimFile>(*this, std::move(inode), std::string(path), mode != Mode::kRead));
}

Result<std::vector<std::string>> SimDisk::list(std::string_view folder) {
  if (crashed_) return failure(ErrorKind::kUnavailable, Operation::kRead, folder, kMachineIsDown);
  if (files_used_up_) return failure(ErrorKind::kUnavailable, Operation::kRead, folder, kTooManyOpenFiles);
  if (!names_.has_folder(folder)) return failure(ErrorKind::kNotFound, Operation::kRead, folder, kNoSuchFile);
  return names_.entries(folder);
}

Result<void> SimDisk::change_names(Operation operation, std::string_view path,
                                   const std::function<void()>& change) {
  const Fate fate = decide(operation, path);
  if (fate == Fate::kWorks || (fate != Fate::kDead && random_.chance(0.5))) change();
  if (fate == Fate::kWorks) return {};
  return failure(ErrorKind::kUnknown, operation, path, fate == Fate::kFails ? kIoError : kMachineIsDown);
}

Result<void> SimDisk::make_folder(std::string_view folder) {
  if (files_used_up_)
    return failure(ErrorKind::kUnavailable, Operation::kMakeFolder, folder, kTooManyOpenFiles);
  return change_names(Operation::kMakeFolder, folder, [&] { names_.make_folder(folder); });
}

Result<void> SimDisk::move(std::string_view from, std::string_view to, bool over) {
  if (crashed_) return failure(ErrorKind::kUnknown, Operation::kRename, from, kMachineIsDown);
  if (!names_.find(from) || !names_.has_folder(NameSpace::folder_of(to)))
    return failure(ErrorKind::kNotFound, Operation::kRename, from, kNoSuchFile);
  if (!over && names_.find(to)) return failure(ErrorKind::kConflict, Operation::kRename, to, kFileExists);
  return change_names(Operation::kRename, to, [&] { names_.rename(from, to); });
}

Result<void> SimDisk::rename(std::string_view from, std::string_view to) { return move(from, to, true); }
Result<void> SimDisk::rename_new(std::string_view from, std::string_view to) { return move(from, to, false); }

Result<void> SimDisk::remove(std::string_view path) {
  return change_names(Operation::kRemove, path, [&] {
    if (names_.find(path)) names_.unlink(path);
  });
}

Result<void> SimDisk::sync_folder(std::string_view folder) {
  if (!names_.has_folder(folder))
    return failure(ErrorKind::kNotFound, Operation::kSyncFolder, folder, kNoSuchFile);
  if (files_used_up_)
    return failure(ErrorKind::kUnavailable, Operation::kSyncFolder, folder, kTooManyOpenFiles);
  return change_names(Operation::kSyncFolder, folder, [&] { names_.sync_folder(folder); });
}

Result<std::uint64_t> SimDisk::free_bytes() {
  if (crashed_) return failure(ErrorKind::kUnavailable, Operation::kRead, "", kMachineIsDown);
  return room();
}

}  // namespace millrace::sim
