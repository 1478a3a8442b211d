// sim/file_image.h: one file of a simulated disk: what programs see, and what a power loss would leave.
//
// The unit that a disk writes as a whole is a sector of 512 bytes. A sector that was written since the last
// sync is dirty: a power loss leaves any of its versions since then, each sector for itself. After a failed
// sync a sector may be lost: programs still see it, but no later sync brings it to the disk (what Linux does,
// "fsyncgate").
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "sim/seeded_random.h"

namespace millrace::sim {

inline constexpr std::size_t kSectorBytes = 512;
inline constexpr std::size_t kBlockBytes = 4096;  // shared between images until one of them changes it

class FileImage {
 public:
  // Of what programs see.
  std::uint64_t size() const { return size_; }
  std::uint64_t allocated_bytes() const { return allocated_blocks_ * kBlockBytes; }
  // What write(offset, n) would add to that.
  std::uint64_t growth(std::uint64_t offset, std::uint64_t n) const;

  // As programs see it; returns the bytes read.
  std::size_t read(std::uint64_t offset, std::span<std::uint8_t> out) const;
  void write(std::uint64_t offset, ByteView bytes);
  void truncate(std::uint64_t size);

  // All that is dirty becomes durable.
  void sync();
  // Each dirty sector, for itself, becomes durable or stays dirty: a crash in the middle of a sync.
  void sync_partly(SeededRandom& random);
  // Each dirty sector, for itself, becomes durable, is lost, or is forgotten (programs see the old one
  // again).
  void fail_sync(SeededRandom& random);
  // What programs see becomes what the disk kept.
  void lose_power(SeededRandom& random);

  // Change the bytes at rest, in what programs see and on the disk alike.
  void flip_bit(std::uint64_t bit);
  void cut(std::uint64_t size);

 private:
  using Block = std::array<std::uint8_t, kBlockBytes>;
  using Sector = std::array<std::uint8_t, kSectorBytes>;
  static constexpr std::size_t kSectorsPerBlock = kBlockBytes / kSectorBytes;

  // An absent block is zeros. A sector that is neither dirty nor lost is equal in both.
  struct Slot {
    std::shared_ptr<Block> seen;
    std::shared_ptr<Block> durable;
    std::uint8_t dirty = 0;  // bit i: sector i
    std::uint8_t lost = 0;
  };

  static Block& own(std::shared_ptr<Block>& block);
  static void copy_sector(const std::shared_ptr<Block>& from, std::shared_ptr<Block>& to, std::size_t sector);
  static void zero_behind(std::shared_ptr<Block>& block, std::size_t begin);
  void touch(std::uint64_t block, std::size_t sector);
  void note_size();
  void drop_behind(std::uint64_t size);
  static void sync_sector(Slot& slot, std::size_t sector);
  void count_allocated();
  template <typename Decide>
  void for_each_dirty_sector(Decide decide);
  void forget_history();

  std::vector<Slot> slots_;
  std::uint64_t size_ = 0;
  std::uint64_t allocated_blocks_ = 0;
  std::vector<std::uint32_t> dirty_blocks_;
  // Versions of dirty sectors between the durable one and the one seen.
  std::multimap<std::uint64_t, Sector> older_versions_;
  // Sizes since the last sync; the first one is durable. From sizes_[shrunk_at_] on the file had been shrunk
  // to shrunk_to_ bytes at least once.
  std::vector<std::uint64_t> sizes_{0};
  std::size_t shrunk_at_ = SIZE_MAX;
  std::uint64_t shrunk_to_ = UINT64_MAX;
};

}  // namespace millrace::sim
