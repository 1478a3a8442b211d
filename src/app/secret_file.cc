#include "app/secret_file.h"

#include <fmt/format.h>

#include <array>
#include <memory>
#include <string>

namespace millrace::app {
namespace {

constexpr std::string_view kFolder = "keys";

Result<Bytes> load(store::Disk& disk, const std::string& path, std::size_t bytes) {
  MR_ASSIGN(const std::unique_ptr<store::File> file, disk.open(path, store::Disk::Mode::kRead));
  MR_ASSIGN(const std::uint64_t size, file->size());
  if (size != bytes) {
    return Error{ErrorKind::kCorrupt,
                 fmt::format("{} has {} bytes and must have {}", disk.describe(path), size, bytes)};
  }
  Bytes secret;
  secret.resize(bytes);
  MR_ASSIGN(const std::size_t got, file->read_at(0, {secret.data(), secret.size()}));
  if (got != bytes) {
    return Error{ErrorKind::kCorrupt, fmt::format("{} ends at byte {}", disk.describe(path), got)};
  }
  return secret;
}

// Whole or not at all, also when the machine stops half-way: a left-over .new is written over.
Result<void> save(store::Disk& disk, const std::string& path, ByteView secret) {
  const std::string fresh = path + ".new";
  MR_TRY(disk.remove(fresh));
  {
    MR_ASSIGN(const std::unique_ptr<store::File> file, disk.open(fresh, store::Disk::Mode::kCreate));
    const std::array<ByteView, 1> pieces{secret};
    MR_TRY(file->write_at(0, pieces));
    MR_TRY(file->sync());
  }
  MR_TRY(disk.rename_new(fresh, path));
  return disk.sync_folder(kFolder);
}

}  // namespace

Result<Bytes> load_or_make_secret(store::Disk& disk, std::string_view name, std::size_t bytes,
                                  Random& random) {
  const std::string path = fmt::format("{}/{}", kFolder, name);
  auto loaded = load(disk, path, bytes);
  if (loaded.ok() || loaded.error().kind != ErrorKind::kNotFound) return loaded;
  MR_TRY(disk.make_folder(kFolder));
  Bytes secret;
  secret.resize(bytes);
  random.fill({secret.data(), secret.size()});
  MR_TRY(save(disk, path, secret.view()));
  return secret;
}

}  // namespace millrace::app
