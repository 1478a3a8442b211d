#include "store/folder_file.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>

#include "base/crc32c.h"
#include "base/little_endian.h"
#include "base/state_json.h"

namespace millrace::store {
namespace {

constexpr std::uint32_t kMagic = 0x4446'524d;  // "MRFD", little-endian
constexpr std::size_t kHeadBytes = 24;
constexpr std::size_t kSlots = 2;
constexpr std::size_t kFileBytes = kSlots * kFolderSlotBytes;

std::string json_of(const FolderRecord& record) {
  StateJson parts = StateJson::object();
  for (const auto& [name, mark] : record.parts) {
    StateJson& part = parts[name] = StateJson::object();
    if (mark.number != 0) part["number"] = mark.number;
    if (mark.from != 0) part["from"] = mark.from;
    if (!mark.sum.empty()) part["sum"] = mark.sum;
  }
  StateJson json{{"folder", fmt::format("{:016x}", record.origin.folder)},
                 {"starts", record.origin.start},
                 {"parts", std::move(parts)}};
  if (!record.account.empty()) json["account"] = record.account;
  if (!record.region.empty()) json["region"] = record.region;
  if (!record.given_up.empty()) json["given_up"] = record.given_up;
  return json.dump();
}

FolderRecord record_of(const StateJson& json) {
  FolderRecord record;
  const auto& id = json.at("folder").get_ref<const std::string&>();
  const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), record.origin.folder, 16);
  if (error != std::errc{} || end != id.data() + id.size() || record.origin.folder == 0)
    throw StateJson::other_error::create(500, "the folder's number is not 16 hexadecimal digits", &json);
  record.origin.start = json.at("starts").get<std::uint64_t>();
  record.account = json.value("account", std::string());
  record.region = json.value("region", std::string());
  for (const auto& [name, part] : json.at("parts").items())
    record.parts[name] = {part.value("number", std::uint64_t{0}), part.value("from", std::uint64_t{0}),
                          part.value("sum", std::string())};
  record.given_up = json.value("given_up", std::vector<std::string>());
  return record;
}

struct Slots {
  std::optional<FolderSlot> newest;
  std::string fault;  // of a slot that is not good
};

Result<Slots> read_slots(File& file) {
  Slots slots;
  std::vector<std::uint8_t> bytes(kFolderSlotBytes);
  for (std::size_t i = 0; i < kSlots; ++i) {
    MR_ASSIGN(const std::size_t read, file.read_at(i * kFolderSlotBytes, bytes));
    auto slot = decode_folder_slot(ByteView{bytes}.first(read));
    if (!slot.ok())
      slots.fault = fmt::format("byte {}: {}", i * kFolderSlotBytes, slot.error().text);
    else if (!slots.newest || slot->number > slots.newest->number)
      slots.newest = std::move(*slot);
  }
  return slots;
}

}  // namespace

Result<Bytes> encode_folder_slot(const FolderRecord& record, std::uint64_t number) {
  const std::string content = json_of(record);
  if (kHeadBytes + content.size() > kFolderSlotBytes)
    return Error{ErrorKind::kLimit, fmt::format("{}: {} bytes do not fit", kFolderFile, content.size())};
  Bytes bytes;
  bytes.resize(kHeadBytes);
  store_at<std::uint32_t>(bytes.data(), kMagic);
  store_at<std::uint16_t>(bytes.data() + 4, kFolderVersion);
  store_at<std::uint16_t>(bytes.data() + 6, 0);
  store_at<std::uint64_t>(bytes.data() + 8, number);
  store_at<std::uint32_t>(bytes.data() + 16, static_cast<std::uint32_t>(content.size()));
  store_at<std::uint32_t>(bytes.data() + 20, crc32c(as_bytes(content), crc32c(bytes.view().first(20))));
  bytes.append(content);
  return bytes;
}

Result<FolderSlot> decode_folder_slot(ByteView slot) {
  const auto corrupt = [](std::string why) { return Error{ErrorKind::kCorrupt, std::move(why)}; };
  if (slot.size() < kHeadBytes) return corrupt("it is cut short");
  const std::uint8_t* at = slot.data();
  if (load<std::uint32_t>(at) != kMagic) return corrupt("it does not begin with MRFD");
  if (load<std::uint16_t>(at + 4) != kFolderVersion)
    return corrupt(
        fmt::format("version {}; this program reads {}", load<std::uint16_t>(at + 4), kFolderVersion));
  const std::size_t length = load<std::uint32_t>(at + 16);
  if (length > slot.size() - kHeadBytes) return corrupt(fmt::format("{} bytes do not fit it", length));
  const ByteView content = slot.subspan(kHeadBytes, length);
  if (crc32c(content, crc32c(slot.first(20))) != load<std::uint32_t>(at + 20))
    return corrupt("its CRC32C is wrong");
  MR_ASSIGN(auto record, read_state(as_text(content), kFolderFile, record_of));
  return FolderSlot{load<std::uint64_t>(at + 8), std::move(record)};
}

Result<std::optional<FolderRecord>> read_folder_record(Disk& disk) {
  auto file = disk.open(kFolderFile, Disk::Mode::kRead);
  if (!file.ok() && file.error().kind == ErrorKind::kNotFound) return std::optional<FolderRecord>{};
  if (!file.ok()) return std::move(file).error();
  MR_ASSIGN(const std::uint64_t bytes, (*file)->size());
  if (bytes != kFileBytes)
    return Error{ErrorKind::kCorrupt, fmt::format("{} has {} bytes and must have {}",
                                                  disk.describe(kFolderFile), bytes, kFileBytes)};
  MR_ASSIGN(auto slots, read_slots(**file));
  if (!slots.newest)
    return Error{ErrorKind::kCorrupt, fmt::format("{}: {}", disk.describe(kFolderFile), slots.fault)};
  return std::optional(std::move(slots.newest->record));
}

Result<std::unique_ptr<FolderFile>> FolderFile::open(Disk& disk, const FolderRecord& record) {
  auto file = disk.open(kFolderFile, Disk::Mode::kWrite);
  if (!file.ok() && file.error().kind != ErrorKind::kNotFound) return std::move(file).error();
  if (file.ok()) {
    MR_ASSIGN(const std::uint64_t bytes, (*file)->size());
    if (bytes != kFileBytes) MR_TRY((*file)->truncate(kFileBytes));  // it was cut short
    MR_ASSIGN(const auto slots, read_slots(**file));
    std::unique_ptr<FolderFile> opened(
        new FolderFile(std::move(*file), slots.newest ? slots.newest->number : 0));
    MR_TRY(opened->write(record));
    return opened;
  }
  // Never there without a record, which would be taken for damage.
  const std::string fresh = std::string(kFolderFile) + ".new";
  MR_TRY(disk.remove(fresh));
  MR_ASSIGN(auto made, disk.open(fresh, Disk::Mode::kCreate));
  const std::vector<std::uint8_t> zeros(kFileBytes);
  const ByteView piece{zeros};
  MR_TRY(made->write_at(0, {&piece, 1}));
  std::unique_ptr<FolderFile> opened(new FolderFile(std::move(made), 0));
  MR_TRY(opened->write(record));
  MR_TRY(disk.rename_new(fresh, kFolderFile));
  MR_TRY(disk.sync_folder(""));
  MR_ASSIGN(opened->file_, disk.open(kFolderFile, Disk::Mode::kWrite));
  return opened;
}

Result<void> FolderFile::write(const FolderRecord& record) {
  MR_ASSIGN(const Bytes bytes, encode_folder_slot(record, number_ + 1));
  const ByteView piece = bytes.view();
  // The slot may hold half of this write when it fails; the other one is left alone until one has succeeded.
  MR_TRY(file_->write_at((number_ + 1) % kSlots * kFolderSlotBytes, {&piece, 1}));
  MR_TRY(file_->sync());
  ++number_;
  return {};
}

}  // namespace millrace::store
