#include "log/journal_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <vector>

#include "base/crc32c.h"
#include "base/little_endian.h"
#include "log/bit_error.h"

namespace millrace::log {

namespace {

constexpr std::uint32_t kJournalMagic = 0x484a524d;  // "MRJH"
constexpr std::uint16_t kFirstJournalVersion = 1;    // without a folder
constexpr std::uint16_t kJournalVersion = 2;
constexpr std::size_t kHeaderBytes = 64;
constexpr std::size_t kJournalFolderAt = 52;
constexpr std::size_t kJournalCrcAt = 60;

using Header = std::array<std::uint8_t, kBlockBytes>;

Header encode_header(const JournalFile& file, const JournalUse& use) {
  Header block{};
  store_at<std::uint32_t>(block.data(), kJournalMagic);
  store_at<std::uint16_t>(block.data() + 4, use.folder == 0 ? kFirstJournalVersion : kJournalVersion);
  store_at<std::uint64_t>(block.data() + 8, use.generation);
  store_at<std::uint64_t>(block.data() + 16, use.salt);
  store_at<std::uint64_t>(block.data() + 24, file.bytes);
  store_at<std::uint64_t>(block.data() + 32, file.number);
  store_at<std::uint64_t>(block.data() + 40, use.trusted_up_to);
  store_at<std::uint32_t>(block.data() + 48, file.loop);
  store_at<std::uint64_t>(block.data() + kJournalFolderAt, use.folder);
  store_at<std::uint32_t>(block.data() + kJournalCrcAt, crc32c({block.data(), kJournalCrcAt}));
  return block;
}

enum class SlotState : std::uint8_t { kEmpty, kGood, kOneBitWrong, kBad };

struct Slot {
  SlotState state;
  JournalUse use;
};

Slot decode_slot(const JournalFile& file, ByteView block) {
  const std::uint8_t* at = block.data();
  if (std::all_of(at, at + kHeaderBytes, [](std::uint8_t byte) { return byte == 0; }))
    return {SlotState::kEmpty, {}};
  const auto crc = load<std::uint32_t>(at + kJournalCrcAt);
  if (crc32c({at, kJournalCrcAt}) != crc) {
    const bool rotten = flipped_bit_explains({at, kJournalCrcAt}, crc);
    return {rotten ? SlotState::kOneBitWrong : SlotState::kBad, {}};
  }
  const auto version = load<std::uint16_t>(at + 4);
  const bool readable = version == kFirstJournalVersion || version == kJournalVersion;
  if (load<std::uint32_t>(at) != kJournalMagic || !readable || load<std::uint64_t>(at + 24) != file.bytes ||
      load<std::uint64_t>(at + 32) != file.number || load<std::uint32_t>(at + 48) != file.loop)
    return {SlotState::kBad, {}};
  return {SlotState::kGood,
          {load<std::uint64_t>(at + 8), load<std::uint64_t>(at + 16), load<std::uint64_t>(at + 40),
           version == kFirstJournalVersion ? 0 : load<std::uint64_t>(at + kJournalFolderAt)}};
}

Result<void> write_zeros(store::File& file, WritePace& pace, std::uint64_t bytes) {
  const std::vector<std::uint8_t> zeros(std::min(bytes, WritePace::kPieceBytes));
  for (std::uint64_t at = 0; at < bytes;) {
    const ByteView piece{zeros.data(),
                         static_cast<std::size_t>(std::min<std::uint64_t>(zeros.size(), bytes - at))};
    MR_TRY(file.write_at(at, {&piece, 1}));
    at += piece.size();
    MR_TRY(pace.sync(file, piece.size()));
  }
  return {};
}

}  // namespace

std::string journal_folder(std::uint32_t loop) { return fmt::format("log/journal/{:03}", loop); }
std::string journal_path(std::uint32_t loop, std::uint64_t number) {
  return fmt::format("log/journal/{:03}/{:08}.mrj", loop, number);
}
std::optional<std::uint64_t> journal_number(std::string_view name) {
  if (!name.ends_with(".mrj")) return std::nullopt;
  name.remove_suffix(4);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc{} || end != name.data() + name.size() || name.size() < 8) return std::nullopt;
  return number;
}

Result<std::shared_ptr<JournalFile>> create_journal_file(store::Disk& disk, WritePace& pace,
                                                         std::uint32_t loop, std::uint64_t number,
                                                         std::uint64_t bytes) {
  MR_ASSERT(bytes % kBlockBytes == 0);
  MR_ASSERT(bytes >= kJournalFramesBegin + 2 * kBlockBytes);
  auto made = std::make_shared<JournalFile>(
      JournalFile{loop, number, bytes, {}, journal_path(loop, number), nullptr});
  const std::string temporary = made->path + ".new";
  const auto write = [&]() -> Result<void> {
    MR_TRY(disk.remove(temporary));
    MR_ASSIGN(made->file, disk.open(temporary, store::Disk::Mode::kCreate));
    MR_TRY(write_zeros(*made->file, pace, bytes));
    MR_TRY(disk.rename_new(temporary, made->path));
    return disk.sync_folder(journal_folder(loop));
  };
  if (auto written = write(); !written.ok()) {
    made->file.reset();
    // Without the room it takes; what is left of it is removed at the next start.
    static_cast<void>(disk.remove(temporary).ok() && disk.remove(made->path).ok());
    return Error{ErrorKind::kUnavailable, std::move(written.error().text)};
  }
  return made;
}

Result<void> begin_use(JournalFile& file, const JournalUse& use) {
  MR_ASSERT(use.generation > file.use.generation);
  MR_ASSERT(file.use.generation == 0 || (use.generation - file.use.generation) % kJournalSlots != 0);
  file.use = use;
  return write_use(file);
}

Result<void> write_use(JournalFile& file) {
  const Header block = encode_header(file, file.use);
  const ByteView piece{block.data(), block.size()};
  MR_TRY(file.file->write_at(file.use.generation % kJournalSlots * kBlockBytes, {&piece, 1}));
  return file.file->sync();
}

// A whole block, so that the kernel need not read what stood there.
Result<void> write_mark(JournalFile& file, std::uint64_t offset, std::uint64_t sequence, FrameKind kind) {
  FrameSealer sealer;
  return file.file->write_at(
      offset, sealer.seal({kind, file.use.generation, file.use.salt, sequence, sequence, 0}, {}));
}

Result<std::shared_ptr<JournalFile>> open_journal_file(store::Disk& disk, std::uint32_t loop,
                                                       std::uint64_t number, std::uint64_t bytes,
                                                       store::Disk::Mode mode, std::uint64_t folder) {
  auto opened = std::make_shared<JournalFile>(
      JournalFile{loop, number, bytes, {}, journal_path(loop, number), nullptr});
  const std::string where = disk.describe(opened->path);
  auto file = disk.open(opened->path, mode);
  if (!file.ok()) {
    if (file.error().kind != ErrorKind::kNotFound) return std::move(file).error();
    return Error{ErrorKind::kCorrupt,
                 fmt::format("{} is missing: the manifest names it as a journal file", where)};
  }
  opened->file = std::move(file).value();
  MR_ASSIGN(const std::uint64_t size, opened->file->size());
  if (size != bytes)
    return Error{ErrorKind::kCorrupt, fmt::format("{} has {} bytes and must have {}", where, size, bytes)};
  std::array<std::uint8_t, kJournalFramesBegin> head;
  MR_ASSIGN(const std::size_t read, opened->file->read_at(0, head));
  if (read != head.size()) return Error{ErrorKind::kCorrupt, fmt::format("{} ends at byte {}", where, read)};
  for (std::size_t i = 0; i < kJournalSlots; ++i) {
    const Slot slot = decode_slot(*opened, ByteView{head}.subspan(i * kBlockBytes, kBlockBytes));
    if (slot.state == SlotState::kOneBitWrong)
      return Error{ErrorKind::kCorrupt,
                   fmt::format("{}: the file header at byte {} has a flipped bit", where, i * kBlockBytes)};
    if (slot.state == SlotState::kGood && folder != 0 && slot.use.folder != 0 && slot.use.folder != folder)
      return Error{ErrorKind::kCorrupt,
                   fmt::format("{} is of the folder {:016x}, and the manifest is of {:016x}", where,
                               slot.use.folder, folder)};
    if (slot.state == SlotState::kGood && slot.use.generation > opened->use.generation)
      opened->use = slot.use;
  }
  // A bad slot that one bit does not explain is a use that was torn before any frame of it, or rot: then its
  // frames are there.
  std::array<std::uint8_t, kFrameHeaderBytes> first;
  MR_ASSIGN(const std::size_t first_read, opened->file->read_at(kJournalFramesBegin, first));
  const auto frame = load_frame_header({first.data(), first_read});
  if (frame && frame->generation > opened->use.generation)
    return Error{
        ErrorKind::kCorrupt,
        fmt::format("{}: the file header of generation {} is damaged; frames of it are there from byte {}",
                    where, frame->generation, kJournalFramesBegin)};
  return opened;
}

std::optional<JournalUse> read_last_use(store::Disk& disk, std::uint32_t loop, std::uint64_t number) {
  JournalFile file{loop, number, 0, {}, journal_path(loop, number), nullptr};
  auto opened = disk.open(file.path, store::Disk::Mode::kRead);
  if (!opened.ok()) return std::nullopt;
  const auto size = (*opened)->size();
  std::array<std::uint8_t, kJournalFramesBegin> head;
  const auto read = (*opened)->read_at(0, head);
  if (!size.ok() || !read.ok() || *read != head.size()) return std::nullopt;
  file.bytes = *size;
  bool readable = true;
  for (std::size_t i = 0; i < kJournalSlots; ++i) {
    const Slot slot = decode_slot(file, ByteView{head}.subspan(i * kBlockBytes, kBlockBytes));
    readable = readable && (slot.state == SlotState::kGood || slot.state == SlotState::kEmpty);
    if (slot.state == SlotState::kGood && slot.use.generation > file.use.generation) file.use = slot.use;
  }
  if (!readable) return std::nullopt;
  return file.use;
}

}  // namespace millrace::log
