// sim/sim_disk.h: a Disk in memory that does what real disks do to programs: it loses what was not synced,
// tears what it was writing, fails, fills up and rots; all of it decided by a seed.
//
// A power loss leaves of each file what file_image.h says, and of the names what name_space.h says. A killed
// process loses nothing that it wrote, but what it did not sync can still be lost to a later power loss.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sim/file_image.h"
#include "sim/name_space.h"
#include "sim/seeded_random.h"
#include "sim/sim_world.h"
#include "store/disk.h"

namespace millrace::sim {

enum class Crash : std::uint8_t { kPowerLoss, kProcessKilled };

enum class Operation : std::uint8_t {
  kRead,  // not counted by operations()
  kMakeFolder,
  kCreate,
  kWrite,
  kSync,
  kTruncate,
  kRename,  // rename_new too
  kRemove,
  kSyncFolder,
};

// Causes, as they stand in an error's text.
inline constexpr std::string_view kIoError = "Input/output error (simulated)";
inline constexpr std::string_view kTooManyOpenFiles = "Too many open files (simulated)";
inline constexpr std::string_view kMachineIsDown = "the machine is down (simulated)";

// Probabilities that an operation fails as with EIO.
struct DiskFaults {
  double read = 0;
  double write = 0;  // truncate too
  double sync = 0;
  double names = 0;  // create, rename, remove, sync_folder, make_folder
  double folder_syncs = 0;
};

// One thread. Files opened from it must not outlive it.
class SimDisk final : public store::Disk {
 public:
  // world    when given, operations take its time and go into its trace; outlives the disk
  explicit SimDisk(Seed seed, SimWorld* world = nullptr) : random_(seed), world_(world) {}

  // Operations that change something, since the disk was made.
  std::uint64_t operations() const { return operations_; }
  // Operation number `n` (the first is 1; not yet reached) happens not, in part or in full, and fails; so do
  // all later ones, reads too, until restart().
  void crash_at_operation(std::uint64_t n, Crash kind);
  // As above, in the next write: exactly its first `bytes_kept` bytes, and what was synced before, are on the
  // disk.
  void crash_in_next_write(std::size_t bytes_kept);
  // Now, between two operations.
  void crash(Crash kind);
  bool crashed() const { return crashed_; }
  // Back up, after a crash: with what that left. Files opened before stay useless. Also undoes
  // crash_at_operation.
  void restart();
  // On a power loss, of a folder's changes those before some point survive, and no others (as ext4 does it).
  // Otherwise (as at first) any of them.
  void keep_name_order(bool kept) { names_in_order_ = kept; }

  void set_faults(DiskFaults faults) { faults_ = faults; }
  // While true nothing can be opened or listed and no folder synced: as with EMFILE, nothing is tried.
  void use_up_open_files(bool used_up) { files_used_up_ = used_up; }
  // The next operation of this kind fails, once a call.
  void fail_next(Operation operation) { fail_next_.push_back(operation); }
  static constexpr std::uint64_t kCapacityAtFirst = std::uint64_t{1} << 40;
  // What fits; more is kUnavailable (no space).
  void set_capacity(std::uint64_t bytes) { capacity_ = bytes; }
  std::uint64_t used_bytes() const;

  // Files that there are, whole paths, sorted; their content as programs see it.
  std::vector<std::string> paths() const { return names_.files(); }
  Bytes file_bytes(std::string_view path) const;
  // Bit rot, and a file cut short; the file is there and long enough.
  void flip_bit(std::string_view path, std::uint64_t bit);
  void cut(std::string_view path, std::uint64_t size);

  Result<std::unique_ptr<store::File>> open(std::string_view path, Mode mode) override;
  Result<std::vector<std::string>> list(std::string_view folder) override;
  Result<void> make_folder(std::string_view folder) override;
  Result<void> rename(std::string_view from, std::string_view to) override;
  Result<void> rename_new(std::string_view from, std::string_view to) override;
  Result<void> remove(std::string_view path) override;
  Result<void> sync_folder(std::string_view folder) override;
  Result<void> check_in_place() override { return {}; }
  Result<std::uint64_t> free_bytes() override;
  std::string describe(std::string_view path) const override { return "sim:/" + std::string(path); }

 private:
  friend class SimFile;

  enum class Fate : std::uint8_t { kWorks, kFails, kCrashes, kDead };
  // Counts and traces an operation and decides what becomes of it.
  Fate decide(Operation operation, std::string_view path, std::uint64_t detail = 0);
  void spend_time(Operation operation, std::uint64_t bytes);
  bool draws_fault(Operation operation);
  // A change of a name that either happens or not; what it is when it does not work out.
  Result<void> change_names(Operation operation, std::string_view path, const std::function<void()>& change);
  Result<void> move(std::string_view from, std::string_view to, bool over);
  Error failure(ErrorKind kind, Operation operation, std::string_view path, std::string_view cause) const;
  InodePtr add_inode();
  std::uint64_t room() const;

  SeededRandom random_;
  SimWorld* world_;
  NameSpace names_;
  std::vector<std::weak_ptr<Inode>> inodes_;  // all that were made and may still be open
  std::uint64_t inodes_made_ = 0;
  std::uint64_t operations_ = 0;
  std::uint64_t generation_ = 0;  // of restarts: a file opened in an earlier one is dead
  std::uint64_t crash_at_ = UINT64_MAX;
  Crash crash_kind_ = Crash::kPowerLoss;
  bool crash_in_write_ = false;
  std::size_t crash_write_bytes_ = 0;
  bool crashed_ = false;
  bool names_in_order_ = false;
  bool files_used_up_ = false;
  DiskFaults faults_;
  std::vector<Operation> fail_next_;
  std::uint64_t capacity_ = kCapacityAtFirst;
};

}  // namespace millrace::sim
