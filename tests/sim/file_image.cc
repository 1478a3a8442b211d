#include "sim/file_image.h"

#include <algorithm>
#include <cstring>

#include "base/assert.h"

namespace millrace::sim {
namespace {

constexpr std::uint8_t bit_of(std::size_t sector) { return static_cast<std::uint8_t>(1u << sector); }

}  // namespace

FileImage::Block& FileImage::own(std::shared_ptr<Block>& block) {
  if (!block) {
    block = std::make_shared<Block>();
  } else if (block.use_count() > 1) {
    block = std::make_shared<Block>(*block);
  }
  return *block;
}

void FileImage::copy_sector(const std::shared_ptr<Block>& from, std::shared_ptr<Block>& to,
                            std::size_t sector) {
  if (from == to) return;
  std::uint8_t* target = own(to).data() + sector * kSectorBytes;
  if (from) {
    std::memcpy(target, from->data() + sector * kSectorBytes, kSectorBytes);
  } else {
    std::memset(target, 0, kSectorBytes);
  }
}

void FileImage::zero_behind(std::shared_ptr<Block>& block, std::size_t begin) {
  if (!block) return;
  if (begin == 0) {
    block = nullptr;
  } else {
    std::memset(own(block).data() + begin, 0, kBlockBytes - begin);
  }
}

std::uint64_t FileImage::growth(std::uint64_t offset, std::uint64_t n) const {
  std::uint64_t blocks = 0;
  for (std::uint64_t block = offset / kBlockBytes; block * kBlockBytes < offset + n; ++block)
    blocks += block >= slots_.size() || !slots_[block].seen;
  return blocks * kBlockBytes;
}

std::size_t FileImage::read(std::uint64_t offset, std::span<std::uint8_t> out) const {
  if (offset >= size_) return 0;
  const std::size_t total = std::min<std::uint64_t>(out.size(), size_ - offset);
  for (std::size_t done = 0; done < total;) {
    const std::uint64_t block = (offset + done) / kBlockBytes;
    const std::size_t begin = (offset + done) % kBlockBytes;
    const std::size_t count = std::min(total - done, kBlockBytes - begin);
    if (block < slots_.size() && slots_[block].seen) {
      std::memcpy(out.data() + done, slots_[block].seen->data() + begin, count);
    } else {
      std::memset(out.data() + done, 0, count);
    }
    done += count;
  }
  return total;
}

// Marks a sector dirty; when it was so already, what it held is one more version that the disk may have.
void FileImage::touch(std::uint64_t block, std::size_t sector) {
  Slot& slot = slots_[block];
  if (slot.dirty & bit_of(sector)) {
    Sector version{};
    if (slot.seen) std::memcpy(version.data(), slot.seen->data() + sector * kSectorBytes, kSectorBytes);
    older_versions_.emplace(block * kSectorsPerBlock + sector, version);
  }
  if (slot.dirty == 0) dirty_blocks_.push_back(static_cast<std::uint32_t>(block));
  slot.dirty |= bit_of(sector);
  slot.lost &= static_cast<std::uint8_t>(~bit_of(sector));
}

void FileImage::write(std::uint64_t offset, ByteView bytes) {
  if (bytes.empty()) return;
  const std::uint64_t end = offset + bytes.size();
  if (slots_.size() * kBlockBytes < end) slots_.resize((end + kBlockBytes - 1) / kBlockBytes);
  for (std::size_t done = 0; done < bytes.size();) {
    const std::uint64_t block = (offset + done) / kBlockBytes;
    const std::size_t begin = (offset + done) % kBlockBytes;
    const std::size_t count = std::min(bytes.size() - done, kBlockBytes - begin);
    for (std::size_t sector = begin / kSectorBytes; sector * kSectorBytes < begin + count; ++sector)
      touch(block, sector);
    Slot& slot = slots_[block];
    if (!slot.seen) ++allocated_blocks_;
    std::memcpy(own(slot.seen).data() + begin, bytes.data() + done, count);
    done += count;
  }
  if (end > size_) {
    size_ = end;
    note_size();
  }
}

void FileImage::note_size() {
  if (sizes_.back() != size_) sizes_.push_back(size_);
}

void FileImage::truncate(std::uint64_t size) {
  if (size < size_) {
    shrunk_at_ = std::min(shrunk_at_, sizes_.size());
    shrunk_to_ = std::min(shrunk_to_, size);
    for (std::uint64_t block = size / kBlockBytes; block < slots_.size(); ++block) {
      const std::size_t begin = block == size / kBlockBytes ? size % kBlockBytes : 0;
      Slot& slot = slots_[block];
      if (!slot.seen && !slot.durable) continue;
      for (std::size_t sector = begin / kSectorBytes; sector < kSectorsPerBlock; ++sector)
        touch(block, sector);
      if (slot.seen && begin == 0) --allocated_blocks_;
      zero_behind(slot.seen, begin);
    }
  }
  size_ = size;
  note_size();
}

void FileImage::sync_sector(Slot& slot, std::size_t sector) { copy_sector(slot.seen, slot.durable, sector); }

void FileImage::sync() {
  for (const std::uint32_t block : dirty_blocks_) {
    Slot& slot = slots_[block];
    if (slot.lost == 0) {
      slot.durable = slot.seen;
    } else {
      for (std::size_t sector = 0; sector < kSectorsPerBlock; ++sector)
        if (slot.dirty & bit_of(sector)) sync_sector(slot, sector);
    }
    slot.dirty = 0;
  }
  dirty_blocks_.clear();
  forget_history();
}

// Calls decide(slot, number of the sector in the file, number in the block): true when it is no longer dirty.
template <typename Decide>
void FileImage::for_each_dirty_sector(Decide decide) {
  std::vector<std::uint32_t> still_dirty;
  for (const std::uint32_t block : dirty_blocks_) {
    Slot& slot = slots_[block];
    for (std::size_t sector = 0; sector < kSectorsPerBlock; ++sector)
      if ((slot.dirty & bit_of(sector)) && decide(slot, block * kSectorsPerBlock + sector, sector))
        slot.dirty &= static_cast<std::uint8_t>(~bit_of(sector));
    if (slot.dirty != 0) still_dirty.push_back(block);
  }
  dirty_blocks_ = std::move(still_dirty);
}

void FileImage::sync_partly(SeededRandom& random) {
  for_each_dirty_sector([&](Slot& slot, std::uint64_t number, std::size_t sector) {
    if (random.chance(0.5)) return false;
    sync_sector(slot, sector);
    older_versions_.erase(number);
    return true;
  });
}

void FileImage::fail_sync(SeededRandom& random) {
  for_each_dirty_sector([&](Slot& slot, std::uint64_t number, std::size_t sector) {
    older_versions_.erase(number);
    switch (random.below(3)) {
      case 0:
        sync_sector(slot, sector);
        break;
      case 1:
        slot.lost |= bit_of(sector);
        break;
      default:
        copy_sector(slot.durable, slot.seen, sector);
    }
    return true;
  });
  if (random.chance(0.5)) forget_history();
  count_allocated();
}

void FileImage::lose_power(SeededRandom& random) {
  // Now and then a disk has written nearly all, or nearly nothing.
  constexpr double kShares[] = {0, 0.1, 0.5, 0.5, 0.9, 1};
  const double kept_share = kShares[random.below(std::size(kShares))];
  const std::size_t size_kept = random.chance(0.5) ? sizes_.size() - 1 : random.below(sizes_.size());
  const bool was_shrunk = size_kept >= shrunk_at_;
  for_each_dirty_sector([&](Slot& slot, std::uint64_t number, std::size_t sector) {
    // A shrinking happened as a whole or not at all: it leaves no zeros in a file of the old size.
    const bool in_shrunk_part = (number + 1) * kSectorBytes > shrunk_to_;
    const bool keeps = in_shrunk_part ? was_shrunk : random.chance(kept_share);
    if (!keeps) {
      copy_sector(slot.durable, slot.seen, sector);
      return true;
    }
    const auto [begin, end] = older_versions_.equal_range(number);
    const auto older = static_cast<std::uint64_t>(std::distance(begin, end));
    const std::uint64_t version = random.chance(0.5) ? older : random.below(older + 1);
    if (version < older) {
      const Sector& content = std::next(begin, static_cast<std::ptrdiff_t>(version))->second;
      std::memcpy(own(slot.seen).data() + sector * kSectorBytes, content.data(), kSectorBytes);
    }
    return true;
  });
  for (Slot& slot : slots_) {
    for (std::size_t sector = 0; slot.lost != 0 && sector < kSectorsPerBlock; ++sector)
      if (slot.lost & bit_of(sector)) copy_sector(slot.durable, slot.seen, sector);
    slot.lost = 0;
    slot.durable = slot.seen;
  }
  drop_behind(sizes_[size_kept]);
}

void FileImage::flip_bit(std::uint64_t bit) {
  MR_ASSERT(bit / 8 < size_);
  if (slots_.size() * kBlockBytes <= bit / 8) slots_.resize(bit / 8 / kBlockBytes + 1);
  Slot& slot = slots_[bit / 8 / kBlockBytes];
  const auto mask = static_cast<std::uint8_t>(1u << (bit % 8));
  const bool is_shared = slot.seen == slot.durable;
  slot.seen = slot.seen ? std::make_shared<Block>(*slot.seen) : std::make_shared<Block>();
  (*slot.seen)[bit / 8 % kBlockBytes] ^= mask;
  if (is_shared) {
    slot.durable = slot.seen;
  } else {
    own(slot.durable)[bit / 8 % kBlockBytes] ^= mask;
  }
  count_allocated();
}

void FileImage::cut(std::uint64_t size) {
  MR_ASSERT(size <= size_);
  drop_behind(size);
}

// Both images end at `size`; no dirty sector, older version or other size is left behind it.
void FileImage::drop_behind(std::uint64_t size) {
  for (std::uint64_t block = size / kBlockBytes; block < slots_.size(); ++block) {
    const std::size_t begin = block == size / kBlockBytes ? size % kBlockBytes : 0;
    const bool is_shared = slots_[block].seen == slots_[block].durable;
    zero_behind(slots_[block].seen, begin);
    if (is_shared) {
      slots_[block].durable = slots_[block].seen;
    } else {
      zero_behind(slots_[block].durable, begin);
    }
  }
  const std::uint64_t first_sector = (size + kSectorBytes - 1) / kSectorBytes;
  for_each_dirty_sector([&](Slot&, std::uint64_t number, std::size_t) { return number >= first_sector; });
  older_versions_.erase(older_versions_.lower_bound(first_sector), older_versions_.end());
  slots_.resize(std::min<std::size_t>(slots_.size(), (size + kBlockBytes - 1) / kBlockBytes));
  size_ = size;
  sizes_ = {size};
  shrunk_at_ = SIZE_MAX;
  shrunk_to_ = UINT64_MAX;
  if (dirty_blocks_.empty()) older_versions_.clear();
  count_allocated();
}

void FileImage::forget_history() {
  if (dirty_blocks_.empty()) older_versions_.clear();
  sizes_ = {size_};
  shrunk_at_ = SIZE_MAX;
  shrunk_to_ = UINT64_MAX;
}

void FileImage::count_allocated() {
  allocated_blocks_ = 0;
  for (const Slot& slot : slots_) allocated_blocks_ += slot.seen != nullptr;
}

}  // namespace millrace::sim
