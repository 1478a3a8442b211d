#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "app/backup.h"
#include "app/backup_folder.h"
#include "app/backup_mark.h"
#include "app/exit_code.h"
#include "app/folder_copy.h"
#include "app/keyring_file.h"
#include "app/whole_check.h"
#include "log/manifest_store.h"
#include "log/segment_copy.h"
#include "store/folder_file.h"
#include "store/folder_tree.h"
#include "store/posix_disk.h"

namespace millrace::app {
namespace {

using enum ErrorKind;

void complain_of_restore(const std::string& text) {
  std::fprintf(stderr, "millrace: restore: %s\n", text.c_str());
}

Result<void> check_free(const std::string& data) {
  if (store::is_file(fmt::format("{}/{}", data, kRestoreMark)))
    return Error{kInvalid,
                 fmt::format("{} is an unfinished restore: remove it, or name another folder", data)};
  MR_ASSIGN(const bool is_free, store::is_new_or_empty(data));
  if (!is_free) {
    MR_ASSIGN(const auto disk, store::open_posix_disk_read_only(data));
    MR_ASSIGN(const auto names, disk->list(""));
    // As a restore leaves it that was cut off at its first step.
    if (names != std::vector<std::string>{"LOCK"})
      return Error{kInvalid, fmt::format("{} is not empty: name a folder that is new", data)};
  }
  return check_outside_data(data, "");
}

class Restoring {
 public:
  Restoring(const RestoreCall& call, std::string path, store::Disk& backup, store::Disk& data)
      : call_(call), path_(std::move(path)), backup_(backup), data_(data) {}

  Result<void> run() {
    MR_ASSIGN(copy_, FolderCopy::begin(backup_, data_, 0));
    if (call_.with_losses) copy_->pass_losses();
    MR_ASSIGN(const auto chains, copy_->chains());
    for (const std::string& chain : chains) MR_TRY(pass_loss(copy_->copy_chain(chain)));
    MR_TRY(copy_->copy_files());
    MR_ASSIGN(const auto manifest, log::read_newest_manifest(backup_));
    if (manifest.mark.number == 0)
      return Error{kCorrupt, fmt::format("{} has no manifest: nothing can be restored of its log", path_)};
    MR_TRY(copy_->copy_log(
        manifest.manifest, [](const log::SegmentEntry&) { return false; }, [] { return Result<void>{}; }));
    MR_TRY(take_record(manifest.mark));
    MR_TRY(store::sync_folders(data_, call_.data));
    return {};
  }

  const CopyCounts& counts() const { return copy_->counts(); }

 private:
  // What the backup lacks was said; a start of the data folder says it again, by the backup's FOLDER.
  Result<void> pass_loss(Result<void> copied) const {
    if (!copied.ok() && copied.error().kind == kCorrupt && call_.with_losses) return {};
    return copied;
  }

  // FOLDER is the backup's own: what it lacks, the data folder must not be without unnoticed. Only the
  // manifest is a new one.
  Result<void> take_record(const store::PartMark& of_backup) {
    auto record = store::read_folder_record(backup_);
    if (!record.ok()) return pass_loss(record.error());
    if (!record->has_value()) return {};
    const auto noted = (*record)->parts.find(std::string(log::kManifestPart));
    if (noted != (*record)->parts.end() && noted->second == of_backup) {
      MR_ASSIGN(const auto made, log::read_newest_manifest(data_));
      noted->second = made.mark;
    }
    MR_ASSIGN(const auto file, store::FolderFile::open(data_, **record));
    return {};
  }

  const RestoreCall& call_;
  const std::string path_;
  store::Disk& backup_;
  store::Disk& data_;
  std::unique_ptr<FolderCopy> copy_;
};

// Says each problem. errors   kCorrupt: there are some, and losses are not accepted
Result<std::uint64_t> check_for_restore(const RestoreCall& call, const std::string& path, store::Disk& disk) {
  // The keyring is part of the folder, or elsewhere.
  MR_ASSIGN(const WholeCheck whole, check_whole(disk, keyring_path(call.keyring, path), complain_of_restore));
  if (whole.problems == 0 || call.with_losses) return whole.problems;
  return Error{kCorrupt, fmt::format("{} has {} problems", path, whole.problems)};
}

Result<int> restore(const RestoreCall& call) {
  if (looks_like_data(call.folder))
    return Error{kInvalid,
                 fmt::format("{} is no folder of backups: name the folder that has 000001 and so on, and "
                             "which of them with --backup",
                             call.folder)};
  MR_ASSIGN(const std::string path, find_backup(call.folder, call.number));
  MR_TRY(check_free(call.data));
  MR_ASSIGN(const auto backup, store::open_posix_disk_read_only(path));
  const auto problems = check_for_restore(call, path, *backup);
  if (!problems.ok() && problems.error().kind == kCorrupt)
    return Error{kCorrupt, problems.error().text +
                               ": nothing was restored. Restore another backup, or this one --with-losses"};
  if (!problems.ok()) return problems.error();

  MR_ASSIGN(const auto data, store::open_posix_disk(call.data));
  MR_TRY(put_restore_mark(*data));
  Restoring restoring(call, path, *backup, *data);
  const auto unfinished = [&](const Error& error) {
    return Error{error.kind,
                 fmt::format("{}. {} is an unfinished restore: it may be removed", error.text, call.data)};
  };
  if (const auto copied = restoring.run(); !copied.ok()) return unfinished(copied.error());
  if (!call.with_losses) {
    const auto sound = check_for_restore(call, call.data, *data);
    if (!sound.ok()) return unfinished(sound.error());
  }
  MR_TRY(remove_restore_mark(*data));
  std::printf("%s from %s: %s\n", call.data.c_str(), path.c_str(), describe(restoring.counts()).c_str());
  if (*problems != 0)
    std::printf(
        "%llu problems of the backup are in it, too: `millrace verify` lists them, and `millrace accept` "
        "goes "
        "on without parts that are missing\n",
        static_cast<unsigned long long>(*problems));
  return 0;
}

}  // namespace

int run_restore(const RestoreCall& call) {
  copy_politely();
  const auto code = restore(call);
  if (code.ok()) return *code;
  complain_of_restore(code.error().text.substr(0, code.error().text.find('\n')));
  return kFailed;
}

}  // namespace millrace::app
