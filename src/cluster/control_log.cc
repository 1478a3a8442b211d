#include "cluster/control_log.h"

#include <charconv>
#include <cstring>

#include <fmt/format.h>

#include "base/crc32c.h"

namespace millrace::cluster {
namespace {

constexpr std::size_t kHeaderBytes = 28;
constexpr std::size_t kCrcAt = 24;
constexpr std::uint32_t kMagic = 0x4c43'524d;  // "MRCL", little-endian
constexpr std::uint16_t kVersion = 1;
constexpr std::string_view kLogFolder = "log/";
constexpr std::string_view kSnapshotFolder = "snapshot/";

template <typename T>
void put(std::uint8_t* at, T value) {
  std::memcpy(at, &value, sizeof value);
}
template <typename T>
T take(const std::uint8_t* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

// Twenty digits, so that names sort as numbers do.
std::string object_name(std::string_view prefix, std::string_view folder, std::uint64_t number) {
  return fmt::format("{}{}{:020}", prefix, folder, number);
}

std::optional<std::uint64_t> number_of(std::string_view name) {
  const std::string_view digits = name.substr(name.rfind('/') + 1);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (digits.size() != 20 || error != std::errc{} || end != digits.data() + digits.size())
    return std::nullopt;
  return number;
}

Result<std::vector<std::uint64_t>> numbers_in(store::ObjectStore& store, const std::string& folder) {
  MR_ASSIGN(const auto entries, store.list(folder));
  std::vector<std::uint64_t> numbers;
  for (const auto& entry : entries) {
    const auto number = number_of(entry.name);
    if (!number)
      return Error{ErrorKind::kCorrupt, fmt::format("{} is not an object of the control log", entry.name)};
    numbers.push_back(*number);
  }
  return numbers;
}

Result<std::string> read_object(store::ObjectStore& store, const std::string& name, ControlObject kind,
                                std::uint64_t number) {
  MR_ASSIGN(const Bytes bytes, store.get(name));
  auto content = unframe_control_object(kind, number, bytes.view());
  if (!content.ok()) return Error{ErrorKind::kCorrupt, fmt::format("{}: {}", name, content.error().text)};
  return content;
}

}  // namespace

Bytes frame_control_object(ControlObject kind, std::uint64_t number, std::string_view content) {
  Bytes bytes;
  bytes.resize(kHeaderBytes);
  std::uint8_t* at = bytes.data();
  put(at, kMagic);
  put(at + 4, kVersion);
  put(at + 6, static_cast<std::uint16_t>(kind));
  put(at + 8, number);
  put(at + 16, static_cast<std::uint64_t>(content.size()));
  put(at + kCrcAt, crc32c(as_bytes(content), crc32c(bytes.view().first(kCrcAt))));
  bytes.append(content);
  return bytes;
}

Result<std::string> unframe_control_object(ControlObject kind, std::uint64_t number, ByteView bytes) {
  const auto corrupt = [](std::string why) { return Error{ErrorKind::kCorrupt, std::move(why)}; };
  if (bytes.size() < kHeaderBytes)
    return corrupt(fmt::format("{} bytes, shorter than a header of {}", bytes.size(), kHeaderBytes));
  const std::uint8_t* at = bytes.data();
  if (take<std::uint32_t>(at) != kMagic) return corrupt("wrong magic at offset 0");
  if (take<std::uint16_t>(at + 4) != kVersion)
    return corrupt(
        fmt::format("version {} at offset 4; this program reads {}", take<std::uint16_t>(at + 4), kVersion));
  const std::uint64_t length = take<std::uint64_t>(at + 16);
  if (length != bytes.size() - kHeaderBytes)
    return corrupt(fmt::format("content of {} bytes, the header at offset 16 says {}",
                               bytes.size() - kHeaderBytes, length));
  const ByteView content = bytes.subspan(kHeaderBytes);
  if (crc32c(content, crc32c(bytes.first(kCrcAt))) != take<std::uint32_t>(at + kCrcAt))
    return corrupt(fmt::format("wrong CRC32C over offsets 0 to {}", bytes.size()));
  if (take<std::uint16_t>(at + 6) != static_cast<std::uint16_t>(kind) ||
      take<std::uint64_t>(at + 8) != number)
    return corrupt("kind or number differ from the object's name");
  return std::string(as_text(content));
}

Result<ControlLog::Opened> ControlLog::open(store::ObjectStore& store, std::string prefix) {
  Opened opened;
  opened.log.reset(new ControlLog(store, std::move(prefix)));
  ControlLog& log = *opened.log;

  MR_ASSIGN(const auto snapshots, numbers_in(store, log.prefix_ + std::string(kSnapshotFolder)));
  if (!snapshots.empty()) {
    log.snapshot_ = log.last_ = snapshots.back();
    MR_ASSIGN(opened.snapshot, read_object(store, object_name(log.prefix_, kSnapshotFolder, log.last_),
                                           ControlObject::kSnapshot, log.last_));
  }
  MR_ASSIGN(const auto numbers, numbers_in(store, log.prefix_ + std::string(kLogFolder)));
  for (const std::uint64_t number : numbers) {
    if (number <= log.snapshot_) continue;  // a removal after the snapshot was cut short
    if (number != log.last_ + 1)
      return Error{ErrorKind::kCorrupt,
                   fmt::format("{} is missing: the control log goes on with {}",
                               object_name(log.prefix_, kLogFolder, log.last_ + 1), number)};
    MR_ASSIGN(auto entry, read_object(store, object_name(log.prefix_, kLogFolder, number),
                                      ControlObject::kEntry, number));
    opened.entries.push_back(std::move(entry));
    log.last_ = number;
  }
  return opened;
}

Result<void> ControlLog::append(std::string_view entry) {
  const std::uint64_t number = last_ + 1;
  const Bytes object = frame_control_object(ControlObject::kEntry, number, entry);
  MR_TRY(store_->put_if_absent(object_name(prefix_, kLogFolder, number), object.view()));
  last_ = number;
  return {};
}

Result<void> ControlLog::snapshot(std::string_view state) {
  if (last_ == snapshot_) return {};
  const Bytes object = frame_control_object(ControlObject::kSnapshot, last_, state);
  MR_TRY(store_->put_if_absent(object_name(prefix_, kSnapshotFolder, last_), object.view()));
  snapshot_ = last_;
  MR_TRY(remove_before(kLogFolder, snapshot_ + 1));
  return remove_before(kSnapshotFolder, snapshot_);
}

Result<void> ControlLog::remove_before(std::string_view folder, std::uint64_t number) {
  MR_ASSIGN(const auto numbers, numbers_in(*store_, prefix_ + std::string(folder)));
  for (const std::uint64_t old : numbers) {
    if (old >= number) break;
    MR_TRY(store_->remove(object_name(prefix_, folder, old)));
  }
  return {};
}

}  // namespace millrace::cluster
