#include "log/manifest_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/little_endian.h"

namespace millrace::log {

std::string manifest_name(std::uint64_t number) { return fmt::format("{:016}", number); }

std::optional<std::uint64_t> manifest_number(std::string_view name) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc{} || end != name.data() + name.size() || name.size() < 16) return std::nullopt;
  return number;
}

store::PartMark manifest_mark(std::uint64_t number, ByteView bytes) {
  // Its own sum: one over all of it, which that sum ends, would be the same for every manifest.
  return {number, 0, fmt::format("{:08x}", load<std::uint32_t>(bytes.last(sizeof(std::uint32_t)).data()))};
}

Result<NewestManifest> read_newest_manifest(store::Disk& disk) {
  constexpr std::uint64_t kBytesMax = 1u << 30;
  auto names = disk.list(kManifestPart);
  if (!names.ok() && names.error().kind == ErrorKind::kNotFound) names = std::vector<std::string>{};
  if (!names.ok()) return std::move(names).error();
  NewestManifest newest;
  for (const std::string& name : *names)
    newest.mark.number = std::max(newest.mark.number, manifest_number(name).value_or(0));
  if (newest.mark.number == 0) return newest;
  const std::string path = fmt::format("{}/{}", kManifestPart, manifest_name(newest.mark.number));
  MR_ASSIGN(const auto file, disk.open(path, store::Disk::Mode::kRead));
  MR_ASSIGN(const std::uint64_t size, file->size());
  Bytes bytes;
  bytes.resize(std::min(size, kBytesMax));
  MR_ASSIGN(const std::size_t read, file->read_at(0, {bytes.data(), bytes.size()}));
  auto manifest = decode_manifest(bytes.view().first(read), newest.mark.number);
  if (!manifest.ok())
    return Error{ErrorKind::kCorrupt, fmt::format("{}: byte 0: the newest manifest is damaged: {}",
                                                  disk.describe(path), manifest.error().text)};
  newest.mark = manifest_mark(newest.mark.number, bytes.view());
  newest.manifest = std::move(*manifest);
  return newest;
}

Result<std::unique_ptr<ManifestStore>> ManifestStore::open(store::Disk& disk) {
  std::unique_ptr<ManifestStore> opened(new ManifestStore(disk));
  MR_ASSIGN(auto newest, read_newest_manifest(disk));
  opened->number_ = newest.mark.number;
  opened->mark_ = std::move(newest.mark);
  opened->current_ = std::move(newest.manifest);
  return opened;
}

Result<void> ManifestStore::begin(store::Origin origin, store::PartMarks* marks) {
  MR_ASSIGN(store_, store::open_directory_store(disk_, kManifestPart));
  origin_ = origin;
  marks_ = marks;
  return {};
}

store::PartMark ManifestStore::mark() const {
  const std::lock_guard lock(mutex_);
  return mark_;
}

Manifest ManifestStore::current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

Result<void> ManifestStore::edit(const std::function<void(Manifest&)>& change) {
  const std::lock_guard lock(mutex_);
  Manifest changed = current_;
  change(changed);
  if (origin_.folder != 0) changed.origin = origin_;
  auto stored = put(changed);
  if (stored.ok() || stored.error().kind == ErrorKind::kUnknown) current_ = std::move(changed);
  return stored;
}

Result<void> ManifestStore::confirm() {
  const std::lock_guard lock(mutex_);
  if (!unconfirmed_) return {};
  return put(current_);
}

Result<void> ManifestStore::put(const Manifest& manifest) {
  const std::uint64_t number = number_ + 1;
  const Bytes bytes = encode_manifest(manifest, number);
  auto stored = store_->put_if_absent(manifest_name(number), bytes.view());
  if (!stored.ok()) {
    if (stored.error().kind == ErrorKind::kUnavailable) return stored;
    // The number may be taken now: the next attempt takes another, and whichever is newest at a start holds.
    number_ = number;
    unconfirmed_ = true;
    return Error{ErrorKind::kUnknown, std::move(stored.error().text)};
  }
  number_ = number;
  unconfirmed_ = false;
  mark_ = manifest_mark(number, bytes.view());
  if (marks_ != nullptr) marks_->note(std::string(kManifestPart), mark_);
  // The one before is kept for people; a failure to remove leaves a file that the next edit's successor meets
  // again.
  if (number > 2) static_cast<void>(store_->remove(manifest_name(number - 2)).ok());
  return {};
}

}  // namespace millrace::log
