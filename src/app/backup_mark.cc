#include "app/backup_mark.h"

#include <fmt/format.h>

#include <charconv>
#include <memory>
#include <utility>

#include "base/bytes.h"
#include "identity/digest.h"
#include "store/folder_file.h"

namespace millrace::app {
namespace {

using enum ErrorKind;

constexpr std::string_view kFirstLine =
    "Not to be served: millrace restore makes a data folder of a backup.\n";
constexpr std::string_view kFolderWord = "folder ";
constexpr std::string_view kKeyringWord = "keyring ";
constexpr std::string_view kNoKeyring = "none";
constexpr std::string_view kLastLine = "complete\n";
constexpr std::size_t kMarkBytesMax = 4'096;

std::string first_lines(std::uint64_t folder) {
  return fmt::format("{}{}{:016x}\n", kFirstLine, kFolderWord, folder);
}

// nullopt: there is no such file.
Result<std::optional<std::string>> read_text(store::Disk& disk, std::string_view path,
                                             std::size_t bytes_max) {
  const auto file = disk.open(path, store::Disk::Mode::kRead);
  if (!file.ok() && file.error().kind == kNotFound) return std::optional<std::string>{};
  if (!file.ok()) return file.error();
  std::string text(bytes_max, '\0');
  MR_ASSIGN(const std::size_t read,
            (*file)->read_at(0, {reinterpret_cast<std::uint8_t*>(text.data()), text.size()}));
  text.resize(read);
  return std::optional(std::move(text));
}

Result<void> write_text(store::File& file, std::uint64_t offset, const std::string& text) {
  const ByteView piece = as_bytes(text);
  MR_TRY(file.write_at(offset, {&piece, 1}));
  return file.sync();
}

// Takes `word` and the rest of its line off the front; nullopt: the text begins otherwise.
std::optional<std::string_view> take_line(std::string_view& text, std::string_view word) {
  const auto end = text.find('\n');
  if (!text.starts_with(word) || end == std::string_view::npos) return std::nullopt;
  const std::string_view value = text.substr(word.size(), end - word.size());
  text.remove_prefix(end + 1);
  return value;
}

std::optional<BackupMark> parse(std::string_view text) {
  BackupMark mark;
  if (!text.starts_with(kFirstLine)) return std::nullopt;
  text.remove_prefix(kFirstLine.size());
  const auto folder = take_line(text, kFolderWord);
  if (!folder) return std::nullopt;
  const auto [end, failed] =
      std::from_chars(folder->data(), folder->data() + folder->size(), mark.folder, 16);
  if (failed != std::errc{} || end != folder->data() + folder->size()) return std::nullopt;
  const auto keyring = take_line(text, kKeyringWord);
  if (keyring && *keyring != kNoKeyring) mark.keyring = *keyring;
  mark.complete = keyring && text == kLastLine;
  return mark;
}

Result<void> refuse_marked(store::Disk& disk, std::string_view mark, std::string_view what) {
  if (const auto file = disk.open(mark, store::Disk::Mode::kRead); !file.ok()) {
    if (file.error().kind == kNotFound) return {};
    return file.error();
  }
  return Error{kInvalid, fmt::format("{} is there: this folder is {}", disk.describe(mark), what)};
}

}  // namespace

Result<void> begin_backup_mark(store::Disk& disk, std::uint64_t folder) {
  MR_ASSIGN(const auto file, disk.open(kBackupMark, store::Disk::Mode::kCreate));
  MR_TRY(write_text(*file, 0, first_lines(folder)));
  return disk.sync_folder("");
}

Result<void> end_backup_mark(store::Disk& disk) {
  MR_ASSIGN(const std::string digest, keyring_digest(disk));
  MR_ASSIGN(const auto file, disk.open(kBackupMark, store::Disk::Mode::kWrite));
  MR_ASSIGN(const std::uint64_t size, file->size());
  return write_text(*file, size,
                    fmt::format("{}{}\n{}", kKeyringWord, digest.empty() ? kNoKeyring : digest, kLastLine));
}

Result<std::optional<BackupMark>> read_backup_mark(store::Disk& disk) {
  MR_ASSIGN(const auto text, read_text(disk, kBackupMark, kMarkBytesMax));
  if (!text) return std::optional<BackupMark>{};
  if (*text != kFirstLine) return parse(*text);
  // Of an earlier version, which wrote FOLDER last.
  const auto record = store::read_folder_record(disk);
  if (!record.ok() && record.error().kind != kCorrupt) return record.error();
  if (!record.ok() || !record->has_value()) return std::optional<BackupMark>{};
  return std::optional(BackupMark{(*record)->origin.folder, true, ""});
}

Result<std::string> keyring_digest(store::Disk& disk) {
  constexpr std::size_t kKeyringBytesMax = 1u << 20;
  constexpr std::size_t kDigits = 32;
  MR_ASSIGN(const auto text, read_text(disk, "keyring", kKeyringBytesMax));
  if (!text) return std::string();
  return identity::hex(identity::sha256(as_bytes(*text))).substr(0, kDigits);
}

Result<void> put_restore_mark(store::Disk& disk) {
  MR_ASSIGN(const auto file, disk.open(kRestoreMark, store::Disk::Mode::kCreate));
  MR_TRY(write_text(*file, 0, "An unfinished restore: it may be removed.\n"));
  return disk.sync_folder("");
}

Result<void> remove_restore_mark(store::Disk& disk) {
  MR_TRY(disk.remove(kRestoreMark));
  return disk.sync_folder("");
}

Result<void> refuse_backup(store::Disk& disk) {
  MR_TRY(refuse_marked(
      disk, kBackupMark,
      "a backup, or an unfinished restore. `millrace restore` makes a data folder of a backup"));
  return refuse_marked(disk, kRestoreMark,
                       "an unfinished restore. Remove the folder, and let `millrace restore` make it again");
}

}  // namespace millrace::app
