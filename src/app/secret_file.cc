#include "app/secret_file.h"

#include <fmt/format.h>

#include <array>
#include <memory>
#include <string>

#include "identity/digest.h"

namespace millrace::app {
namespace {

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
  return disk.sync_folder(kSecretsFolder);
}

}  // namespace

std::string secret_part(std::string_view name) { return fmt::format("{}/{}", kSecretsFolder, name); }

store::PartMark secret_mark(ByteView secret) {
  constexpr std::size_t kDigits = 32;
  return {0, 0, identity::hex(identity::sha256(secret)).substr(0, kDigits)};
}

Result<Bytes> load_secret(store::Disk& disk, std::string_view name) {
  const std::string path = secret_part(name);
  MR_ASSIGN(const std::unique_ptr<store::File> file, disk.open(path, store::Disk::Mode::kRead));
  MR_ASSIGN(const std::uint64_t size, file->size());
  if (size != kSecretFileBytes) {
    return Error{ErrorKind::kCorrupt, fmt::format("{} has {} bytes and must have {}", disk.describe(path),
                                                  size, kSecretFileBytes)};
  }
  Bytes secret;
  secret.resize(kSecretFileBytes);
  MR_ASSIGN(const std::size_t got, file->read_at(0, {secret.data(), secret.size()}));
  if (got != kSecretFileBytes) {
    return Error{ErrorKind::kCorrupt, fmt::format("{} ends at byte {}", disk.describe(path), got)};
  }
  return secret;
}

Result<Bytes> load_or_make_secret(store::Disk& disk, std::string_view name, Random& random,
                                  store::PartMarks& marks) {
  auto loaded = load_secret(disk, name);
  if (!loaded.ok() && loaded.error().kind == ErrorKind::kNotFound) {
    MR_TRY(disk.make_folder(kSecretsFolder));
    Bytes secret;
    secret.resize(kSecretFileBytes);
    random.fill({secret.data(), secret.size()});
    MR_TRY(save(disk, secret_part(name), secret.view()));
    loaded = std::move(secret);
  }
  if (loaded.ok()) marks.note(secret_part(name), secret_mark(loaded->view()));
  return loaded;
}

}  // namespace millrace::app
