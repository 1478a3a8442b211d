#include "log/manifest_store.h"

#include <fmt/format.h>

#include <charconv>

namespace millrace::log {

std::string manifest_name(std::uint64_t number) { return fmt::format("{:016}", number); }

std::optional<std::uint64_t> manifest_number(std::string_view name) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc{} || end != name.data() + name.size() || name.size() < 16) return std::nullopt;
  return number;
}

Result<std::unique_ptr<ManifestStore>> ManifestStore::open(store::Disk& disk) {
  std::unique_ptr<ManifestStore> opened(new ManifestStore);
  MR_ASSIGN(opened->store_, store::open_directory_store(disk, "log/manifest"));
  MR_ASSIGN(const auto entries, opened->store_->list(""));
  for (const auto& entry : entries) {
    if (const auto number = manifest_number(entry.name); number && *number > opened->number_)
      opened->number_ = *number;
  }
  if (opened->number_ == 0) return opened;
  const std::string name = manifest_name(opened->number_);
  MR_ASSIGN(const Bytes bytes, opened->store_->get(name));
  auto manifest = decode_manifest(bytes.view(), opened->number_);
  if (!manifest.ok())
    return Error{ErrorKind::kCorrupt,
                 fmt::format("{}: byte 0: the newest manifest is damaged: {}",
                             disk.describe("log/manifest/" + name), manifest.error().text)};
  opened->current_ = std::move(manifest).value();
  return opened;
}

Manifest ManifestStore::current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

Result<void> ManifestStore::edit(const std::function<void(Manifest&)>& change) {
  const std::lock_guard lock(mutex_);
  Manifest changed = current_;
  change(changed);
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
  auto stored = store_->put_if_absent(manifest_name(number), encode_manifest(manifest, number).view());
  if (!stored.ok()) {
    if (stored.error().kind == ErrorKind::kUnavailable) return stored;
    // The number may be taken now: the next attempt takes another, and whichever is newest at a start holds.
    number_ = number;
    unconfirmed_ = true;
    return Error{ErrorKind::kUnknown, std::move(stored.error().text)};
  }
  number_ = number;
  unconfirmed_ = false;
  // The one before is kept for people; a failure to remove leaves a file that the next edit's successor meets
  // again.
  if (number > 2) static_cast<void>(store_->remove(manifest_name(number - 2)).ok());
  return {};
}

}  // namespace millrace::log
